import type { Clock } from '../../model/ports.ts';
import { isFit } from './fit-child.ts';
import { KeptChildren } from './kept-children.ts';
import { SpareChild } from './spare-child.ts';
import type { TrialBounds } from './trial-bounds.ts';
import type { ChildBounds, TrialChild } from './trial-child.ts';
import { runTrialProcess, type TrialReport, type TrialRun } from './trial-process.ts';
import type { TrialOrder } from './trial-protocol.ts';
import type { TrialResult } from './trial-result.ts';

/** One run. */
export interface ChildrenOrder {
  /** A child serves only orders of one key, so that nothing runs where something else has; undefined: one order alone. */
  readonly key: string | undefined;
  /** The module; undefined: a child is thought to be there that has it. */
  readonly bytes: Uint8Array | undefined;
  readonly order: TrialOrder;
  readonly bounds: TrialBounds;
}

const NO_BYTES = new Uint8Array();

/**
 * The child processes in which trials run: one that has run the same before and has its module compiled, else one that was
 * started ahead, else a new one. A verdict against a plugin is never that of a child that was used before alone.
 */
export class TrialChildren {
  readonly #bounds: ChildBounds;
  readonly #clock: Clock;
  readonly #spare: SpareChild;
  readonly #kept = new KeptChildren();
  #isClosed = false;

  /** Only runs with these bounds find a child that is there. */
  constructor(bounds: ChildBounds, clock: Clock) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#spare = new SpareChild(bounds);
  }

  /** Has a child wait for something new; one is enough. Answers its process id. */
  prepare(): Promise<number | undefined> {
    return this.#spare.prepare();
  }

  /** Of what a run needs no bytes now. */
  get keys(): readonly string[] {
    return this.#kept.keys;
  }

  /** Undefined: the bytes are needed after all. Rejects when `signal` ended it. */
  async run(of: ChildrenOrder, signal: AbortSignal): Promise<TrialResult | undefined> {
    const isUsual = isFor(this.#bounds, of.bounds);
    const again = isUsual && of.key !== undefined ? await this.#runAgain(of.key, of, signal) : undefined;
    if (again !== undefined) return again;
    const { bytes } = of;
    if (bytes === undefined) return undefined;
    const spare = isUsual ? await this.#spare.take() : undefined;
    const first = await this.#start(of, bytes, spare, signal);
    // It may have died while it waited.
    const isLost = spare !== undefined && first.outcome === 'not-run';
    return isLost ? this.#start(of, bytes, undefined, signal) : first;
  }

  close(): void {
    this.#isClosed = true;
    this.#spare.close();
    this.#kept.close();
  }

  /** In the child that ran it before; undefined: there is none, or it found a fault, which a new one must judge. */
  async #runAgain(key: string, of: ChildrenOrder, signal: AbortSignal): Promise<TrialResult | undefined> {
    const known = this.#kept.take(key);
    if (known === undefined) return undefined;
    const { child, usedMs } = known;
    const runs = known.runs + 1;
    const isKept: TrialRun['isKept'] = events => isFit(events, runs);
    const report = await runTrialProcess(
      { ...of, bytes: NO_BYTES, child, usedMs, isKept },
      this.#clock,
      signal,
    );
    const { outcome, leaving } = this.#settle(key, report, runs);
    return outcome === 'ok' && leaving === '' ? report.result : undefined;
  }

  async #start(
    of: ChildrenOrder,
    bytes: Uint8Array,
    child: TrialChild | undefined,
    signal: AbortSignal,
  ): Promise<TrialResult> {
    const { key, bounds } = of;
    const isKept: TrialRun['isKept'] = events =>
      key !== undefined && isFor(this.#bounds, bounds) && isFit(events, 1);
    return this.#settle(key, await runTrialProcess({ ...of, bytes, child, isKept }, this.#clock, signal), 1);
  }

  #settle(key: string | undefined, { result, kept, usedMs }: TrialReport, runs: number): TrialResult {
    if (kept === undefined || key === undefined) return result;
    if (this.#isClosed) kept.kill();
    else this.#kept.keep(key, { child: kept, runs, usedMs });
    return result;
  }
}

/** A child has the bounds that it was started with. */
function isFor(of: ChildBounds, wanted: ChildBounds): boolean {
  return (
    of.memoryPages === wanted.memoryPages &&
    of.heapMiB === wanted.heapMiB &&
    of.isOptimized === wanted.isOptimized &&
    of.processorS === wanted.processorS
  );
}
