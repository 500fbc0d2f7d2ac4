import { type Descriptor, parseManifest } from '../manifest.ts';
import { ModuleError } from '../module-error.ts';
import { readBounded } from '../read-bounded.ts';
import type { ReceivedManifest, RegistryClient, Repository } from '../registry-client.ts';
import { listReferrers, parseReferrers, type Referrers, toReferrers } from './referrers.ts';
import { isSignatureLayer, SIGNATURE_ANNOTATION, SIMPLE_SIGNING_LAYER } from './signature-types.ts';
import type { Candidate } from './verify-candidate.ts';

/** What is read of one digest's signatures at most; where a registry holds more, that is told. */
export interface SignatureBounds {
  readonly manifests: number;
  readonly layers: number;
  readonly layerBytes: number;
}

export const SIGNATURE_BOUNDS: SignatureBounds = { manifests: 64, layers: 64, layerBytes: 1 << 20 };

/**
 * Everything a registry holds that may be a signature of a digest (`sha256:<hex>`), one after the other, so that who
 * has found enough can stop: referrers (by the API, else by the tag `sha256-<hex>`), then cosign's tag
 * `sha256-<hex>.sig`. What is broken is a candidate too. Throws ModuleError where the registry does not answer.
 */
export async function* findSignatures(
  client: RegistryClient,
  repository: Repository,
  digest: string,
  signal: AbortSignal,
  bounds: SignatureBounds = SIGNATURE_BOUNDS,
): AsyncGenerator<Candidate> {
  const left = { manifests: bounds.manifests, layers: bounds.layers };
  const tag = digest.replace(':', '-');
  const referrers =
    (await listReferrers(client, repository, digest, signal)) ??
    (await listByTag(client, repository, tag, signal));
  for (const referrer of referrers.digests) {
    if (left.manifests-- === 0) return void (yield cut(`more than ${bounds.manifests} artifacts`));
    yield* readManifest(referrer);
  }
  if (referrers.isCut) yield cut('too many artifacts');
  yield* readManifest(`${tag}.sig`);

  async function* readManifest(reference: string): AsyncGenerator<Candidate> {
    const received = await getManifest(client, repository, reference, signal);
    if (received === undefined) return;
    if ('kind' in received) return void (yield received);
    const layers = readLayers(received, reference);
    if ('kind' in layers) return void (yield layers);
    for (const layer of layers) {
      if (left.layers-- <= 0) return void (yield cut(`more than ${bounds.layers} layers`));
      yield await readLayer(client, repository, layer, bounds.layerBytes, signal);
    }
  }
}

/** The client-side list of referrers. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema */
async function listByTag(
  client: RegistryClient,
  repository: Repository,
  tag: string,
  signal: AbortSignal,
): Promise<Referrers> {
  const received = await getManifest(client, repository, tag, signal);
  if (received === undefined || 'kind' in received) return { digests: [], isCut: received !== undefined };
  return toReferrers(parseReferrers(received.bytes) ?? [], false);
}

/** Undefined: there is none. */
async function getManifest(
  client: RegistryClient,
  repository: Repository,
  reference: string,
  signal: AbortSignal,
): Promise<ReceivedManifest | Candidate | undefined> {
  try {
    return await client.getManifest(repository, reference, signal);
  } catch (error) {
    const isTag = !reference.includes(':');
    if (isTag && error instanceof ModuleError && error.code === 'module-not-found') return undefined;
    return toBroken(error);
  }
}

/** The layers that may hold signatures; an artifact of something else has none. */
function readLayers(
  { bytes, contentType }: ReceivedManifest,
  reference: string,
): readonly Descriptor[] | Candidate {
  try {
    const manifest = parseManifest(bytes, contentType, reference);
    if (manifest.kind === 'index') return [];
    return manifest.layers.filter(({ mediaType }) => isSignatureLayer(mediaType));
  } catch (error) {
    return toBroken(error);
  }
}

async function readLayer(
  client: RegistryClient,
  repository: Repository,
  layer: Descriptor,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Candidate> {
  if (layer.sizeBytes > maxBytes)
    return { kind: 'broken', why: `a signature of ${layer.sizeBytes} bytes, more than ${maxBytes}` };
  try {
    const blob = client.getBlob(repository, layer, signal);
    const bytes = await readBounded(blob, maxBytes, 'a signature');
    if (layer.mediaType !== SIMPLE_SIGNING_LAYER) return { kind: 'bundle', bytes };
    const signature = layer.annotations[SIGNATURE_ANNOTATION];
    return { kind: 'simple-signing', payload: bytes, signature };
  } catch (error) {
    return toBroken(error);
  }
}

const BROKEN: readonly string[] = [
  'module-not-found',
  'wrong-digest',
  'bad-manifest',
  'too-big',
  'request-refused',
];

/** One bad artifact must not hide a good one. What is about the registry as a whole is thrown on. */
function toBroken(error: unknown): Candidate {
  if (error instanceof ModuleError && BROKEN.includes(error.code))
    return { kind: 'broken', why: `a signature cannot be read: ${error.message}` };
  throw error;
}

function cut(what: string): Candidate {
  return { kind: 'broken', why: `${what} are attached; the rest was not read` };
}
