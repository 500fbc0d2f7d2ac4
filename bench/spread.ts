/** What several runs gave. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of at least one value. */
export function toSpread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const low = sorted[sorted.length % 2 === 0 ? middle - 1 : middle]!;
  return { median: (low + sorted[middle]!) / 2, min: sorted[0]!, max: sorted.at(-1)! };
}

/** `62 (55–80)` */
export function formatSpread({ median, min, max }: Spread, digits = 0): string {
  const text = (value: number) => value.toFixed(digits);
  return `${text(median)} (${text(min)}–${text(max)})`;
}
