import { newProof } from './loaded/loaded-proof.ts';
import type { Process } from './process-registry.ts';
import { onUnknownVersions, onVersions } from './push/process-machine.ts';

/* A process is taken for new when its first request brings no versions. That is not always so. */

const NO_PLACES: ReadonlySet<string> = new Set();

/** A later request brought some. */
export function bringsOlder(process: Process): void {
  forgetBeginning(process);
  process.state = onVersions(process.state);
}

/**
 * Nobody knows: of the streams that an Envoy has for each type, one comes back first that never had anything. The warming form
 * would be wrong then in a place that was refused before, and serves. `former` is the process that it may be.
 */
export function mayBeOlder(process: Process, former: Process): void {
  forgetBeginning(process);
  process.state = onUnknownVersions(process.state);
  process.unanswered = findUnanswered(former);
}

/**
 * Places that either process is surely unanswered in, if it asks for them without a version. The former one would bring
 * that of what it ACKed; and where nothing was ever pushed to it, what was sure of it still is.
 */
function findUnanswered({ shared, state, unanswered }: Process): ReadonlySet<string> {
  // Of several Envoys with one name any may have come back, and only one of them is looked at here.
  if (shared) return NO_PLACES;
  const places = new Set(unanswered);
  for (const { slot, accepted, tried, refused } of state.slots.values()) {
    if (accepted !== null || tried?.clean === true) places.add(slot);
    else if (tried !== null || refused !== null) places.delete(slot);
    else if (state.known) places.add(slot);
  }
  return places;
}

/** What it has loaded was not counted from nothing. */
function forgetBeginning(process: Process): void {
  process.unanswered = NO_PLACES;
  if (process.state.fresh) process.proof = newProof(false);
}
