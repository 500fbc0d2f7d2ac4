import type { NodeVerdict } from '../model/node-verdict.ts';
import type { Clock } from '../model/ports.ts';
import { DelayLine } from './delay-line.ts';
import type { Process } from './process-registry.ts';
import type { SlotState } from './push/slot-state.ts';
import { isSameAccepted, toSent, toVerdictState } from './verdict-record.ts';

/** What was said of a place, and where it is written. */
export interface VerdictRecord {
  readonly key: string;
  /** Said last, but for a push that is held; undefined: nothing was. */
  value: NodeVerdict | undefined;
  /** Whose push is held, with the place as it is since; undefined: none is. It becomes a verdict when it is asked for. */
  process: Process | undefined;
  sent: SlotState | undefined;
  /** Since when, ms. */
  heldSince: number;
}

export function newRecord(key: string, value?: NodeVerdict): VerdictRecord {
  return { key, value, process: undefined, sent: undefined, heldSince: 0 };
}

/** What was said last. */
export function saidOf({ value, process, sent, heldSince }: VerdictRecord): NodeVerdict | undefined {
  return process === undefined || sent === undefined ? value : toSent(process, sent, value, heldSince);
}

/** Whether it ends a push that is held: then all of it is new, whatever was said before. */
export function isAnswer({ process }: VerdictRecord, by: Process, state: SlotState): boolean {
  return process === by && toVerdictState(state) !== 'sent';
}

/**
 * Most Envoys answer in 20 to 50 ms, and it is their answer that is news. A push of a large fleet goes out in turns of up to
 * half a second, and no answer is read meanwhile: with 250 ms 10,000 nodes were written twice.
 */
export const HOLD_MS = 800;

/**
 * Verdicts that say no more than that a push is out. Each waits for HOLD_MS and is written then, unless the answer came:
 * so a push of a fleet costs one record per node, not two, with what store, watches, rollout and API do for each.
 *
 * Why late is no lie:
 * - readers have the record from before the push: the node accepted the older content and is pending for the newer, as it
 *   is before a push. `since` is when the push went out: nothing goes stale later. Readers leave other processes' out.
 * - a node that a person sends back in these moments may count as there too soon, as within the coalescing writer's
 *   interval; what is wanted then changes, which is written at once. By itself a rollout goes back later: to confirm a
 *   refusal takes a second.
 * - a kill loses what one in the interval of the coalescing writer loses: what was tried last, if it was not answered.
 *   The tags of an attempt are random, and never restored (see restoreSlot): the next push is new to Envoy.
 */
export class HeldVerdicts {
  readonly #write: (key: string, verdict: NodeVerdict) => void;
  readonly #line: DelayLine<VerdictRecord>;
  #stopped = false;

  constructor(clock: Clock, write: (key: string, verdict: NodeVerdict) => void) {
    this.#write = write;
    this.#line = new DelayLine(clock, HOLD_MS, (record, since) => {
      if (record.heldSince === since) this.#release(record);
    });
  }

  /**
   * Holds a push that is all that is new: see isOnlySent. Whatever of the same process is held already waits no longer for it.
   * After stop it is written at once.
   */
  hold(record: VerdictRecord, process: Process, sent: SlotState, now: number): void {
    const isFirst = record.process !== process;
    if (isFirst) {
      record.value = saidOf(record);
      record.process = process;
      record.heldSince = now;
    }
    record.sent = sent;
    if (this.#stopped) this.#release(record);
    else if (isFirst) this.#line.add(record, now);
  }

  /** What is held is superseded, or gone. */
  drop(record: VerdictRecord): void {
    record.process = undefined;
    record.sent = undefined;
  }

  /** Writes what is held of the given. */
  flush(records: Iterable<VerdictRecord>): void {
    for (const record of records) this.#release(record);
  }

  /** Writes all of them. */
  stop(): void {
    this.#stopped = true;
    this.flush(this.#line.stop());
  }

  #release(record: VerdictRecord): void {
    if (record.process === undefined) return;
    record.value = saidOf(record);
    this.drop(record);
    if (record.value !== undefined) this.#write(record.key, record.value);
  }
}

/** Whether all that is new is that a push is due or out: nothing was accepted, refused or fetched. */
export function isOnlySent(next: NodeVerdict, previous: NodeVerdict | undefined): boolean {
  if (next.state !== 'sent' || next.refused !== null) return false;
  if (previous === undefined) return next.accepted === null;
  if (previous.refused !== null) return false;
  if (previous.process !== next.process) return next.accepted === null;
  const isPlain = previous.state === 'sent' || previous.state === 'accepted';
  return isPlain && isSameAccepted(next.accepted, previous.accepted);
}
