import type { Clock } from '../../model/ports.ts';
import { NurseryProcess } from './nursery-process.ts';
import { createTrialFork, type RunTrialProcess } from './trial-process.ts';

export interface TrialNurseryOptions {
  readonly clock: Clock;
  /** How much of the time since it was last asked this process was busy: 0 to 1. */
  readonly readBusyShare: () => number;
  /** How long it is kept for a next run, ms; default 5 min. */
  readonly keepMs?: number;
}

/** Where a server has its trials run. */
export interface TrialNursery {
  readonly run: RunTrialProcess;
  /** Ends its process, and all that runs in it. */
  close(): Promise<void>;
}

const LOOK_MS = 50;
const BUSY_SHARE = 0.8;
const KEEP_MS = 300_000;

/**
 * A small process beside the server that starts trial runs for it, with a child ready for the next one. A fork of the
 * server itself stands still for 17 ms with 200 MB of heap and 37 ms with 600 MB, and a child loads for 100 ms: of a
 * change of the configuration that was the most. Both processes are started once a first run is through and the server
 * has nothing else to do, and end when there was no further run for a while: a run that finds none is forked as before.
 */
export function createTrialNursery(options: TrialNurseryOptions): TrialNursery {
  const { clock, readBusyShare, keepMs = KEEP_MS } = options;
  const runInNew = createTrialFork(clock);
  let process: NurseryProcess | undefined;
  let isClosed = false;
  let cancelLook: (() => void) | undefined;
  let cancelEnd = () => {};

  const look = () => {
    if (readBusyShare() >= BUSY_SHARE) {
      cancelLook = clock.after(LOOK_MS, look);
      return;
    }
    cancelLook = undefined;
    if (process === undefined || process.isGone) process = new NurseryProcess();
    process.prepare();
  };
  const stopLooking = () => {
    cancelLook?.();
    cancelLook = undefined;
  };
  const end = async () => {
    stopLooking();
    const ended = process;
    process = undefined;
    await ended?.end();
  };
  /** What the change set off goes first. */
  const prepareLater = () => {
    if (isClosed) return;
    cancelEnd();
    cancelEnd = clock.after(keepMs, () => void end());
    stopLooking();
    readBusyShare();
    cancelLook = clock.after(LOOK_MS, look);
  };

  return {
    async run(module, order, bounds, signal) {
      signal.throwIfAborted();
      cancelEnd();
      stopLooking();
      try {
        const result = await process?.run(module, order, bounds, signal);
        signal.throwIfAborted();
        return result ?? (await runInNew(module, order, bounds, signal));
      } finally {
        prepareLater();
      }
    },
    async close() {
      isClosed = true;
      cancelEnd();
      await end();
    },
  };
}
