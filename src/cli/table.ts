/** Columns by their heading; every row has as many cells. */
export interface Table {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Left-aligned columns, two blanks apart, no blanks at line ends; a heading alone where there are no rows. With
 * `least` a column is at least that wide: rows that come later stand below those before.
 */
export function formatTable(table: Table, least: readonly number[] = []): string {
  const widths = widthsOf(table).map((own, column) => Math.max(own, least[column] ?? 0));
  return [table.headings, ...table.rows]
    .map(line =>
      line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))).join('  '),
    )
    .map(line => line.trimEnd())
    .join('\n');
}

/** In characters. */
export function widthsOf({ headings, rows }: Table): readonly number[] {
  const lines = [headings, ...rows];
  return headings.map((_, column) => Math.max(...lines.map(line => width(line[column] ?? ''))));
}

function width(text: string): number {
  return [...text].length;
}
