import type { Clock, RandomHex } from '../model/ports.ts';
import type { BlobCache } from './blob-cache.ts';
import { RegistryDigests } from './registry-digests.ts';
import { RegistryFacts } from './registry-facts.ts';
import type { RegistryFile } from './registry-file.ts';
import { openRegistryIndex } from './registry-index.ts';
import {
  addLoose,
  cameLately,
  deleteLoose,
  isLoose,
  type LooseBlobs,
  openLooseBlobs,
} from './registry-loose.ts';
import { type ManifestFacts, toNeededBlobs } from './registry-manifest.ts';
import { RegistryRefusal } from './registry-refusal.ts';
import {
  deleteManifest,
  deleteTag,
  findManifest,
  type HeldManifest,
  putManifest,
  type RegistryState,
} from './registry-state.ts';
import { Turns } from './turns.ts';

/** A manifest with what it says. */
export interface KnownManifest extends HeldManifest {
  readonly facts: ManifestFacts;
}

/** Hex sha256 of what repositories hold. A blob can be both. */
export interface RegistryHoldings {
  /** Manifests, and the blobs that they name. */
  readonly named: ReadonlySet<string>;
  /** Blobs that are a repository's for a while: before a manifest comes, or after it was deleted. */
  readonly loose: ReadonlySet<string>;
  /** False: a manifest that is listed cannot be read, so blobs that nothing else names may be its own. */
  readonly isWhole: boolean;
}

/**
 * What the repositories hold. Bytes are in the blob cache, one copy for all; a repository holds a blob while one of
 * its manifests names it, and for LOOSE_MS after it was pushed or mounted, or a manifest that named it was deleted.
 * What is pushed again counts from then only where half of that is over.
 * Deleting takes names away and never bytes: those may be another repository's, or a module that Envoys run.
 * A change is durable when it resolves, and changes of one repository come one after the other.
 */
export class RegistryContent {
  readonly digests: RegistryDigests;
  readonly #facts: RegistryFacts;
  readonly #index: RegistryFile<RegistryState>;
  readonly #loose: RegistryFile<LooseBlobs>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #turns = new Map<string, { readonly turns: Turns; users: number }>();

  constructor(cache: BlobCache, random: RandomHex, clock: Pick<Clock, 'now'>) {
    this.digests = new RegistryDigests(cache);
    this.#facts = new RegistryFacts(cache, this.digests);
    this.#index = openRegistryIndex(cache.directory, random);
    this.#loose = openLooseBlobs(cache.directory, random);
    this.#clock = clock;
  }

  state(): Promise<RegistryState> {
    return this.#index.read();
  }

  async findManifest(repository: string, reference: string): Promise<HeldManifest | undefined> {
    return findManifest(await this.#index.read(), repository, reference);
  }

  readFacts({ digest, mediaType }: HeldManifest): Promise<ManifestFacts | undefined> {
    return this.#facts.read(digest, mediaType);
  }

  /** Every manifest of a repository that can be read, in the order of their digests. */
  async manifests(repository: string): Promise<readonly KnownManifest[]> {
    const held = (await this.#index.read()).get(repository)?.manifests ?? new Map<string, HeldManifest>();
    const known: KnownManifest[] = [];
    for (const manifest of held.values()) {
      const facts = await this.readFacts(manifest);
      if (facts !== undefined) known.push({ ...manifest, facts });
    }
    return known.sort((a, b) => (a.digest < b.digest ? -1 : 1));
  }

  /** A repository exists while it holds anything. */
  async exists(repository: string): Promise<boolean> {
    return (await this.#index.read()).has(repository) || (await this.#loose.read()).has(repository);
  }

  async holdsBlob(repository: string, digest: string): Promise<boolean> {
    if (isLoose(await this.#loose.read(), repository, digest, this.#clock.now())) return true;
    return (await this.#findUser(repository, digest)) !== undefined;
  }

  /** Whether any repository holds it; `from` is asked first. */
  async isHeldAnywhere(digest: string, from: string | null): Promise<boolean> {
    if (from !== null) return this.holdsBlob(from, digest);
    const names = new Set([...(await this.#index.read()).keys(), ...(await this.#loose.read()).keys()]);
    for (const repository of names) if (await this.holdsBlob(repository, digest)) return true;
    return false;
  }

  /** The bytes must be in the cache. */
  addBlob(repository: string, digest: string): Promise<void> {
    const now = this.#clock.now();
    return this.#loose.change(blobs =>
      cameLately(blobs, repository, digest, now) ? blobs : addLoose(blobs, repository, [digest], now),
    );
  }

  /** Refuses what a manifest of the repository still needs. */
  deleteBlob(repository: string, digest: string): Promise<void> {
    return this.#inTurn(repository, async () => {
      const user = await this.#findUser(repository, digest);
      if (user !== undefined) throw inUse(digest, user);
      if (!(await this.holdsBlob(repository, digest))) throw blobUnknown(repository, digest);
      await this.#loose.change(blobs => deleteLoose(blobs, repository, digest));
    });
  }

  /** Refuses a manifest that names what is not there: nothing that is served would then be whole. */
  putManifest(
    repository: string,
    bytes: Buffer,
    digest: string,
    facts: ManifestFacts,
    tags: readonly string[],
  ): Promise<void> {
    return this.#inTurn(repository, async () => {
      await this.#checkComplete(repository, facts);
      await this.digests.write([bytes], digest, bytes.length);
      const pushedAt = this.#clock.now();
      const held = { digest, mediaType: facts.mediaType, sizeBytes: bytes.length, pushedAt };
      await this.#index.change(state => putManifest(state, repository, held, tags));
    });
  }

  deleteTag(repository: string, tag: string): Promise<void> {
    return this.#inTurn(repository, async () => {
      if ((await this.findManifest(repository, tag)) === undefined) throw manifestUnknown(repository, tag);
      await this.#index.change(state => deleteTag(state, repository, tag));
    });
  }

  /** With its tags. Refuses a child of an index that stays; its blobs stay for a while, to be deleted or used again. */
  deleteManifest(repository: string, digest: string): Promise<void> {
    return this.#inTurn(repository, async () => {
      const manifest = await this.findManifest(repository, digest);
      if (manifest === undefined) throw manifestUnknown(repository, digest);
      const parent = (await this.manifests(repository)).find(({ facts }) => names(facts.children, digest));
      if (parent !== undefined) throw inUse(digest, parent.digest);
      const blobs = (await this.readFacts(manifest))?.blobs.map(blob => blob.digest) ?? [];
      const now = this.#clock.now();
      // First: a crash in between leaves a name too many, and never one too few.
      if (blobs.length > 0) await this.#loose.change(loose => addLoose(loose, repository, blobs, now));
      await this.#index.change(state => deleteManifest(state, repository, digest));
    });
  }

