import type { DeltaRequest } from './delta/messages.ts';
import type { SotwRequest } from './sotw/messages.ts';

/** A request of either form of the protocol. */
export type DiscoveryRequest = DeltaRequest | SotwRequest;

/** Whether the client says that it has something: it is no new process then. */
export function bringsVersions(request: DiscoveryRequest): boolean {
  return request.form === 'delta' ? request.initialVersions.size > 0 : request.versionInfo !== '';
}
