/** An Envoy, by node.id, as its own node message describes it: all of it claims, but the id where it was proven. */
export interface NodeIdentity {
  readonly id: string;
  readonly cluster: string;
  /** From `node.metadata.NAMESPACE` or `namespace`; default `default`. */
  readonly namespace: string;
  /** From `node.metadata.LABELS` or `labels`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly zone: string;
  /** `1.40.0`; empty when the node does not say. */
  readonly envoyVersion: string;
  readonly capabilities: NodeCapabilities;
  /** From `node.metadata.attache`, written by `attache bootstrap`. */
  readonly bootstrap: BootstrapFacts;
  /** Not from the node: namespace and labels that it says it has count only where a NodePolicy says so. */
  readonly claims?: 'ignored';
}

export interface NodeCapabilities {
  /** node.extensions lists envoy.filters.http.filter_chain: the chain layout. */
  readonly filterChain: boolean;
  /** node.extensions lists the Wasm filter and the V8 runtime. */
  readonly wasm: boolean;
  /** FAIL_RELOAD exists (Envoy 1.33 and later). */
  readonly failReload: boolean;
}

export interface BootstrapFacts {
  /** `deny`: the slots of the bootstrap's own listeners have no fetch timeout. */
  readonly unanswered?: 'deny' | 'allow';
  /** The bootstrap's own listeners, so that `match` can choose among them. */
  readonly listeners?: readonly ListenerFacts[];
}

/** What `match` and targetRefs need to know of a listener. */
export interface ListenerFacts {
  readonly name: string;
  readonly port: number;
  /** INBOUND matches mode SERVER; OUTBOUND and UNSPECIFIED match CLIENT. */
  readonly trafficDirection: 'UNSPECIFIED' | 'INBOUND' | 'OUTBOUND';
}

/** An Envoy answers in milliseconds, and in a second or two when it has much to load. */
export const SILENT_AFTER_MS = 5_000;

/** Written by the xds stage, coalesced; what is known of a node now or was known last. */
export interface NodePresence {
  readonly node: NodeIdentity;
  /** Random name of this run of the Envoy (16 hex digits); a stream that brings no versions begins a new one. */
  readonly process: string;
  readonly connected: boolean;
  /** When `connected` last changed. */
  readonly since: number;
  /** Of what the records of its places do not tell (see lastAckOf); written once a second at most. */
  readonly lastAckAt?: number;
  /** It is connected and has not answered what was sent to it then, for SILENT_AFTER_MS at least. */
  readonly silentSince?: number;
  readonly firstSeenAt: number;
  /** Slot names that this process asked for. */
  readonly slots: readonly string[];
  /** Resources of other types that this node refused, kept until superseded. */
  readonly nacks: readonly ResourceNack[];
  /** Only where several Envoys are connected with this node.id: all of them; the rest is about the last one. */
  readonly envoys?: readonly ConnectedEnvoy[];
  /** Several were at some time since this process began. */
  readonly shared?: boolean;
}

/** One of several Envoys with one node.id. */
export interface ConnectedEnvoy {
  /** Where it connected from, `HOST:PORT`. */
  readonly address: string;
  readonly since: number;
  readonly envoyVersion: string;
}

export interface ResourceNack {
  readonly typeUrl: string;
  readonly name: string;
  readonly version: string;
  readonly message: string;
  readonly at: number;
}
