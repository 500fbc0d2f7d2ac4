import { changeNames, newSubscription, type Subscription } from '../stream/subscription.ts';
import type { DeltaRequest } from './messages.ts';

/*
 * What incremental requests mean.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */

/** The state after the first request of a type on a stream. */
export function subscribe(request: DeltaRequest, wildcardType: boolean): Subscription {
  const names = new Set(request.subscribe);
  const nameless = wildcardType && names.size === 0;
  return {
    ...newSubscription('changes'),
    nameless,
    wildcard: nameless || names.delete('*'),
    names,
    has: request.initialVersions,
    asked: new Set([...names].filter(name => !request.initialVersions.has(name))),
    owesGreeting: request.initialVersions.size === 0,
  };
}

/** Name changes of any later request; stale nonces are honoured for them too. */
export function rename(state: Subscription, request: DeltaRequest): Subscription {
  return changeNames(state, request);
}
