import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RandomHex } from '../model/ports.ts';
import { writeFileDurably } from './durable-file.ts';
import { OCI_INDEX, REF_NAME_ANNOTATION } from './media-types.ts';

/** A manifest that a repository of the built-in registry holds; without a tag it is only found by digest. */
export interface IndexEntry {
  readonly repository: string;
  readonly tag?: string;
  readonly mediaType: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly sizeBytes: number;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

const REPOSITORY_ANNOTATION = 'dev.attache.repository';

/**
 * The tags of the built-in registry: the `index.json` of the OCI image layout, so that other tools can read it. One
 * file, replaced whole; writes happen one after the other and are durable when they resolve.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md#indexjson-file
 */
export class RegistryIndex {
  readonly #path: string;
  readonly #random: RandomHex;
  #entries: readonly IndexEntry[] | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string, random: RandomHex) {
    this.#path = join(directory, 'index.json');
    this.#random = random;
  }

  async find(repository: string, reference: string): Promise<IndexEntry | undefined> {
    const byDigest = reference.includes(':');
    return (await this.#load()).find(
      entry => entry.repository === repository && (byDigest ? entry.digest : entry.tag) === reference,
    );
  }

  /** Sorted; undefined: no such repository. */
  async tags(repository: string): Promise<readonly string[] | undefined> {
    const held = (await this.#load()).filter(entry => entry.repository === repository);
    if (held.length === 0) return undefined;
    return held.flatMap(({ tag }) => (tag === undefined ? [] : [tag])).sort();
  }

  /** Adds a manifest, or moves its tag. What the tag named before stays found by digest. */
  put(entry: IndexEntry): Promise<void> {
    const write = this.#last.then(async () => {
      const entries = addEntry(await this.#load(), entry);
      await writeFileDurably(this.#path, toIndexJson(entries), this.#random(8));
      this.#entries = entries;
    });
    this.#last = write.catch(() => {});
    return write;
  }

  async #load(): Promise<readonly IndexEntry[]> {
    this.#entries ??= await readEntries(this.#path);
    return this.#entries;
  }
}

function addEntry(entries: readonly IndexEntry[], added: IndexEntry): readonly IndexEntry[] {
  const keyOf = ({ repository, digest, tag }: IndexEntry) => JSON.stringify([repository, digest, tag ?? '']);
  const byKey = new Map(entries.map(entry => [keyOf(entry), entry]));
  const moved = entries.find(
    ({ repository, tag }) => tag !== undefined && repository === added.repository && tag === added.tag,
  );
  if (moved !== undefined) byKey.delete(keyOf(moved));
  const untagged = moved === undefined ? [] : [withoutTag(moved)];
  for (const entry of [...untagged, added]) byKey.set(keyOf(entry), entry);
  const named = new Set([...byKey.values()].filter(hasTag).map(entry => keyOf(withoutTag(entry))));
  return [...byKey.values()].filter(entry => hasTag(entry) || !named.has(keyOf(entry)));
}

function hasTag(entry: IndexEntry): boolean {
  return entry.tag !== undefined;
}

function withoutTag({ repository, mediaType, digest, sizeBytes }: IndexEntry): IndexEntry {
  return { repository, mediaType, digest, sizeBytes };
}

function toIndexJson(entries: readonly IndexEntry[]): string {
  const manifests = entries.map(
    ({ repository, tag, mediaType, digest, sizeBytes }): Descriptor => ({
      mediaType,
      digest,
      size: sizeBytes,
      annotations: {
        [REPOSITORY_ANNOTATION]: repository,
        ...(tag === undefined ? {} : { [REF_NAME_ANNOTATION]: `${repository}:${tag}` }),
      },
    }),
  );
  return `${JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, null, 2)}\n`;
}

async function readEntries(path: string): Promise<readonly IndexEntry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  const { manifests } = JSON.parse(text) as { manifests: readonly Descriptor[] };
  return manifests.map(({ mediaType, digest, size, annotations }) => {
    const repository = annotations[REPOSITORY_ANNOTATION] ?? '';
    const name = annotations[REF_NAME_ANNOTATION];
    return {
      repository,
      mediaType,
      digest,
      sizeBytes: size,
      ...(name === undefined ? {} : { tag: name.slice(repository.length + 1) }),
    };
  });
}
