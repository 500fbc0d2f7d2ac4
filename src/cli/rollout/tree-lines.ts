/** A branch: its label, its cells, and what hangs below it. */
export interface Branch {
  readonly label: string;
  /** Those of branches with more than one cell stand in columns. */
  readonly cells: readonly string[];
  readonly below: readonly string[];
}

/** Branches as lines with guides in front, no blanks at line ends. */
export function drawTree(branches: readonly Branch[]): readonly string[] {
  const labelWidth = Math.max(0, ...branches.map(({ label }) => label.length));
  const widths = toWidths(branches);
  return branches.flatMap(({ label, cells, below }, i) => {
    const last = i === branches.length - 1;
    const padded = cells.map((cell, column) => (cells.length > 1 ? cell.padEnd(widths[column] ?? 0) : cell));
    const own = `${last ? '└─' : '├─'} ${label.padEnd(labelWidth)}   ${padded.join('   ')}`.trimEnd();
    const guide = last ? '   ' : '│  ';
    return [
      own,
      ...below.map((line, j) => `${guide}${j === below.length - 1 ? '└─' : '├─'} ${line}`.trimEnd()),
    ];
  });
}

function toWidths(branches: readonly Branch[]): readonly number[] {
  const rows = branches.filter(({ cells }) => cells.length > 1);
  const columns = Math.max(0, ...rows.map(({ cells }) => cells.length));
  return Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
}
