import { parseModuleReference } from '../model/module-reference.ts';
import { sha256Hex, toCanonicalJson } from '../model/plugin-spec.ts';
import {
  CREATED_ANNOTATION,
  OCI_MANIFEST,
  TITLE_ANNOTATION,
  WASM_CONFIG,
  WASM_LAYER,
} from './media-types.ts';
import { ModuleError } from './module-error.ts';
import type { RegistryClient, Repository } from './registry-client.ts';
import { toResponseError } from './response-error.ts';
import { toDigest } from './verify-digest.ts';

export interface PushedModule {
  /** `sha256:<hex>` */
  readonly manifestDigest: string;
  /** Hex. */
  readonly moduleSha256: string;
}

/** The artifact for a module: config, the layer that is the module, and the manifest over both. */
export interface ModuleArtifact {
  readonly config: Uint8Array;
  readonly manifest: Uint8Array;
}

/**
 * The CNCF layout, byte for byte the same for the same module.
 * https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
 */
export function buildArtifact(bytes: Uint8Array): ModuleArtifact {
  const created = '1970-01-01T00:00:00Z';
  const digest = toDigest(bytes);
  const config = encode({ architecture: 'wasm', created, layerDigests: [digest], os: 'wasip1' });
  const layer = {
    mediaType: WASM_LAYER,
    digest,
    size: bytes.length,
    annotations: { [TITLE_ANNOTATION]: 'plugin.wasm' },
  };
  const manifest = encode({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: WASM_CONFIG, digest: toDigest(config), size: config.length },
    layers: [layer],
    annotations: { [CREATED_ANNOTATION]: created },
  });
  return { config, manifest };
}

/** Pushes a module as an OCI artifact, the tag last. Throws ModuleError; `push-failed` where a step is refused. */
export async function pushArtifact(
  client: RegistryClient,
  repository: Repository,
  tag: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<PushedModule> {
  const { config, manifest } = buildArtifact(bytes);
  for (const blob of [bytes, config]) await pushBlob(client, repository, blob, signal);
  const response = await client.send({
    repository,
    path: `manifests/${tag}`,
    method: 'PUT',
    headers: { 'content-type': OCI_MANIFEST },
    body: manifest,
    actions: 'pull,push',
    signal,
  });
  const what = `pushing ${repository.host}/${repository.repository}:${tag}`;
  if (response.status !== 201) throw toPushError(await toResponseError(response, what));
  response.drop();
  return { manifestDigest: toDigest(manifest), moduleSha256: sha256Hex(bytes) };
}

async function pushBlob(
  client: RegistryClient,
  repository: Repository,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const digest = toDigest(bytes);
  const what = `pushing blob ${digest} to ${repository.host}/${repository.repository}`;
  const common = { repository, actions: 'pull,push', signal } as const;
  const head = await client.send({ ...common, path: `blobs/${digest}`, method: 'HEAD' });
  head.drop();
  if (head.status === 200) return;
  const start = await client.send({ ...common, path: 'blobs/uploads/', method: 'POST' });
  if (start.status !== 202) throw toPushError(await toResponseError(start, what));
  start.drop();
  const { location } = start.headers;
  if (typeof location !== 'string' || !URL.canParse(location, start.url.href))
    throw new ModuleError('push-failed', `${what}: the registry named no place to upload to`, {
      hint: CHECK,
    });
  const url = new URL(location, start.url);
  // Credentials go to the registry alone.
  if (url.origin !== start.url.origin)
    throw new ModuleError('push-failed', `${what}: the registry sends uploads elsewhere, to ${url.host}`, {
      hint: CHECK,
    });
  url.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const end = await client.send({ ...common, path: url, method: 'PUT', headers, body: bytes });
  if (end.status !== 201) throw toPushError(await toResponseError(end, what));
  end.drop();
}

const CHECK = 'Check that the reference names a registry, and not a web site or a proxy.';

/** What is final when pulling is worded for pulling. */
function toPushError(error: ModuleError): ModuleError {
  if (error.transient) return error;
  const hint =
    error.code === 'denied' || error.code === 'unauthorized'
      ? 'Log in with an account that may push.'
      : CHECK;
  return new ModuleError('push-failed', error.message, { cause: error, hint });
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(toCanonicalJson(value));
}

/** Reads `HOST[:PORT]/NAME[:TAG]`; throws `bad-reference` from parseModuleReference. */
export function parsePushReference(reference: string): {
  readonly repository: Repository;
  readonly tag: string;
} {
  const parsed = parseModuleReference(`oci://${reference}`);
  if (parsed.scheme !== 'oci' || parsed.tag === undefined || parsed.digest !== undefined)
    throw new ModuleError('bad-reference', `${reference}: a push needs a tag, not a digest`, {
      hint: 'Write HOST[:PORT]/NAME:TAG.',
    });
  return { repository: parsed, tag: parsed.tag };
}
