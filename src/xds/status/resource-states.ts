/**
 * What the streams of a node know of a version of a resource, extension configs apart (theirs are NodeVerdicts). A resource
 * may have one in each state: version 2 is sent while version 1 is acked.
 */
export interface ResourceState {
  readonly typeUrl: string;
  readonly name: string;
  /** Empty: its removal; with `asked`, none. */
  readonly version: string;
  /** asked: a stream wants it. sent: out, not answered. acked: the node has it. nacked: refused, and not superseded. */
  readonly state: 'asked' | 'sent' | 'acked' | 'nacked';
  /** When it was sent, ms; null: the node brought it as it connected. */
  readonly at: number | null;
  /** Envoy's text, with `nacked`. */
  readonly message?: string;
}

/** The one door from the status of nodes to their streams. */
export interface ResourceStates {
  /** Of all streams of the node; nothing for a node without one. */
  of(nodeId: string): Iterable<ResourceState>;
}

/** The part of a subscription that is read here; every stream of every variant keeps one per type. */
export interface SubscriptionFacts {
  readonly wildcard: boolean;
  readonly names: ReadonlySet<string>;
  readonly has: ReadonlyMap<string, string>;
  readonly inFlight:
    | {
        readonly sent: ReadonlyMap<string, string>;
        readonly removed: readonly string[];
        readonly at: number;
      }
    | undefined;
  readonly refused: ReadonlyMap<string, { readonly version: string; readonly message: string }>;
  /** When the version of a name that was sent last went out, ms. */
  readonly sentAt: ReadonlyMap<string, number>;
}

/** As a name in a state: all resources of the type. */
export const EVERY_NAME = '*';

/** The states of the resources of one type on one stream. */
export function* statesOf(typeUrl: string, facts: SubscriptionFacts): Iterable<ResourceState> {
  const { has, inFlight, refused, sentAt } = facts;
  for (const name of facts.wildcard ? [EVERY_NAME, ...facts.names] : facts.names)
    yield { typeUrl, name, version: '', state: 'asked', at: null };
  // Where nobody knows which version a client has, it is sent one.
  for (const [name, version] of has)
    if (version !== '') yield { typeUrl, name, version, state: 'acked', at: sentAt.get(name) ?? null };
  for (const [name, { version, message }] of refused)
    yield { typeUrl, name, version, state: 'nacked', at: sentAt.get(name) ?? null, message };
  if (inFlight === undefined) return;
  const { at } = inFlight;
  for (const [name, version] of inFlight.sent) yield { typeUrl, name, version, state: 'sent', at };
  // A name that never existed is answered as removed too: that is no state of a resource.
  for (const name of inFlight.removed)
    if (has.has(name) || refused.has(name)) yield { typeUrl, name, version: '', state: 'sent', at };
}
