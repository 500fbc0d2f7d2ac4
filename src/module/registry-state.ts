/** A manifest that a repository of the built-in registry holds. */
export interface HeldManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** When it was last pushed, ms; undefined: before that was written down. */
  readonly pushedAt: number | undefined;
}

export interface HeldRepository {
  readonly manifests: ReadonlyMap<string, HeldManifest>;
  /** Digest by tag; each digest is among the manifests. */
  readonly tags: ReadonlyMap<string, string>;
}

/** Repositories by name; one without manifests does not exist. */
export type RegistryState = ReadonlyMap<string, HeldRepository>;

const EMPTY: HeldRepository = { manifests: new Map(), tags: new Map() };

/** Adds a manifest and moves tags to it. What they named before stays found by digest. */
export function putManifest(
  state: RegistryState,
  repository: string,
  manifest: HeldManifest,
  tags: readonly string[],
): RegistryState {
  const held = state.get(repository) ?? EMPTY;
  return new Map(state).set(repository, {
    manifests: new Map(held.manifests).set(manifest.digest, manifest),
    tags: new Map([...held.tags, ...tags.map(tag => [tag, manifest.digest] as const)]),
  });
}

/** The manifest stays, found by digest. */
export function deleteTag(state: RegistryState, repository: string, tag: string): RegistryState {
  const held = state.get(repository);
  if (held === undefined || !held.tags.has(tag)) return state;
  const tags = new Map(held.tags);
  tags.delete(tag);
  return new Map(state).set(repository, { ...held, tags });
}

/** With every tag that names it. */
export function deleteManifest(state: RegistryState, repository: string, digest: string): RegistryState {
  const held = state.get(repository);
  if (held === undefined || !held.manifests.has(digest)) return state;
  const manifests = new Map(held.manifests);
  manifests.delete(digest);
  const after = new Map(state);
  if (manifests.size === 0) after.delete(repository);
  else after.set(repository, { manifests, tags: new Map([...held.tags].filter(([, of]) => of !== digest)) });
  return after;
}

/** Of a repository by tag or digest. */
export function findManifest(
  state: RegistryState,
  repository: string,
  reference: string,
): HeldManifest | undefined {
  const held = state.get(repository);
  const digest = reference.includes(':') ? reference : held?.tags.get(reference);
  return digest === undefined ? undefined : held?.manifests.get(digest);
}
