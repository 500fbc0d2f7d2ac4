import type { NodeVerdict } from '../model/node-verdict.ts';
import type { Accepted, SlotState } from './push/slot-state.ts';

/** By slot: what a process accepted last, and when, ms. The states of the push protocol tell no time: a fleet has them together. */
export type AcceptedAt = Map<string, { accepted: Accepted; at: number }>;

/** Notes what was accepted in this slot. */
export function noteAccepted(known: AcceptedAt, { slot, accepted }: SlotState, now: number): void {
  const before = known.get(slot);
  if (accepted === null) known.delete(slot);
  else if (before === undefined) known.set(slot, { accepted, at: now });
  else {
    if (!isSame(before.accepted, accepted)) before.at = now;
    before.accepted = accepted;
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
