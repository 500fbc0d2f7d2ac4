import type { NodeVerdict } from '../model/node-verdict.ts';
import type { Accepted, SlotState } from './push/slot-state.ts';

/** By slot: what a process accepted last, and when, ms. The states of the push protocol tell no time: a fleet has them together. */
export type AcceptedAt = Map<string, { readonly accepted: Accepted; readonly at: number }>;

/** Notes what was accepted since the last call. */
export function noteAccepted(known: AcceptedAt, slots: ReadonlyMap<string, SlotState>, now: number): void {
  for (const [slot, { accepted }] of slots) {
    const before = known.get(slot);
    if (before?.accepted === accepted) continue;
    if (accepted === null) known.delete(slot);
    else known.set(slot, { accepted, at: before && isSame(before.accepted, accepted) ? before.at : now });
  }
}

/** What the records say of the time before our start. */
export function restoreAcceptedAt(
  verdicts: readonly NodeVerdict[],
  slots: ReadonlyMap<string, SlotState>,
): AcceptedAt {
  const known: AcceptedAt = new Map();
  for (const { slot, accepted: record } of verdicts) {
    const accepted = slots.get(slot)?.accepted ?? null;
    if (accepted !== null && record !== null) known.set(slot, { accepted, at: record.at });
  }
  return known;
}

/** The same push of the same content. */
function isSame(one: Accepted, other: Accepted): boolean {
  return one.contentHash === other.contentHash && one.number === other.number;
}
