import type { Meter, NackReason } from '../../model/meter.ts';
import { EXTENSION_CONFIG_TYPE } from '../../model/type-url.ts';
import type { Attempt } from '../push/attempt.ts';
import { downloadsFor, GET_GRACE_MS } from '../push/downloads.ts';
import type { ProcessState } from '../push/process-machine.ts';
import type { SlotState } from '../push/slot-state.ts';
import { blamesPlugin } from './listener-nack.ts';

/** A NACK of a place whose reason is not known yet. */
export interface OpenNack {
  readonly attempt: Attempt;
  readonly pushedAt: number;
  readonly at: number;
  /** The place when the NACK came. */
  readonly before: SlotState;
}

/** With these a change did not arrive, whatever the Envoy acknowledges next. */
const FAILED: readonly NackReason[] = ['refused', 'unreachable', 'unexplained'];

const NONE_OPEN: ReadonlyMap<string, OpenNack> = new Map();

/** Counts what one Envoy is sent and answers; decides nothing. */
export class SessionMeter {
  readonly #meter: Meter;
  #open: ReadonlyMap<string, OpenNack> = NONE_OPEN;
  /** A change that is on its way, ms. */
  #changedAt: number | undefined;
  #isSent = false;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  pushed(typeUrl: string): void {
    this.#meter.pushed(typeUrl);
    this.#isSent = true;
  }

  /** `nack`: Envoy's text. */
  answered(typeUrl: string, nack: string | undefined): void {
    if (nack === undefined) this.#meter.acked(typeUrl);
    else this.#nacked(typeUrl, blamesPlugin(nack) ? 'unconfirmed' : 'refused');
  }

  /** The push of a place, which went out at `pushedAt`, was answered; `before`: the process when the answer came. */
  placeAnswered(before: ProcessState, nack: string | undefined, pushedAt: number, now: number): void {
    const slot = before.slots.get(before.inFlight ?? '');
    if (nack === undefined) this.#meter.acked(EXTENSION_CONFIG_TYPE);
    else if (slot?.phase.kind !== 'in-flight') this.#nacked(EXTENSION_CONFIG_TYPE, 'superseded');
    else
      this.#open = new Map(this.#open).set(slot.slot, {
        attempt: slot.phase.attempt,
        pushedAt,
        at: now,
        before: slot,
      });
  }

  /** Call at each new state: what is on its way to another reason must not be missed. */
  judged(state: ProcessState): void {
    if (this.#open.size === 0) return;
    const left = new Map(this.#open);
    for (const [name, nack] of this.#open) {
      const reason = toNackReason(nack, state);
      if (reason === undefined) continue;
      left.delete(name);
      this.#nacked(EXTENSION_CONFIG_TYPE, reason);
    }
    this.#open = left;
  }

  /** What a connected Envoy is to have changed, perhaps. */
  changed(now: number): void {
    if (this.#changedAt === undefined) this.#isSent = false;
    this.#changedAt ??= now;
  }

  get isConverging(): boolean {
    return this.#changedAt !== undefined;
  }

  /** Nothing is out and nothing is due. */
  settled(now: number): void {
    if (this.#changedAt !== undefined && this.#isSent) this.#meter.converged((now - this.#changedAt) / 1000);
    this.#changedAt = undefined;
  }

  #nacked(typeUrl: string, reason: NackReason): void {
    this.#meter.nacked(typeUrl, reason);
    if (FAILED.includes(reason)) this.#changedAt = undefined;
  }
}

/** Why it was, by what the push protocol made of it; undefined: it is not decided yet. */
export function toNackReason(
  { attempt, pushedAt, at, before }: OpenNack,
  { slots, downloads }: ProcessState,
): NackReason | undefined {
  const after = slots.get(before.slot);
  if (after?.phase.kind === 'judging' && after.phase.attempt.number === attempt.number) return undefined;
  if (downloadsFor(downloads, attempt.content, pushedAt, at + GET_GRACE_MS).length > 0)
    return attempt.isProbe ? 'probe' : 'missing';
  if (after === undefined) return 'superseded';
  if (after.refused !== null && after.refused.at !== before.refused?.at) return 'refused';
  if (after.blocked !== before.blocked && after.blocked.size > 0)
    return attempt.isProbe ? 'unreachable' : 'unexplained';
  return after.suspected === null ? 'superseded' : 'unconfirmed';
}
