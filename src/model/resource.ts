import type { JsonObject } from './plugin-spec.ts';

/** A raw Envoy resource of the user: an EnvoyResource document or the bare Envoy YAML. Written by the api. */
export interface ResourceSpec {
  /** `listeners`, `clusters` …: the plural of its row in the type table. */
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
  /** The proto3 JSON form, `@type` included; secrets in it are REDACTED where it is `sealed`. */
  readonly resource: JsonObject;
  /** The resource with its secrets, encrypted: see sealResource. Absent: there are none in it. */
  readonly sealed?: string;
  /** `allow`: 15 s and an open default for the slots of this listener. Default `deny`. */
  readonly unanswered?: 'deny' | 'allow';
  readonly message?: string;
  readonly createdAt: number;
}

/** `<type>/<namespace>/<name>`: the key in the store. */
export function resourceKey(of: Pick<ResourceSpec, 'type' | 'namespace' | 'name'>): string {
  return `${of.type}/${of.namespace}/${of.name}`;
}

/** Oldest first; of equal age by key. */
export function compareAge(a: ResourceSpec, b: ResourceSpec): number {
  const [one, other] = [resourceKey(a), resourceKey(b)];
  return a.createdAt - b.createdAt || (one < other ? -1 : one > other ? 1 : 0);
}

/** One Envoy resource as encoded bytes. Encoded once; its version is the hash of those bytes. */
export interface EncodedResource {
  readonly typeUrl: string;
  /** The Envoy name, which is the subscription name. */
  readonly name: string;
  readonly version: string;
  /** The serialized google.protobuf.Any. */
  readonly any: Uint8Array;
}

/** Checks and encodes a user's resource; faults have pointers into `resource`. Filled by compile, used by api. */
export type CheckResource = (spec: ResourceSpec) => Promise<CheckedResource>;

export interface CheckedResource {
  readonly typeUrl: string;
  readonly envoyName: string;
  readonly warnings: readonly string[];
  /** JSON pointers into `resource` of what must not be shown again. */
  readonly sensitive: readonly string[];
}

/** The name by which Envoy asks for a resource: `cluster_name` of an endpoint assignment, else `name`. */
export function toEnvoyName(resource: JsonObject): string | undefined {
  const type = resource['@type'];
  const isAssignment = typeof type === 'string' && type.endsWith('.ClusterLoadAssignment');
  const name = isAssignment ? (resource.cluster_name ?? resource.clusterName) : resource.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
}
