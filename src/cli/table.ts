/** Columns by their heading; every row has as many cells. */
export interface Table {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Left-aligned columns, two blanks apart, no blanks at line ends; a heading alone where there are no rows. */
export function formatTable({ headings, rows }: Table): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map(line => width(line[column] ?? ''))));
  return lines
    .map(line =>
      line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))).join('  '),
    )
    .map(line => line.trimEnd())
    .join('\n');
}

function width(text: string): number {
  return [...text].length;
}
