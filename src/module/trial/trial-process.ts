import { toMessage } from '../../model/error.ts';
import type { Clock } from '../../model/ports.ts';
import { type ChildEntry, toFrame } from './child-code.ts';
import { START_LIMIT_MS, type TrialBounds } from './trial-bounds.ts';
import { type ChildEnd, startChild, type TrialChild } from './trial-child.ts';
import { watchDeadline } from './trial-deadline.ts';
import type { TrialEvent, TrialOrder } from './trial-protocol.ts';
import { type ChildEnding, type TrialResult, toTrialResult } from './trial-result.ts';

/** One module to run once: what it is told, and what it may take. */
export interface ChildRun<E> {
  readonly entry: ChildEntry;
  readonly bytes: Uint8Array;
  readonly order: object;
  readonly bounds: TrialBounds;
  /** Started before, with these bounds and for nothing else; default: one is started. */
  readonly child?: TrialChild | undefined;
  /** Whether nothing that counts can follow: the child is killed then, and not waited for. */
  readonly isLast?: (event: E) => boolean;
}

/** What a child told, and how it ended. */
export interface ChildReport<E> {
  readonly events: readonly E[];
  readonly ending: ChildEnding;
}

/** A module run once, in a process of its own; `signal` ends it early, which rejects. */
export type RunTrialProcess = (
  bytes: Uint8Array,
  order: TrialOrder,
  bounds: TrialBounds,
  signal: AbortSignal,
) => Promise<TrialResult>;

/** More than any honest child writes. */
const MAX_OUTPUT_BYTES: Readonly<Record<ChildEntry, number>> = {
  'trial-entry': 1 << 20,
  'stream-entry': 64 << 20,
};

/** One trial run in a child process, `child` where one waits. Whatever the module does is a result. */
export async function runTrialProcess(
  run: Pick<ChildRun<TrialEvent>, 'bytes' | 'bounds' | 'child'> & { readonly order: TrialOrder },
  clock: Clock,
  signal: AbortSignal,
): Promise<TrialResult> {
  const { events, ending } = await runChild<TrialEvent>(
    { ...run, entry: 'trial-entry', isLast },
    clock,
    signal,
  );
  return toTrialResult(events, ending);
}

/** An engine that ends by itself takes 7 ms for it, and until a killed one is gone 5 ms pass: a run of 4 ms waits for neither. */
function isLast(event: TrialEvent): boolean {
  return event.kind === 'left' || (event.kind === 'end' && event.outcome !== 'ok');
}

/**
 * The same for whatever a child is told and tells: an order, then the module; a JSON line for each event, of which
 * `ready` begins the module's own time.
 */
export async function runChild<E extends { readonly kind: string }>(
  run: ChildRun<E>,
  clock: Clock,
  signal: AbortSignal,
): Promise<ChildReport<E>> {
  const { entry, bounds } = run;
  const { limitMs } = bounds;
  let child: TrialChild;
  try {
    signal.throwIfAborted();
    child = run.child ?? (await startChild(entry, bounds));
  } catch (error) {
    run.child?.kill();
    signal.throwIfAborted();
    const how = { isTimedOut: false, exitCode: null, signal: null };
    return { events: [], ending: { ...how, complaint: toMessage(error), limitMs } };
  }
  const events: E[] = [];
  let isTimedOut = false;
  const kill = () => child.kill();
  const expire = () => {
    isTimedOut = true;
    kill();
  };
  const stopStartTimer = clock.after(START_LIMIT_MS, kill);
  let stopDeadline = () => {};
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill);
  const last = Promise.withResolvers<ChildEnd>();
  readEvents<E>(child, MAX_OUTPUT_BYTES[entry], event => {
    events.push(event);
    if (run.isLast?.(event) === true) {
      kill();
      last.resolve({ exitCode: null, signal: 'SIGKILL', complaint: '' });
    }
    if (event.kind !== 'ready') return;
    stopStartTimer();
    stopDeadline = watchDeadline(child.pid, limitMs, clock, expire);
  });
  child.give([toFrame(run.order), run.bytes]);
  const end = await Promise.race([child.ended, last.promise]);
  stopStartTimer();
  stopDeadline();
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  return { events, ending: { ...end, isTimedOut, limitMs } };
}

/** Each line once it is whole. More than `maxBytes` ends the child. */
function readEvents<E>(child: TrialChild, maxBytes: number, take: (event: E) => void): void {
  let rest = '';
  let total = 0;
  child.listen(text => {
    total += text.length;
    if (total > maxBytes) return child.kill();
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    try {
      for (const line of lines) take(JSON.parse(line) as E);
    } catch {
      child.kill();
    }
  });
}
