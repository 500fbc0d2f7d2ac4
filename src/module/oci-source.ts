import type { OciReference } from '../model/module-reference.ts';
import type { ModuleSignature } from '../model/module-signature.ts';
import type { BlobCache, WrittenBlob } from './blob-cache.ts';
import { MAX_MODULE_BYTES, moduleTooBig } from './check-module.ts';
import type { BroughtModule } from './fetch-module.ts';
import { findModule, type ModulePlace } from './find-module.ts';
import { keepModule, lostFromCache } from './keep-module.ts';
import { chooseChild, type Descriptor, type ImageManifest, parseManifest } from './manifest.ts';
import { ModuleError } from './module-error.ts';
import type { RegistryClient } from './registry-client.ts';
import type { SignedDigests } from './signature/check-signature.ts';
import { InflateBudget, unpackModule } from './unpack.ts';
import { wrongDigest } from './verify-digest.ts';

const MAX_LAYER_BYTES = 256 << 20;
/** Of the layers that are looked into, as the manifest declares them: 100 of them at their limit would be 25 GB. */
const MAX_LAYERS_BYTES = 512 << 20;
/** An index in an index is the deepest. */
const MAX_NESTING = 2;

interface Resolved {
  readonly referenceDigest: string;
  readonly manifestDigest: string;
  readonly manifest: ImageManifest;
  readonly mirror: string | undefined;
  readonly passedOver: readonly string[];
}

/**
 * Resolves a reference, finds the module in the artifact and brings it into the cache; layers that the cache has are
 * not asked for again. `sha256` (hex) pins the digest of the index or the manifest. `checkSignature` is asked before
 * anything is unpacked, and throws what must not go on. Throws ModuleError.
 */
export async function bringFromRegistry(
  client: RegistryClient,
  cache: BlobCache,
  reference: OciReference,
  sha256: string | undefined,
  checkSignature: (digests: SignedDigests) => Promise<ModuleSignature | undefined>,
  signal: AbortSignal,
): Promise<BroughtModule> {
  const what = `${reference.host}/${reference.repository}:${reference.digest ?? reference.tag}`;
  const resolved = await resolve(client, reference, what, signal);
  const { referenceDigest, manifestDigest } = resolved;
  const pinned = sha256 === undefined ? undefined : `sha256:${sha256}`;
  if (pinned !== undefined && pinned !== referenceDigest && pinned !== manifestDigest)
    throw wrongDigest(what, pinned, referenceDigest);
  const signature = await checkSignature({ referenceDigest, manifestDigest });
  const place = findModule(resolved.manifest, what);
  const module = await takeModule(client, cache, reference, place, signal);
  return {
    ...module,
    layout: place.layout,
    referenceDigest,
    manifestDigest,
    ...(resolved.mirror === undefined ? {} : { mirror: resolved.mirror }),
    ...(resolved.passedOver.length === 0 ? {} : { passedOver: resolved.passedOver }),
    ...(signature === undefined ? {} : { signature }),
  };
}

async function resolve(
  client: RegistryClient,
  reference: OciReference,
  what: string,
  signal: AbortSignal,
): Promise<Resolved> {
  const first = reference.digest ?? reference.tag ?? 'latest';
  let received = await client.getManifest(reference, first, signal);
  const { digest: referenceDigest, mirror, passedOver } = received;
  for (let depth = 0; ; depth++) {
    const parsed = parseManifest(received.bytes, received.contentType, what);
    if (parsed.kind === 'manifest')
      return { referenceDigest, manifestDigest: received.digest, manifest: parsed, mirror, passedOver };
    if (depth === MAX_NESTING)
      throw new ModuleError('bad-manifest', `${what}: indexes in indexes, deeper than ${MAX_NESTING}`, {
        hint: 'Name the manifest itself: append @sha256:… to the URL.',
      });
    received = await client.getManifest(reference, chooseChild(parsed, what).digest, signal);
  }
}

async function takeModule(
  client: RegistryClient,
  cache: BlobCache,
  reference: OciReference,
  place: ModulePlace,
  signal: AbortSignal,
): Promise<WrittenBlob> {
  if (place.kind === 'raw') {
    if (place.layer.sizeBytes > MAX_MODULE_BYTES) throw moduleTooBig(place.layer.sizeBytes);
    const sha256 = await bringLayer(client, cache, reference, place.layer, MAX_MODULE_BYTES, signal);
    return { sha256, sizeBytes: await measureModule(cache, sha256) };
  }
  checkSizes(place.layers, reference);
  const budget = new InflateBudget();
  for (const layer of place.layers) {
    const sha256 = await bringLayer(client, cache, reference, layer, MAX_LAYER_BYTES, signal);
    const blob = await cache.open(sha256);
    if (blob === undefined) throw lostFromCache(sha256);
    try {
      const unpacked = await unpackModule(blob.file.createReadStream({ autoClose: false }), budget);
      if (unpacked !== undefined) return await keepModule(cache, unpacked.bytes);
    } finally {
      await blob.file.close();
    }
  }
  throw new ModuleError('no-module', `${reference.repository}: no layer holds a plugin.wasm or any *.wasm`, {
    hint: 'Check that the URL names a plugin. To push one: attache push FILE.wasm HOST/NAME:TAG',
  });
}

/** A blob that was here before can have another size than the descriptor says. */
async function measureModule(cache: BlobCache, sha256: string): Promise<number> {
  const blob = await cache.open(sha256);
  if (blob === undefined) throw lostFromCache(sha256);
  await blob.file.close();
  if (blob.sizeBytes > MAX_MODULE_BYTES) throw moduleTooBig(blob.sizeBytes);
  return blob.sizeBytes;
}

/** Refused before a byte of them is asked for; what is received is held against the declared size. */
function checkSizes(layers: readonly Descriptor[], { host, repository }: OciReference): void {
  const total = layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const large = layers.find(({ sizeBytes }) => sizeBytes > MAX_LAYER_BYTES);
  if (large === undefined && total <= MAX_LAYERS_BYTES) return;
  const what =
    large === undefined
      ? `layers of ${total} bytes together, more than ${MAX_LAYERS_BYTES}`
      : `a layer of ${large.sizeBytes} bytes, more than ${MAX_LAYER_BYTES}`;
  throw new ModuleError('too-big', `${host}/${repository}: ${what}`, {
    hint: 'Push the module alone, without the rest of the image: attache push FILE.wasm HOST/NAME:TAG',
  });
}

/**
 * The layer's sha256, once it is in the cache. Two plugins that want one layer at once download it once; a download that
 * somebody else began and that failed says nothing about this source.
 */
async function bringLayer(
  client: RegistryClient,
  cache: BlobCache,
  reference: OciReference,
  layer: Descriptor,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const hex = layer.digest.startsWith('sha256:') ? layer.digest.slice('sha256:'.length) : undefined;
  if (hex !== undefined && (await cache.has(hex))) return hex;
  let isOwn = false;
  const download = async (): Promise<string> => {
    isOwn = true;
    // The cache hashes all that it writes: for a digest of its own kind once is enough.
    const written =
      hex === undefined
        ? cache.write(client.getBlob(reference, layer, signal), { maxBytes })
        : cache.write(client.receiveBlob(reference, layer, signal), { maxBytes, expected: hex });
    return (await written).sha256;
  };
  try {
    return await cache.once(layer.digest, download);
  } catch (error) {
    if (isOwn || signal.aborted) throw error;
  }
  return bringLayer(client, cache, reference, layer, maxBytes, signal);
}
