import type { EncodedResource } from '../../model/resource.ts';

/**
 * How responses of a type look.
 * - `changes`: what changed and what is gone, by name (incremental)
 * - `set`: all there is, so that what is missing is gone (state of the world: clusters and listeners)
 * - `part`: what changed; what is gone is told by whoever refers to it (state of the world: all other types)
 */
export type ResponseForm = 'changes' | 'set' | 'part';

/**
 * What one stream asked for of one type, and what it has, in either form of the protocol. A pure value: every
 * request, answer and push makes a new one. Extension configs do not pass here: theirs is the push protocol (../push).
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 */
export interface Subscription {
  readonly form: ResponseForm;
  readonly wildcard: boolean;
  /** It is a wildcard because no name was given yet; the first name ends that in the state of the world. */
  readonly nameless: boolean;
  readonly names: ReadonlySet<string>;
  /** Name to version that the client ACKed or says it has; UNKNOWN_VERSION: it may have one, and nobody knows which. */
  readonly has: ReadonlyMap<string, string>;
  /** Of what nobody knows the version of in `has`: the one that the client surely had before, if it had any. */
  readonly had: ReadonlyMap<string, string>;
  /** Of a `set`: the bytes of what it has, so that they can stay while something else changes. */
  readonly bytes: ReadonlyMap<string, EncodedResource>;
  /** The version of a set that the client brought; what is in it shows when the resources are known. */
  readonly claim: string | undefined;
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
  /** What was new to the client: name to version. */
  readonly sent: ReadonlyMap<string, string>;
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
  readonly at: number;
}

