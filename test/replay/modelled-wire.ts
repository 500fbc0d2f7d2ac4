import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import type { JsonObject, JsonValue } from '../../src/model/plugin-spec.ts';

/** A plugin in a place: Envoy's name for it, its module, and where that is fetched. */
export interface PlacePart {
  readonly plugin: string;
  readonly sha256: string;
  /** With capability and tag. */
  readonly path: string;
}

const registry = new ProtoRegistry();
const places = new Map<string, readonly string[]>();

/** The bytes of the Node by which a modelled Envoy is known. */
export function encodeNode(node: {
  readonly id: string;
  readonly zone: string;
  readonly namespace: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
}): Uint8Array {
  const [major = 1, minor = 0, patch = 0] = node.version.split('.').map(Number);
  const extensions = ['envoy.filters.http.filter_chain', 'envoy.filters.http.wasm', 'envoy.wasm.runtime.v8'];
  return registry.encode('envoy.config.core.v3.Node', {
    id: node.id,
    cluster: 'edge',
    metadata: { NAMESPACE: node.namespace, LABELS: node.labels },
    userAgentName: 'envoy',
    userAgentBuildVersion: { version: { majorNumber: major, minorNumber: minor, patch } },
    extensions: extensions.map(name => ({ name })),
  });
}

/** Names of the places of a listener. Each fleet has one listener: it is read once. */
export function placesOf(listener: Uint8Array): readonly string[] {
  const key = Buffer.from(listener).toString('base64');
  const known = places.get(key);
  if (known !== undefined) return known;
  const found = objectsIn(registry.decodeAny(listener)).flatMap(it =>
    it.configDiscovery === undefined ? [] : [String(it.name)],
  );
  places.set(key, found);
  return found;
}

/** What an Envoy is to run in a place, and whether a module that it does not have makes it say no. */
export function readPlace(any: Uint8Array): {
  readonly parts: readonly PlacePart[];
  readonly isVerdict: boolean;
} {
  const configs = objectsIn(registry.decodeAny(any)).filter(it => it.vmConfig !== undefined);
  const parts = configs.flatMap(config => {
    const remote = objectsIn(config.vmConfig ?? null).find(it => it.httpUri !== undefined);
    const uri = objectsIn(remote ?? null).find(it => it.uri !== undefined)?.uri;
    if (remote === undefined || typeof uri !== 'string') return [];
    const { pathname, search } = new URL(uri);
    return [{ plugin: String(config.name), sha256: String(remote.sha256), path: pathname + search }];
  });
  const isVerdict = configs.some(config =>
    objectsIn(config.vmConfig ?? null).some(it => it.nackOnCodeCacheMiss === true),
  );
  return { parts, isVerdict };
}

/** The value and all that is in it, where it is an object. */
function objectsIn(value: JsonValue): readonly JsonObject[] {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.values(value).flatMap(part => objectsIn(part as JsonValue));
  return Array.isArray(value) ? inside : [value as JsonObject, ...inside];
}
