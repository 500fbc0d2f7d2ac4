import { toVersion } from '../push/attempt.ts';
import type { SlotState } from '../push/slot-state.ts';
import { toSlotsVersion } from './response.ts';

/**
 * What each place holds, by the one version that a client brings for all of them: as they stood when it was accepted,
 * where we remember that, or else as the records tell, with the last push of one of them accepted or not.
 * undefined: nobody knows. Pure.
 */
export function recallVersions(
  claim: string,
  names: readonly string[],
  remembered: ReadonlyMap<string, ReadonlyMap<string, string>>,
  slots: ReadonlyMap<string, SlotState>,
): ReadonlyMap<string, string> | undefined {
  const known = remembered.get(claim);
  if (known !== undefined) return new Map([...known].filter(([name]) => names.includes(name)));
  const accepted = new Map<string, string>();
  const tried = new Map<string, string>();
  for (const name of names) {
    const slot = slots.get(name);
    if (slot?.accepted != null) accepted.set(name, toVersion(slot.accepted.contentHash, 'verdict'));
    if (slot?.tried != null) tried.set(name, toVersion(slot.tried.contentHash, slot.tried.variant));
  }
  const candidates = [accepted, ...[...tried].map(([name, version]) => new Map(accepted).set(name, version))];
  return candidates.find(versions => toSlotsVersion(versions) === claim);
}
