import type { EncodedResource } from '../../model/resource.ts';
import type { DeltaRequest } from '../discovery-codec.ts';

/**
 * What one delta stream asked for of one type, and what it has. A pure value: every request, answer and push
 * makes a new one. Extension configs do not pass here: theirs is the push protocol (../push).
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */
export interface Subscription {
  readonly wildcard: boolean;
  readonly names: ReadonlySet<string>;
  /** Name to version that the client ACKed or says it has. */
  readonly has: ReadonlyMap<string, string>;
  readonly inFlight: InFlight | undefined;
  /** Refused: name to version and text; the same version is never sent again. */
  readonly refused: ReadonlyMap<string, { readonly version: string; readonly message: string }>;
  /** When the version of a name that was sent last went out, ms. */
  readonly sentAt: ReadonlyMap<string, number>;
  /** Names (re-)subscribed since the last response: to be sent even if unchanged. */
  readonly asked: ReadonlySet<string>;
  /** A first request that brought nothing must be answered even with nothing (Envoy needs it to start). */
  readonly owesGreeting: boolean;
}

export interface InFlight {
  readonly nonce: string;
  readonly sent: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  readonly at: number;
}

export interface Difference {
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** The state after the first request of a type on a stream. */
export function subscribe(request: DeltaRequest, wildcardType: boolean): Subscription {
  const names = new Set(request.subscribe);
  const legacyWildcard = wildcardType && names.size === 0;
  return {
    wildcard: legacyWildcard || names.delete('*'),
    names,
    has: request.initialVersions,
    inFlight: undefined,
    refused: new Map(),
    sentAt: new Map(),
    asked: new Set([...names].filter(name => !request.initialVersions.has(name))),
    owesGreeting: request.initialVersions.size === 0,
  };
}

/** Name changes of any later request; stale nonces are honoured for them too. */
export function changeNames(state: Subscription, request: DeltaRequest): Subscription {
  if (request.subscribe.length === 0 && request.unsubscribe.length === 0) return state;
  const names = new Set(state.names);
  const asked = new Set(state.asked);
  const has = new Map(state.has);
  let { wildcard } = state;
  for (const name of request.subscribe) {
    if (name === '*') wildcard = true;
    else {
      names.add(name);
      asked.add(name);
    }
  }
  for (const name of request.unsubscribe) {
    if (name === '*') wildcard = false;
    else if (names.delete(name)) {
      // Still covered by the wildcard: it is answered again; otherwise it is simply forgotten.
      if (wildcard) asked.add(name);
      else has.delete(name);
    }
    if (name !== '*' && !wildcard) asked.delete(name);
  }
  return { ...state, wildcard, names, asked, has };
}

/** The client's answer to the response with this nonce; a stale nonce changes nothing. */
export function answer(state: Subscription, nonce: string, nack: string | undefined): Subscription {
  const { inFlight } = state;
  if (inFlight === undefined || inFlight.nonce !== nonce) return state;
  const has = new Map(state.has);
  const refused = new Map(state.refused);
  const blamed = nack === undefined ? new Set<string>() : blame(inFlight, nack);
  for (const [name, version] of inFlight.sent) {
    if (blamed.has(name)) refused.set(name, { version, message: nack ?? '' });
    else {
      has.set(name, version);
      refused.delete(name);
    }
  }
  if (nack === undefined)
    for (const name of inFlight.removed) {
      has.delete(name);
      refused.delete(name);
    }
  return { ...state, inFlight: undefined, has, refused };
}

/** `Error adding/updating cluster(s) a: why, b: why`; listeners are separated by newlines. */
const BEFORE_NAME = ['(s) ', ', ', '\n'];

/**
 * Envoy names the resources that it refused and applies the others of the response; where no name can be found
 * in its text, every one is taken for refused.
 */
function blame(inFlight: InFlight, nack: string): Set<string> {
  const names = [...inFlight.sent.keys()];
  const listed = names.filter(name => BEFORE_NAME.some(before => nack.includes(`${before}${name}: `)));
  const named = listed.length > 0 ? listed : names.filter(name => nack.includes(name));
  return new Set(named.length > 0 ? named : names);
}

/** What to send now; undefined: nothing. `mayChange` holds back single resources (listeners with open slots). */
export function diff(
  state: Subscription,
  resources: ReadonlyMap<string, EncodedResource>,
  mayChange: (resource: EncodedResource) => boolean,
): Difference {
  const changed: EncodedResource[] = [];
  for (const name of state.wildcard ? resources.keys() : state.names) {
    const resource = resources.get(name);
    if (resource === undefined) continue;
    if (state.refused.get(name)?.version === resource.version) continue;
    const current = state.has.get(name) === resource.version && !state.asked.has(name);
    if (!current && mayChange(resource)) changed.push(resource);
  }
  // A resource that was refused may still be there: Envoy's text does not always tell.
  const gone = [...new Set([...state.has.keys(), ...state.refused.keys()])].filter(
    name => !resources.has(name) && (state.wildcard || state.names.has(name)),
  );
  // A name that does not exist is said to be so once, and delivered when it is created.
  const missing = [...state.asked].filter(name => !resources.has(name) && !state.has.has(name));
  return { resources: changed, removed: [...gone, ...missing] };
}

export function sent(state: Subscription, difference: Difference, nonce: string, at: number): Subscription {
  const asked = new Set(state.asked);
  for (const { name } of difference.resources) asked.delete(name);
  for (const name of difference.removed) asked.delete(name);
  const sentAt = new Map(state.sentAt);
  for (const { name } of difference.resources) sentAt.set(name, at);
  for (const name of difference.removed) sentAt.delete(name);
  return {
    ...state,
    asked,
    sentAt,
    owesGreeting: false,
    inFlight: {
      nonce,
      sent: new Map(difference.resources.map(({ name, version }) => [name, version])),
      removed: difference.removed,
      at,
    },
  };
}

/** Forget that this version was refused, so that the same bytes are sent once more (design 5.7). */
export function retry(state: Subscription, name: string): Subscription {
  const refused = new Map(state.refused);
  refused.delete(name);
  return { ...state, refused };
}
