import { type Subscription, UNKNOWN_VERSION } from './subscription.ts';

/**
 * By type URL, the names of resources of which an Envoy may have another version than it will say when it comes back: of
 * a response that it refused it applies the good resources, and goes on to tell of the versions before. Where the names
 * are not known, EVERY stands for all of the type.
 */
export type Doubts = ReadonlyMap<string, ReadonlySet<string>>;

export const NO_DOUBTS: Doubts = new Map();
export const EVERY = '*';

/** A claim that no set has. */
const NOT_BELIEVED = 'not believed';

/** These resources were refused together, or nobody heard an answer. Pure, as all here. */
export function doubt(doubts: Doubts, typeUrl: string, names: Iterable<string>): Doubts {
  const more = new Set([...(doubts.get(typeUrl) ?? []), ...names]);
  return more.size === 0 ? doubts : new Map(doubts).set(typeUrl, more);
}

/** These resources were accepted. */
export function trust(doubts: Doubts, typeUrl: string, names: Iterable<string>): Doubts {
  const known = doubts.get(typeUrl);
  if (known === undefined) return doubts;
  const accepted = new Set([EVERY, ...names]);
  const left = new Set([...known].filter(name => !accepted.has(name)));
  const next = new Map(doubts).set(typeUrl, left);
  if (left.size === 0) next.delete(typeUrl);
  return next;
}

/** What the first request of a stream says that the client has, as far as it can be believed. */
export function distrust(state: Subscription, doubts: ReadonlySet<string> | undefined): Subscription {
  if (doubts === undefined) return state;
  // A set goes out whole, whatever of it is in doubt.
  if (state.form !== 'changes') return state.claim === undefined ? state : { ...state, claim: NOT_BELIEVED };
  const has = new Map(state.has);
  for (const name of doubts.has(EVERY) ? has.keys() : doubts) has.set(name, UNKNOWN_VERSION);
  return { ...state, has, had: state.has };
}
