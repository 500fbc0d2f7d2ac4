import { parseModuleReference } from '../model/module-reference.ts';
import { ModuleError } from './module-error.ts';
import type { Artifact, BuiltManifest } from './push-layout.ts';
import type { RegistryClient, Repository } from './registry-client.ts';
import { toResponseError } from './response-error.ts';
import { toDigest } from './verify-digest.ts';

/**
 * Pushes blobs that are not there yet, then manifests, the tag last. Throws ModuleError; `push-failed` where a step is
 * refused.
 */
export async function pushArtifact(
  client: RegistryClient,
  repository: Repository,
  tag: string,
  { blobs, manifests }: Artifact,
  signal: AbortSignal,
): Promise<void> {
  for (const blob of blobs) await pushBlob(client, repository, blob, signal);
  for (const [i, manifest] of manifests.entries()) {
    const isLast = i === manifests.length - 1;
    await pushManifest(client, repository, isLast ? tag : manifest.digest, manifest, signal);
  }
}

/** Throws ModuleError `push-failed`, also where the registry took other bytes than it was sent. */
export async function pushManifest(
  client: RegistryClient,
  repository: Repository,
  reference: string,
  { bytes, mediaType, digest }: BuiltManifest,
  signal: AbortSignal,
): Promise<void> {
  const what = `pushing ${repository.host}/${repository.repository}:${reference}`;
  const response = await client.send({
    repository,
    path: `manifests/${reference}`,
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: bytes,
    actions: 'pull,push',
    signal,
  });
  // Some registries answer 200 or 202.
  if (response.status < 200 || response.status > 202)
    throw toPushError(await toResponseError(response, what));
  response.drop();
  const taken = response.headers['docker-content-digest'];
  if (typeof taken === 'string' && taken.startsWith('sha256:') && taken !== digest)
    throw new ModuleError('push-failed', `${what}: the registry took ${taken}, it was sent ${digest}`, {
      hint: 'Something between changed the bytes. Push again.',
    });
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
