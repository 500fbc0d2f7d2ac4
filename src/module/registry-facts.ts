import type { BlobCache } from './blob-cache.ts';
import type { RegistryDigests } from './registry-digests.ts';
import { type ManifestFacts, parsePushedManifest } from './registry-manifest.ts';

/** The limit of a manifest that is pushed; the specification asks for 4 MB at least. */
export const MAX_MANIFEST_BYTES = 4 << 20;
/** What is remembered, counted in bytes of the manifests that it was read from. */
const MAX_REMEMBERED_BYTES = 32 << 20;

/** What manifests say, read from the cache when first asked for; what was not asked for longest is forgotten. */
export class RegistryFacts {
  readonly #cache: BlobCache;
  readonly #digests: RegistryDigests;
  readonly #known = new Map<string, { readonly facts: ManifestFacts; readonly sizeBytes: number }>();
  #sizeBytes = 0;

  constructor(cache: BlobCache, digests: RegistryDigests) {
    this.#cache = cache;
    this.#digests = digests;
  }

  /** Undefined: its bytes are gone or damaged. */
  async read(digest: string, mediaType: string): Promise<ManifestFacts | undefined> {
    const known = this.#known.get(digest);
    if (known !== undefined) {
      this.#known.delete(digest);
      this.#known.set(digest, known);
      return known.facts;
    }
    const sha256 = await this.#digests.find(digest);
    const bytes = sha256 === undefined ? undefined : await this.#cache.read(sha256, MAX_MANIFEST_BYTES);
    const facts = bytes && parsePushedManifest(bytes, mediaType);
    if (bytes === undefined || facts === undefined || typeof facts === 'string') return undefined;
    this.#remember(digest, facts, bytes.length);
    return facts;
  }

  forget(digest: string): void {
    this.#sizeBytes -= this.#known.get(digest)?.sizeBytes ?? 0;
    this.#known.delete(digest);
  }

  #remember(digest: string, facts: ManifestFacts, sizeBytes: number): void {
    this.forget(digest);
    this.#known.set(digest, { facts, sizeBytes });
    this.#sizeBytes += sizeBytes;
    for (const oldest of this.#known.keys()) {
      if (this.#sizeBytes <= MAX_REMEMBERED_BYTES) return;
      this.forget(oldest);
    }
  }
}
