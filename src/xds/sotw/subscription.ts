import { changeNames, type NameChange, newSubscription, type Subscription } from '../stream/subscription.ts';
import type { SotwRequest } from './messages.ts';

/*
 * What requests of the state of the world mean: each names all that is asked for.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 */

/** The state after the first request of a type on a stream. */
export function subscribe(request: SotwRequest, wildcardType: boolean): Subscription {
  const nameless = wildcardType && request.names.length === 0;
  const state = changeNames(newSubscription(wildcardType ? 'set' : 'part'), {
    subscribe: request.names,
    unsubscribe: [],
  });
  const claim = request.versionInfo === '' ? undefined : request.versionInfo;
  return { ...state, nameless, wildcard: nameless || state.wildcard, claim };
}

/** The names of any later request; stale nonces are honoured for them too. */
export function rename(state: Subscription, request: SotwRequest): Subscription {
  const change = toNameChange(state, request.names);
  if (change.subscribe.length === 0 && change.unsubscribe.length === 0) return state;
  return { ...changeNames(state, change), nameless: false };
}

/** An empty list means everything only as long as no name was ever given; later it drops them all. */
function toNameChange(state: Subscription, names: readonly string[]): NameChange {
  if (state.nameless && names.length === 0) return { subscribe: [], unsubscribe: [] };
  const before = new Set([...state.names, ...(state.wildcard ? ['*'] : [])]);
  const after = new Set(names);
  return {
    subscribe: [...after].filter(name => !before.has(name)),
    unsubscribe: [...before].filter(name => !after.has(name)),
  };
}
