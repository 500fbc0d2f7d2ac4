import { toMessage } from '../../model/error.ts';
import type { Clock } from '../../model/ports.ts';
import { type ChildEntry, toFrame, toSize } from './child-code.ts';
import { START_LIMIT_MS, type TrialBounds } from './trial-bounds.ts';
import { type ChildEnd, startChild, type TrialChild } from './trial-child.ts';
import { watchDeadline } from './trial-deadline.ts';
import type { TrialModule } from './trial-module.ts';
import type { ChildCost, TrialEvent, TrialOrder } from './trial-protocol.ts';
import { type ChildEnding, type TrialResult, toTrialResult } from './trial-result.ts';

/** One module to run once: what it is told, and what it may take. */
export interface ChildRun<E> {
  readonly entry: ChildEntry;
  readonly bytes: Uint8Array;
  readonly order: object;
  readonly bounds: TrialBounds;
  /** Started before, with these bounds; default: one is started. */
  readonly child?: TrialChild | undefined;
  /** Processor time that it has taken for runs before, ms; default 0. */
  readonly usedMs?: number;
  /** Whether nothing that counts can follow: the child is not waited for then, and killed unless it is kept. */
  readonly isLast?: (event: E) => boolean;
  /** Whether a child that told this is to be kept then, for another order. */
  readonly isKept?: (events: readonly E[]) => boolean;
}

/** What a child told, and how it ended. */
export interface ChildReport<E> {
  readonly events: readonly E[];
  readonly ending: ChildEnding;
  /** It waits for another order. */
  readonly kept?: TrialChild;
}

/**
 * A module run once, in a process that had run nothing but it for the same plugin; `signal` ends it early, which
 * rejects, and so does a module that cannot be loaded.
 */
export type RunTrialProcess = (
  module: TrialModule,
  order: TrialOrder,
  bounds: TrialBounds,
  signal: AbortSignal,
) => Promise<TrialResult>;

/** More than any honest child writes. */
const MAX_OUTPUT_BYTES: Readonly<Record<ChildEntry, number>> = {
  'trial-entry': 1 << 20,
  'stream-entry': 64 << 20,
};

/** A run of trial-entry.ts. */
export type TrialRun = Omit<ChildRun<TrialEvent>, 'entry' | 'isLast'> & { readonly order: TrialOrder };

/** What came of it. */
export interface TrialReport {
  readonly result: TrialResult;
  /** The child, where it waits for another order. */
  readonly kept: TrialChild | undefined;
  /** Processor time that a kept child has taken, ms. */
  readonly usedMs: number;
}

/** One trial run in a child process. Whatever the module does is a result. */
export async function runTrialProcess(
  run: TrialRun,
  clock: Clock,
  signal: AbortSignal,
): Promise<TrialReport> {
  const { events, ending, kept } = await runChild<TrialEvent>(
    { ...run, entry: 'trial-entry', isLast },
    clock,
    signal,
  );
  return { result: toTrialResult(events, ending), kept, usedMs: findCost(events)?.processorMs ?? 0 };
}

/** Each run in a process of its own, which this one starts. */
export function createTrialFork(clock: Clock): RunTrialProcess {
  return async (module, order, bounds, signal) => {
    const bytes = await module.load();
    return (await runTrialProcess({ bytes, order, bounds }, clock, signal)).result;
  };
}

/** What the child has taken by the end of a run that went well. */
function findCost(events: readonly TrialEvent[]): ChildCost | undefined {
  const last = events.at(-1);
  return last?.kind === 'left' ? last.cost : undefined;
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
  const { entry, bounds, usedMs = 0 } = run;
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
  let kept: TrialChild | undefined;
  let isOver = false;
  readEvents<E>(child, MAX_OUTPUT_BYTES[entry], event => {
    // Nobody asked it anything: it is not our code any more that talks.
    if (isOver) return kill();
    events.push(event);
    if (run.isLast?.(event) === true) {
      isOver = true;
      if (!isTimedOut && run.isKept?.(events) === true) kept = child;
      else kill();
      last.resolve({ exitCode: null, signal: 'SIGKILL', complaint: '' });
    }
    if (event.kind !== 'ready') return;
    stopStartTimer();
    stopDeadline = watchDeadline(child.pid, { limitMs, usedMs }, clock, expire);
  });
  child.give([toFrame(run.order), toSize(run.bytes), run.bytes]);
  const end = await Promise.race([child.ended, last.promise]);
  stopStartTimer();
  stopDeadline();
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  return { events, ending: { ...end, isTimedOut, limitMs }, ...(kept === undefined ? {} : { kept }) };
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
