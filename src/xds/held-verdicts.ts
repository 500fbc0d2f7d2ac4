import type { NodeVerdict } from '../model/node-verdict.ts';
import type { Clock } from '../model/ports.ts';
import { DelayLine } from './delay-line.ts';
import { isSameAccepted } from './verdict-record.ts';

/** The newest verdict of a place, and where it is written. */
export interface VerdictRecord {
  readonly key: string;
  value: NodeVerdict;
  /** Since when it is held back, ms; undefined: it is written. */
  heldSince: number | undefined;
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
  readonly #clock: Clock;
  readonly #write: (record: VerdictRecord) => void;
  readonly #line: DelayLine<VerdictRecord>;
  #stopped = false;

  constructor(clock: Clock, write: (record: VerdictRecord) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#line = new DelayLine(clock, HOLD_MS, (record, since) => {
      if (record.heldSince === since) this.#release(record);
    });
  }

  /** Whatever of it is held already waits no longer for it. After stop it is written at once. */
  hold(record: VerdictRecord): void {
    if (this.#stopped) {
      this.#write(record);
      return;
    }
    if (record.heldSince !== undefined) return;
    record.heldSince = this.#clock.now();
    this.#line.add(record, record.heldSince);
  }

  /** It is superseded, or gone. */
  drop(record: VerdictRecord): void {
    record.heldSince = undefined;
  }

  /** Writes those of the given that are held. */
  flush(records: Iterable<VerdictRecord>): void {
    for (const record of records) if (record.heldSince !== undefined) this.#release(record);
  }

  /** Writes all of them. */
  stop(): void {
    this.#stopped = true;
    this.flush(this.#line.stop());
  }

  #release(record: VerdictRecord): void {
    record.heldSince = undefined;
    this.#write(record);
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