  /** Roots of what collects garbage in the cache. */
  async held(): Promise<RegistryHoldings> {
    const named: string[] = [];
    let isWhole = true;
    for (const [repository, { manifests }] of await this.#index.read()) {
      const known = await this.manifests(repository);
      for (const { digest, facts } of known) named.push(digest, ...facts.blobs.map(blob => blob.digest));
      isWhole &&= known.length === manifests.size;
    }
    const now = this.#clock.now();
    const blobs = await this.#loose.read();
    const loose = [...blobs].flatMap(([repository, digests]) =>
      [...digests.keys()].filter(digest => isLoose(blobs, repository, digest, now)),
    );
    return { named: await this.#toSha256(named), loose: await this.#toSha256(loose), isWhole };
  }

  async #toSha256(digests: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await Promise.all(digests.map(digest => this.digests.find(digest)));
    return new Set(found.filter(sha256 => sha256 !== undefined));
  }

  async #checkComplete(repository: string, facts: ManifestFacts): Promise<void> {
    for (const { digest } of toNeededBlobs(facts))
      if (!(await this.holdsBlob(repository, digest)) || !(await this.digests.has(digest)))
        throw new RegistryRefusal(404, 'MANIFEST_BLOB_UNKNOWN', `push blob ${digest} first`);
    for (const { digest } of facts.children)
      if ((await this.findManifest(repository, digest)) === undefined)
        throw new RegistryRefusal(404, 'MANIFEST_BLOB_UNKNOWN', `push manifest ${digest} first`);
  }

  /** The digest of a manifest that names the blob. */
  async #findUser(repository: string, digest: string): Promise<string | undefined> {
    const held = (await this.#index.read()).get(repository)?.manifests ?? new Map<string, HeldManifest>();
    for (const manifest of held.values()) {
      const facts = await this.readFacts(manifest);
      if (facts !== undefined && names(facts.blobs, digest)) return manifest.digest;
    }
    return undefined;
  }

  async #inTurn<T>(repository: string, job: () => Promise<T>): Promise<T> {
    const entry = this.#turns.get(repository) ?? { turns: new Turns(1), users: 0 };
    this.#turns.set(repository, entry);
    entry.users++;
    try {
      return await entry.turns.run(job);
    } finally {
      if (--entry.users === 0) this.#turns.delete(repository);
    }
  }
}

export function manifestUnknown(repository: string, reference: string): RegistryRefusal {
  return new RegistryRefusal(404, 'MANIFEST_UNKNOWN', `${repository}: no manifest ${reference}`);
}

export function blobUnknown(repository: string, digest: string): RegistryRefusal {
  return new RegistryRefusal(404, 'BLOB_UNKNOWN', `${repository}: no blob ${digest}`);
}

function inUse(digest: string, by: string): RegistryRefusal {
  return new RegistryRefusal(405, 'UNSUPPORTED', `${digest} is part of ${by}: delete that first`);
}

function names(list: readonly { readonly digest: string }[], digest: string): boolean {
  return list.some(one => one.digest === digest);
}