export interface Difference {
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** What is to go out now. */
export interface Due extends Difference {
  /** Names that were asked for and do not exist: an answer like any other, while `removed` takes something away. */
  readonly missing: readonly string[];
  /** A response is owed even if it is empty. */
  readonly greets: boolean;
}

/** Names that a request adds and drops; `*` is the wildcard. */
export interface NameChange {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
}

export const UNKNOWN_VERSION = '';
/** In `refused`: its removal. */
const NO_VERSION = '';
const NOTHING: Due = { resources: [], removed: [], missing: [], greets: false };

/* What most subscriptions hold nothing in, and share: with all its own, a fleet had 10 kB more for each node. */
const NO_NAMES: ReadonlySet<never> = new Set<never>();
const NOTHING_HELD: ReadonlyMap<string, never> = new Map<string, never>();

function orNone<T>(names: ReadonlySet<T>): ReadonlySet<T> {
  return names.size === 0 ? NO_NAMES : names;
}

function orNothing<V>(held: ReadonlyMap<string, V>): ReadonlyMap<string, V> {
  return held.size === 0 ? NOTHING_HELD : held;
}

/** The state before a stream asked for anything. */
export function newSubscription(form: ResponseForm): Subscription {
  return {
    form,
    wildcard: false,
    nameless: false,
    names: NO_NAMES,
    has: NOTHING_HELD,
    had: NOTHING_HELD,
    bytes: NOTHING_HELD,
    claim: undefined,
    inFlight: undefined,
    refused: NOTHING_HELD,
    sentAt: NOTHING_HELD,
    asked: NO_NAMES,
    // An empty response of a type whose responses are parts says nothing.
    owesGreeting: form !== 'part',
  };
}

/** Name changes of any later request; stale nonces are honoured for them too. */
export function changeNames(state: Subscription, change: NameChange): Subscription {
  if (change.subscribe.length === 0 && change.unsubscribe.length === 0) return state;
  const names = new Set(state.names);
  const asked = new Set(state.asked);
  const has = new Map(state.has);
  let { wildcard } = state;
  for (const name of change.subscribe) {
    if (name === '*') wildcard = true;
    else {
      names.add(name);
      asked.add(name);
    }
  }
  for (const name of change.unsubscribe) {
    if (name === '*') wildcard = false;
    else if (names.delete(name)) {
      // Still covered by the wildcard: an incremental client must be told so. Otherwise it is simply forgotten.
      if (!wildcard) has.delete(name);
      else if (state.form === 'changes') asked.add(name);
    }
    if (name !== '*' && !wildcard) asked.delete(name);
  }
  // Without the wildcard the client lets go of what it did not name.
  if (!wildcard) for (const name of has.keys()) if (!names.has(name)) has.delete(name);
  return { ...state, wildcard, names: orNone(names), asked: orNone(asked), has: orNothing(has) };
}

/**
 * Envoy's text where a listener is on the address of another one. Additions go out before removals: what was refused for one
 * that is gone now is sent once more, the one case in which the same bytes are.
 */
const IN_THE_WAY = /has duplicate address/;

/** The client's answer to the response with this nonce; a stale nonce changes nothing. */
export function answer(state: Subscription, nonce: string, nack: string | undefined): Subscription {
  const { inFlight } = state;
  if (inFlight === undefined || inFlight.nonce !== nonce) return state;
  const has = new Map(state.has);
  const bytes = new Map(state.bytes);
  const refused = new Map(state.refused);
  // What is gone is gone, whatever else of the response was refused: nothing is removed twice.
  for (const name of inFlight.removed) {
    has.delete(name);
    bytes.delete(name);
    refused.delete(name);
    if (nack !== undefined && inFlight.sent.size === 0)
      refused.set(name, { version: NO_VERSION, message: nack });
  }
  if (inFlight.removed.length > 0)
    for (const [name, { message }] of refused) if (IN_THE_WAY.test(message)) refused.delete(name);
  const blamed = nack === undefined ? new Set<string>() : blame(state, inFlight, nack);
  for (const [name, version] of inFlight.sent) {
    if (blamed.has(name)) refused.set(name, { version, message: nack ?? '' });
    else {
      // Its name may have been dropped meanwhile.
      if (covers(state, name)) has.set(name, version);
      refused.delete(name);
    }
  }
  if (state.form === 'set')
    for (const resource of inFlight.resources)
      if (!blamed.has(resource.name)) bytes.set(resource.name, resource);
  const held = { has: orNothing(has), bytes: orNothing(bytes), refused: orNothing(refused) };
  return { ...state, inFlight: undefined, ...held };
}

/** Whether the stream asks for it. */
export function covers(state: Subscription, name: string): boolean {
  return state.wildcard || state.names.has(name);
}

/** `Error adding/updating cluster(s) a: why, b: why`; listeners are separated by newlines. */
const BEFORE_NAME = ['(s) ', ', ', '\n'];

/**
 * Envoy names the resources that it refused and applies the others of the response; where no name can be found
 * in its text, every one that was new is taken for refused. A set may also be refused over what was in it before.
 */
function blame(state: Subscription, inFlight: InFlight, nack: string): Set<string> {
  const names = [...inFlight.sent.keys()];
  const isListed = (name: string): boolean => BEFORE_NAME.some(before => nack.includes(`${before}${name}: `));
  const listed = names.filter(isListed);
  if (listed.length > 0) return new Set(listed);
  if (state.form === 'set' && [...state.has.keys()].some(isListed)) return new Set();
  const named = names.filter(name => nack.includes(name));
  return new Set(named.length > 0 ? named : names);
}

/**
 * Whether the client surely has an earlier form of the resource. In doubt it has none: what is taken for a listener that serves
 * opens without a plugin that is new.
 */
export function hasEarlier(
  { has, had }: Subscription,
  { name, version }: Pick<EncodedResource, 'name' | 'version'>,
): boolean {
  const known = has.get(name);
  const before = known === UNKNOWN_VERSION ? had.get(name) : known;
  return before !== undefined && before !== version;
}

/** What to send now. `mayChange` holds back single resources (listeners with open slots). */
export function diff(
  state: Subscription,
  resources: ReadonlyMap<string, EncodedResource>,
  mayChange: (resource: EncodedResource) => boolean,
): Due {
  const changed: EncodedResource[] = [];
  for (const name of state.wildcard ? resources.keys() : state.names) {
    const resource = resources.get(name);
    if (resource === undefined) continue;
    if (state.refused.get(name)?.version === resource.version) continue;
    const current = state.has.get(name) === resource.version && !state.asked.has(name);
    if (!current && mayChange(resource)) changed.push(resource);
  }
  const greets = state.owesGreeting && state.wildcard;
  if (state.form === 'part') return { resources: changed, removed: [], missing: [], greets };
  if (state.form === 'set' && isIncomplete(state, changed, resources)) return NOTHING;
  // A resource that was refused may still be there: Envoy's text does not always tell.
  const gone = [...new Set([...state.has.keys(), ...state.refused.keys()])].filter(
    name => !resources.has(name) && covers(state, name) && state.refused.get(name)?.version !== NO_VERSION,
  );
  // A name that does not exist is said to be so once, and delivered when it is created.
  const missing = [...state.asked].filter(name => !resources.has(name) && !state.has.has(name));
  return { resources: changed, removed: gone, missing, greets };
}

/** A set cannot go out while it would have to hold something that must not change, in bytes that nobody knows. */
function isIncomplete(
  state: Subscription,
  changed: readonly EncodedResource[],
  resources: ReadonlyMap<string, EncodedResource>,
): boolean {
  const changes = new Set(changed.map(({ name }) => name));
  return [...state.has.keys()].some(name => {
    const resource = resources.get(name);
    if (resource === undefined || !covers(state, name) || changes.has(name)) return false;
    return staying(state, resource) === undefined;
  });
}

/**
 * In which bytes a resource stays in a set that does not change it. What was refused, and stood there in bytes that nobody
 * knows, would be gone if it were left out: it stays in the refused ones. undefined: nobody knows.
 */
export function staying(state: Subscription, resource: EncodedResource): EncodedResource | undefined {
  const { name, version } = resource;
  return state.bytes.get(name) ?? (state.refused.get(name)?.version === version ? resource : undefined);
}

export function sent(state: Subscription, difference: Difference, nonce: string, at: number): Subscription {
  // A set answers for every name.
  const asked = new Set(state.form === 'set' ? [] : state.asked);
  for (const { name } of difference.resources) asked.delete(name);
  for (const name of difference.removed) asked.delete(name);
  const sentAt = new Map(state.sentAt);
  for (const { name } of difference.resources) sentAt.set(name, at);
  for (const name of difference.removed) sentAt.delete(name);
  return {
    ...state,
    asked: orNone(asked),
    sentAt: orNothing(sentAt),
    owesGreeting: false,
    inFlight: {
      nonce,
      sent: new Map(difference.resources.map(({ name, version }) => [name, version])),
      resources: state.form === 'set' ? difference.resources : [],
      removed: difference.removed,
      at,
    },
  };
}

/** Forget that this version was refused, so that the same bytes are sent once more (design 5.7). */
export function retry(state: Subscription, name: string): Subscription {
  const refused = new Map(state.refused);
  refused.delete(name);
  return { ...state, refused: orNothing(refused) };
}
