import type { PushLayout } from '../model/artifact-layout.ts';
import { sha256Hex } from '../model/plugin-spec.ts';
import { type RegistryAccess, toPersonalOptions } from './personal-registry.ts';
import { parsePushReference, pushArtifact } from './push-artifact.ts';
import { buildArtifact } from './push-layout.ts';
import { createRegistryClient } from './registry-client.ts';

export interface PushModuleRequest extends RegistryAccess {
  readonly bytes: Uint8Array;
  /** `HOST[:PORT]/NAME[:TAG]`, without a scheme; `latest` without a tag. */
  readonly reference: string;
  /** Default `cncf`. */
  readonly layout?: PushLayout;
  /** By their full names. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** What is written as the time of creation, ms; default 0, so that the digests are the same at any time. */
  readonly createdMs?: number;
}

export interface PushedModule {
  /** `sha256:<hex>` of what the tag names: a manifest or an index. */
  readonly manifestDigest: string;
  /** Hex. */
  readonly moduleSha256: string;
}

/** Pushes module bytes to a registry, for a person who named both. Throws ModuleError. */
export async function pushModule(request: PushModuleRequest): Promise<PushedModule> {
  const { bytes, layout = 'cncf', annotations = {}, createdMs = 0 } = request;
  const { repository, tag } = parsePushReference(request.reference);
  const artifact = buildArtifact(bytes, { layout, annotations, createdMs });
  const client = createRegistryClient(toPersonalOptions(request, repository.host));
  try {
    await pushArtifact(client, repository, tag, artifact, new AbortController().signal);
  } finally {
    await client.close();
  }
  return { manifestDigest: artifact.manifests.at(-1)?.digest ?? '', moduleSha256: sha256Hex(bytes) };
}
