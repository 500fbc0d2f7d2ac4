import type { NodeIdentity } from './node.ts';

/*
 * What every resource of a node is to be and how far it got: the words of CSDS, as plain data.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/status/v3/csds.proto
 */

/**
 * UNKNOWN: the node is not connected, or has not been since our start. NOT_SENT: wanted, not sent yet. STALE: sent, not answered.
 * SYNCED: sent and ACKed, which is all that it says. ERROR: sent and refused.
 */
export type ConfigStatus = 'UNKNOWN' | 'SYNCED' | 'NOT_SENT' | 'STALE' | 'ERROR';

export interface NodeConfig {
  readonly node: NodeIdentity;
  /** In the order of the types, then by name. */
  readonly resources: readonly ResourceConfig[];
}

/** One resource of one node. */
export interface ResourceConfig {
  readonly typeUrl: string;
  readonly name: string;
  readonly status: ConfigStatus;
  /** A stream of the node asks for it, by its name or for all of its type. An Envoy asks for endpoints, routes and secrets that it uses. */
  readonly asked: boolean;
  /** What the node is to have; null: the resource is to go. */
  readonly wantedVersion: string | null;
  /** What was sent last, whatever came of it; null: nothing was, or it was its removal. */
  readonly sentVersion: string | null;
  /** What it has accepted; null: nothing that we know of. */
  readonly ackedVersion: string | null;
  /** When what `status` is about was sent or answered, ms; null: nothing was, or the Envoy brought it as it connected. */
  readonly at: number | null;
  /** Only with ERROR. */
  readonly refused: RefusedConfig | null;
  /**
   * The serialized google.protobuf.Any of the version that `status` is about. null: a secret, which is never shown; a version that
   * is not wanted any more; or none.
   */
  readonly config: Uint8Array | null;
}

export interface RefusedConfig {
  readonly version: string;
  /** Envoy's text. */
  readonly message: string;
  /** ms; null: not known. */
  readonly at: number | null;
}

/** The version that the status of a resource is about; empty: none. */
export function versionOf({
  status,
  wantedVersion,
  sentVersion,
  ackedVersion,
  refused,
}: ResourceConfig): string {
  if (status === 'ERROR') return refused?.version ?? '';
  if (status === 'STALE') return sentVersion ?? '';
  if (status === 'SYNCED') return ackedVersion ?? '';
  return wantedVersion ?? '';
}

/** The status of a node as it stands now; undefined: no such node. Filled by xds, used by api. */
export type ReadNodeConfig = (nodeId: string) => NodeConfig | undefined;
