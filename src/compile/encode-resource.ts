import { type JsonObject, sha256Hex } from '../model/plugin-spec.ts';
import type { EncodedResource } from '../model/resource.ts';
import type { ProtoRegistry } from './proto-registry.ts';

/** One Envoy resource as bytes, named by the hash of them. Throws CompileError with pointers into `json`. */
export function encodeResource(
  registry: ProtoRegistry,
  resource: { typeUrl: string; name: string; json: JsonObject },
): EncodedResource {
  const any = registry.encodeAny(resource.json);
  return { typeUrl: resource.typeUrl, name: resource.name, version: sha256Hex(any).slice(0, 32), any };
}
