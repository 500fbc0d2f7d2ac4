import type { XdsLimits } from '../../model/xds-limits.ts';
import type { DiscoveryRequest } from '../discovery-request.ts';
import { LimitError } from './limit-error.ts';

/** Names that an Envoy has asked for, where this request does not ask for the same. */
export interface NamesBefore {
  /** Of this type on this stream. */
  readonly ofType: ReadonlySet<string>;
  /** Of all other types and streams. */
  readonly others: number;
}

/** Whether it names any resource: most requests are answers, and name none. */
export function hasNames(request: DiscoveryRequest): boolean {
  return request.form === 'sotw' || request.subscribe.length + request.initialVersions.size > 0;
}

/** Throws LimitError `too-many-names` if the Envoy would ask for too many with this request. Pure. */
export function checkNames(request: DiscoveryRequest, before: NamesBefore, most: XdsLimits['names']): void {
  const brought = request.form === 'delta' ? request.initialVersions.size : 0;
  const ofType =
    request.form === 'sotw' ? request.names.length : before.ofType.size + countNew(request, before);
  if (Math.max(ofType, brought) + before.others <= most) return;
  throw new LimitError(
    'names',
    'too-many-names',
    `this Envoy asks for more than ${most} resource names`,
    'Ask for all of a type with * instead, or for fewer',
  );
}

function countNew(
  { subscribe, unsubscribe }: DiscoveryRequest & { form: 'delta' },
  before: NamesBefore,
): number {
  // Names that go make room, and few requests have names at all: this costs nothing for an ACK.
  const added = new Set(subscribe.filter(name => !before.ofType.has(name)));
  const dropped = new Set(unsubscribe.filter(name => before.ofType.has(name)));
  return added.size - dropped.size;
}
