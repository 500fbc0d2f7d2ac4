import { type OciReference, parseModuleReference } from '../model/module-reference.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import { ModuleError } from './module-error.ts';
import { type RegistryAccess, toPersonalOptions } from './personal-registry.ts';
import { pushManifest } from './push-artifact.ts';
import { createRegistryClient } from './registry-client.ts';

export interface TagArtifactRequest extends RegistryAccess {
  /** `HOST[:PORT]/NAME[:TAG][@DIGEST]` */
  readonly reference: string;
  readonly tag: string;
}

/** Gives what a reference names another tag in its repository. Throws ModuleError. */
export async function tagArtifact(request: TagArtifactRequest): Promise<{ readonly digest: string }> {
  const reference = toRegistryReference(request.reference);
  const client = createRegistryClient(toPersonalOptions(request, reference.host));
  const { signal } = new AbortController();
  try {
    const named = reference.digest ?? reference.tag ?? 'latest';
    const { bytes, contentType, digest } = await client.getManifest(reference, named, signal);
    const mediaType = findMediaType(bytes, contentType);
    await pushManifest(client, reference, request.tag, { bytes, mediaType, digest }, signal);
    return { digest };
  } finally {
    await client.close();
  }
}

/** Throws `bad-reference` for what is in no registry. */
export function toRegistryReference(text: string): OciReference {
  const reference = parseModuleReference(text);
  if (reference.scheme === 'oci') return reference;
  throw new ModuleError('bad-reference', `${text}: that is in no registry`, {
    hint: 'Write HOST[:PORT]/NAME:TAG.',
  });
}

/** Its own type, where it has one that we know: a registry refuses it under another. */
function findMediaType(bytes: Uint8Array, contentType: string): string {
  try {
    const { mediaType } = JSON.parse(Buffer.from(bytes).toString()) as { mediaType?: unknown };
    if (typeof mediaType === 'string' && MANIFEST_TYPES.includes(mediaType)) return mediaType;
  } catch {
    // What is not JSON is the registry's to refuse.
  }
  return contentType;
}
