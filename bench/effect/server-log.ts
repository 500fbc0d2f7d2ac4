import { open } from 'node:fs/promises';

/** A line of the server's log, at the level debug. */
export interface LogLine {
  readonly msg: string;
  /** ms since the epoch, or a date. */
  readonly time: number | string;
  readonly node?: string;
  readonly sha256?: string;
}

/** Reads a log that grows: each line once. */
export class ServerLog {
  readonly #path: string;
  #readTo = 0;
  #rest = '';
  readonly lines: LogLine[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes in what was written since the last time. */
  async read(): Promise<void> {
    const file = await open(this.#path);
    try {
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(size - this.#readTo), 0, null, this.#readTo);
      this.#readTo = size;
      const lines = (this.#rest + buffer.toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
    } finally {
      await file.close();
    }
  }

  /** When lines like that were written since, ms since the epoch, in order. */
  timesOf(since: number, is: (line: LogLine) => boolean): readonly number[] {
    return this.lines
      .filter(is)
      .map(({ time }) => new Date(time).getTime())
      .filter(at => at >= since)
      .sort((a, b) => a - b);
  }
}
