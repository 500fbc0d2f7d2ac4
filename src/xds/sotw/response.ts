import type { EncodedResource } from '../../model/resource.ts';
import type { Difference, Subscription } from '../stream/subscription.ts';
import { encodeSotwResponse } from './messages.ts';
import { toSet, toSetVersion } from './resource-set.ts';

/** What goes out for a difference: the whole set of a type whose responses are sets, else what changed. */
export function toResponse(
  typeUrl: string,
  nonce: string,
  difference: Difference,
  state: Subscription,
  resources: ReadonlyMap<string, EncodedResource>,
): Uint8Array {
  const isSet = state.form === 'set';
  const sent = isSet ? toSet(state, difference, resources) : difference.resources;
  const versionInfo = toSetVersion(isSet ? sent : resources.values());
  return encodeSotwResponse({ typeUrl, versionInfo, nonce, resources: sent.map(({ any }) => any) });
}

/**
 * The one version of all extension configs as they stand once the one that goes out is accepted (design 5.5): a client that
 * comes back says with it what it has. By name to its own version, as toVersion makes it.
 */
export function toSlotsVersion(versions: ReadonlyMap<string, string>): string {
  return toSetVersion([...versions].map(([name, version]) => ({ name, version })));
}
