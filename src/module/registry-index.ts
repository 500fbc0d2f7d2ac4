import { join } from 'node:path';
import type { RandomHex } from '../model/ports.ts';
import { OCI_INDEX, REF_NAME_ANNOTATION } from './media-types.ts';
import { RegistryFile } from './registry-file.ts';
import type { HeldManifest, RegistryState } from './registry-state.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

const REPOSITORY_ANNOTATION = 'dev.attache.repository';
const PUSHED_ANNOTATION = 'dev.attache.pushed';

/**
 * The manifests and tags of the built-in registry: the `index.json` of the OCI image layout, so that other tools can
 * read it. https://github.com/opencontainers/image-spec/blob/main/image-layout.md#indexjson-file
 */
export function openRegistryIndex(directory: string, random: RandomHex): RegistryFile<RegistryState> {
  return new RegistryFile(join(directory, 'index.json'), random, { parse: parseIndex, format: formatIndex });
}

/** A manifest without a tag stands alone, one with several once for each. */
export function formatIndex(state: RegistryState): string {
  const manifests = [...state].flatMap(([repository, { manifests, tags }]) => {
    const named = [...tags].map(([tag, digest]) => ({ tag, manifest: manifests.get(digest) }));
    const tagged = new Set(tags.values());
    const untagged = [...manifests.values()].filter(({ digest }) => !tagged.has(digest));
    return [
      ...untagged.map(manifest => toDescriptor(repository, undefined, manifest)),
      ...named.flatMap(({ tag, manifest }) =>
        manifest === undefined ? [] : [toDescriptor(repository, tag, manifest)],
      ),
    ];
  });
  return `${JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, null, 2)}\n`;
}

function toDescriptor(repository: string, tag: string | undefined, manifest: HeldManifest): Descriptor {
  const { mediaType, digest, sizeBytes, pushedAt } = manifest;
  return {
    mediaType,
    digest,
    size: sizeBytes,
    annotations: {
      [REPOSITORY_ANNOTATION]: repository,
      ...(pushedAt === undefined ? {} : { [PUSHED_ANNOTATION]: new Date(pushedAt).toISOString() }),
      ...(tag === undefined ? {} : { [REF_NAME_ANNOTATION]: `${repository}:${tag}` }),
    },
  };
}

/** What other tools added without a repository is not ours to serve. */
export function parseIndex(text: string | undefined): RegistryState {
  const state = new Map<string, { manifests: Map<string, HeldManifest>; tags: Map<string, string> }>();
  if (text === undefined) return state;
  const { manifests } = JSON.parse(text) as { manifests: readonly Descriptor[] };
  for (const { mediaType, digest, size, annotations = {} } of manifests) {
    const name = annotations[REPOSITORY_ANNOTATION];
    if (name === undefined) continue;
    const repository = state.get(name) ?? { manifests: new Map(), tags: new Map() };
    state.set(name, repository);
    const pushedAt = Date.parse(annotations[PUSHED_ANNOTATION] ?? '') || undefined;
    repository.manifests.set(digest, { mediaType, digest, sizeBytes: size, pushedAt });
    const tag = annotations[REF_NAME_ANNOTATION]?.slice(name.length + 1);
    if (tag !== undefined) repository.tags.set(tag, digest);
  }
  return state;
}
