import type { CommandContext, RegistryRequest } from './command-context.ts';
import { formatSize } from './format.ts';
import type { Screen } from './rollout/live-frame.ts';

/** What is over sooner needs no bar, ms. */
const QUIET_MS = 1_000;
/** Between two drawings, ms. */
const EVERY_MS = 100;
const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\x1b[K';

/** A bar for one transfer: `request` goes to the port, `end` takes the bar away. */
export interface Progress {
  readonly request: Pick<RegistryRequest, 'onTransfer'>;
  readonly end: () => void;
}

/** Drawn on the terminal that stderr is, from the second second on; anywhere else there is none. */
export function startProgress(
  word: string,
  { errScreen }: Pick<CommandContext, 'errScreen'>,
  now: () => number = () => performance.now(),
): Progress {
  if (errScreen === undefined) return { request: {}, end: () => {} };
  const startedAt = now();
  let drawnAt: number | undefined;
  const draw = (doneBytes: number, totalBytes: number) => {
    const isEarly = now() - startedAt < QUIET_MS;
    if (isEarly || (drawnAt !== undefined && now() - drawnAt < EVERY_MS && doneBytes < totalBytes)) return;
    drawnAt = now();
    const line = toProgressLine(word, { doneBytes, totalBytes, elapsedMs: drawnAt - startedAt }, errScreen);
    errScreen.write(CLEAR_LINE + line);
  };
  return {
    request: { onTransfer: ({ doneBytes, totalBytes }) => draw(doneBytes, totalBytes) },
    end: () => {
      if (drawnAt !== undefined) errScreen.write(CLEAR_LINE);
    },
  };
}

/** `pulling  ########                  4.1 MB of 12 MB  1.4 MB/s`, cut to the width of the terminal. */
export function toProgressLine(
  word: string,
  done: { readonly doneBytes: number; readonly totalBytes: number; readonly elapsedMs: number },
  { columns }: Pick<Screen, 'columns'>,
): string {
  const { doneBytes, totalBytes, elapsedMs } = done;
  const filled =
    totalBytes === 0 ? 0 : Math.round((Math.min(doneBytes, totalBytes) / totalBytes) * BAR_WIDTH);
  const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
  const rate = formatSize(Math.round((doneBytes * 1000) / Math.max(1, elapsedMs)));
  const figures = `${formatSize(doneBytes)} of ${formatSize(totalBytes)}  ${rate}/s`;
  const line = `${word}  ${bar}  ${figures}`;
  return line.length < columns ? line : `${word}  ${figures}`.slice(0, Math.max(0, columns - 1));
}
