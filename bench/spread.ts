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

/** Run by run, so that what the machine did besides weighs on both alike. As many of one as of the other. */
export function toRatio(ours: readonly number[], theirs: readonly number[]): Spread {
  return toSpread(ours.map((value, i) => value / theirs[i]!));
}

/** `62 (55–80)`; by default with two digits below 10. */
export function formatSpread(
  { median, min, max }: Spread,
  digits = median > 0 && median < 10 ? 2 : 0,
): string {
  const text = (value: number) => value.toFixed(digits);
  return min === max ? text(median) : `${text(median)} (${text(min)}–${text(max)})`;
}

/** How a ratio stands to what it must and should be at most. */
export function judge(ratio: Spread, { must, goal }: { readonly must: number; readonly goal: number }) {
  if (ratio.median <= goal) return 'goal';
  return ratio.median <= must ? 'met' : 'missed';
}

/** A table in Markdown. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map(line => line[column]!.length)));
  return lines.map(line => `| ${line.map((cell, i) => toWidth(cell, widths[i]!)).join(' | ')} |`).join('\n');
}

function toWidth(cell: string, width: number): string {
  return cell === '---' ? '-'.repeat(width) : cell.padEnd(width);
}
