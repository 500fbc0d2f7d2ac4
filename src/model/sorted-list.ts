/** Where something belongs in a sorted list: before the first element that does not come before it. */
export function findPlace<T>(list: readonly T[], comesBefore: (element: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comesBefore(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
