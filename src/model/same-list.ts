/** Whether both have the same parts in the same order. `isSame`: by default the very same. */
export function isSameList<T>(
  one: readonly T[],
  other: readonly T[],
  isSame: (a: T, b: T) => boolean = isIdentical,
): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((it, i) => isSame(it, other[i] as T));
}

function isIdentical(a: unknown, b: unknown): boolean {
  return a === b;
}
