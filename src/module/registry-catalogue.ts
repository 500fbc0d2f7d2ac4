import type { CatalogueItem, CataloguePage, CatalogueQuery } from '../model/catalogue.ts';
import type { KnownManifest, RegistryContent } from './registry-content.ts';

/** https://specs.opencontainers.org/image-spec/annotations/ */
const PREFIX = 'org.opencontainers.image.';
const SHOWN = [
  ...['title', 'description', 'version', 'created', 'licenses', 'source', 'revision'],
  ...['url', 'documentation', 'vendor', 'authors'],
].map(key => PREFIX + key);
/** Of one annotation. */
const MAX_TEXT = 1000;
/** Tags that tools make for what belongs to another manifest: signatures, lists of referrers. */
const COMPANION = /^sha(256|512)-[0-9a-f]{64}(\.\w+)?$/;

/** What people pushed under a tag, with what its annotations say of it. */
export async function searchCatalogue(
  content: RegistryContent,
  query: CatalogueQuery,
): Promise<CataloguePage> {
  const matches = toMatcher(query.text);
  const items: CatalogueItem[] = [];
  for (const [repository, { tags }] of await content.state()) {
    const manifests = await content.manifests(repository);
    const found = toItems(repository, tags, manifests).filter(matches);
    items.push(...found.sort((a, b) => (b.pushedAt ?? 0) - (a.pushedAt ?? 0) || byVersion(a, b)));
  }
  items.sort((a, b) => a.repository.localeCompare(b.repository, 'en'));
  return { items: items.slice(0, query.limit), total: items.length };
}

function toItems(
  repository: string,
  tags: ReadonlyMap<string, string>,
  manifests: readonly KnownManifest[],
): CatalogueItem[] {
  const named = Map.groupBy(
    [...tags].filter(([tag]) => !COMPANION.test(tag)),
    ([, digest]) => digest,
  );
  const byDigest = new Map(manifests.map(manifest => [manifest.digest, manifest]));
  return manifests.flatMap(manifest => {
    const own = named.get(manifest.digest)?.map(([tag]) => tag);
    return own === undefined ? [] : [toItem(repository, own.sort(byName), manifest, byDigest)];
  });
}

function toItem(
  repository: string,
  tags: readonly string[],
  manifest: KnownManifest,
  byDigest: ReadonlyMap<string, KnownManifest>,
): CatalogueItem {
  const { digest, mediaType, pushedAt, facts } = manifest;
  const known = SHOWN.flatMap(key => {
    const text = facts.annotations[key];
    return text === undefined ? [] : [[key, text.slice(0, MAX_TEXT)] as const];
  });
  return {
    repository,
    tags,
    digest,
    mediaType,
    artifactType: facts.artifactType,
    sizeBytes: toSize(manifest, byDigest, 2),
    pushedAt,
    annotations: Object.fromEntries(known),
  };
}

function toSize(
  { facts }: KnownManifest,
  byDigest: ReadonlyMap<string, KnownManifest>,
  depth: number,
): number {
  if (!facts.isIndex) return facts.blobs.slice(1).reduce((sum, layer) => sum + layer.sizeBytes, 0);
  const chosen = facts.children.find(({ platform }) => platform?.endsWith('/wasm')) ?? facts.children[0];
  const child = chosen && byDigest.get(chosen.digest);
  return child === undefined || depth === 0 ? 0 : toSize(child, byDigest, depth - 1);
}

function toMatcher(text: string): (item: CatalogueItem) => boolean {
  const terms = text
    .toLowerCase()
    .split(/\s+/)
    .filter(term => term !== '');
  return item => {
    const values = [item.repository, ...item.tags, ...Object.values(item.annotations)];
    const all = values.map(value => value.toLowerCase());
    return terms.every(term => {
      const [, key, wanted] = /^([\w.-]+)=(.*)$/.exec(term) ?? [];
      if (key === undefined || wanted === undefined) return all.some(value => value.includes(term));
      const name = [key, PREFIX + key].find(one => Object.hasOwn(item.annotations, one));
      const value = name === undefined ? undefined : item.annotations[name];
      return value?.toLowerCase().includes(wanted) ?? false;
    });
  };
}

function byVersion(a: CatalogueItem, b: CatalogueItem): number {
  return byName(a.tags[0] ?? '', b.tags[0] ?? '');
}

/** 1.10 comes before 1.9, and both before what is no version, as `latest`. */
function byName(a: string, b: string): number {
  const isVersion = (tag: string) => /^v?\d/.test(tag);
  if (isVersion(a) !== isVersion(b)) return isVersion(a) ? -1 : 1;
  return b.localeCompare(a, 'en', { numeric: true });
}
