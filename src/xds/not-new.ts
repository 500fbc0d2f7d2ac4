import { newProof } from './loaded/loaded-proof.ts';
import type { Process } from './process-registry.ts';
import { onUnknownVersions, onVersions } from './push/process-machine.ts';

/* A process is taken for new when its first request brings no versions. That is not always so. */

/** A later request brought some. */
export function bringsOlder(process: Process): void {
  forgetBeginning(process);
  process.state = onVersions(process.state);
}

/**
 * Nobody knows: of the streams that an Envoy has for each type, one comes back first that never had anything. The warming form
 * would be wrong then in a place that was refused before, and serves.
 */
export function mayBeOlder(process: Process): void {
  forgetBeginning(process);
  process.state = onUnknownVersions(process.state);
}

/** What it has loaded was not counted from nothing. */
function forgetBeginning(process: Process): void {
  if (process.state.fresh) process.proof = newProof(false);
}
