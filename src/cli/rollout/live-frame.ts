import { paintStates } from '../paint.ts';

/** A terminal, as far as something that redraws itself needs to know it. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Whether it is to be given colours. */
  readonly hasColour: boolean;
  /** Raw text: no line end is added. */
  write(text: string): void;
}

/** Always shown where not everything fits: what it is about. */
const HEAD_LINES = 3;
const CLEAR_DOWN = '\x1b[J';

/** Lines that are drawn over and over at one place of a terminal. */
export class LiveFrame {
  readonly #screen: Screen;
  /** Rows that the last drawing takes: they are drawn over. */
  #rows = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  draw(lines: readonly string[]): void {
    const fitting = fitLines(lines, this.#screen);
    const up = this.#rows === 0 ? '' : `\x1b[${this.#rows}F`;
    this.#screen.write(`${up}${CLEAR_DOWN}${paintStates(fitting.join('\n'), this.#screen)}\n`);
    this.#rows = countRows(fitting, this.#screen.columns);
  }

  /** What was drawn stays where it is; lines go below it, and the next drawing below them. */
  print(line: string): void {
    this.#screen.write(`${line}\n`);
    this.#rows = 0;
  }
}

/** What fits on the screen: lines in the middle give way. Long ones wrap. */
export function fitLines(
  lines: readonly string[],
  { columns, rows }: Pick<Screen, 'columns' | 'rows'>,
): readonly string[] {
  // The cursor stands below the last line.
  const room = Math.max(HEAD_LINES + 2, rows - 1);
  if (countRows(lines, columns) <= room) return lines;
  const head = lines.slice(0, HEAD_LINES);
  const tail = lines.slice(HEAD_LINES);
  let left = room - 1 - countRows(head, columns);
  let from = tail.length;
  while (from > 0 && left - countRows(tail.slice(from - 1, from), columns) >= 0) {
    from -= 1;
    left -= countRows(tail.slice(from, from + 1), columns);
  }
  return [...head, `… ${from} more lines`, ...tail.slice(from)];
}

function countRows(lines: readonly string[], columns: number): number {
  return lines.reduce(
    (sum, line) => sum + Math.max(1, Math.ceil([...line].length / Math.max(1, columns))),
    0,
  );
}
