/** Whether both have the same parts in the same order. `isSame`: by default the very same. */
export function isSameList<T>(
  one: readonly T[],
  other: readonly T[],
  isSame?: (a: T, b: T) => boolean,
): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i += 1) {
    const a = one[i] as T;
    const b = other[i] as T;
    if (a !== b && isSame?.(a, b) !== true) return false;
  }
  return true;
}
