import { type JsonObject, sha256Hex } from '../model/plugin-spec.ts';
import type { EncodedResource } from '../model/resource.ts';
import type { ProtoRegistry } from './proto-registry.ts';

/** One Envoy resource as bytes. Throws CompileError with pointers into `json`. */
export function encodeResource(
  registry: ProtoRegistry,
  resource: { typeUrl: string; name: string; json: JsonObject },
): EncodedResource {
  return toEncoded(resource.typeUrl, resource.name, registry.encodeAny(resource.json));
}

/** Named by the hash of its bytes, a serialized google.protobuf.Any. */
export function toEncoded(typeUrl: string, name: string, any: Uint8Array): EncodedResource {
  return { typeUrl, name, version: sha256Hex(any).slice(0, 32), any };
}
