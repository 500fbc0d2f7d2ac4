import { OCI_INDEX } from '../media-types.ts';
import { readBounded } from '../read-bounded.ts';
import type { RegistryClient, Repository } from '../registry-client.ts';
import { toResponseError } from '../response-error.ts';
import { isDigest } from '../verify-digest.ts';
import { parseJsonObject, toFields } from './json-object.ts';
import { BUNDLE_LAYER_PREFIX } from './signature-types.ts';

/** Manifests that say they are about a digest; the likeliest to be signatures first. */
export interface Referrers {
  readonly digests: readonly string[];
  /** There were more than are read. */
  readonly isCut: boolean;
}

const MAX_INDEX_BYTES = 4 << 20;
const MAX_PAGES = 8;
export const MAX_REFERRERS = 1000;

/**
 * Asks the referrers API; undefined: this registry has none.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
export async function listReferrers(
  client: RegistryClient,
  repository: Repository,
  digest: string,
  signal: AbortSignal,
): Promise<Referrers | undefined> {
  const found: Referrer[] = [];
  let query = '';
  for (let page = 0; page < MAX_PAGES; page++) {
    const path = `referrers/${digest}${query}`;
    const response = await client.send({ repository, path, headers: { accept: OCI_INDEX }, signal });
    if (response.status !== 200) {
      const error = await toResponseError(response, `referrers of ${digest}`);
      // Registries without it answer 404, 400 or 405; what may pass by itself, or is about credentials, is not that.
      if (error.transient || error.code === 'unauthorized' || error.code === 'denied') throw error;
      if (page === 0) return undefined;
      throw error;
    }
    const bytes = await readBounded(response.body, MAX_INDEX_BYTES, `the referrers of ${digest}`);
    const referrers = parseReferrers(bytes);
    if (referrers === undefined) return page === 0 ? undefined : toReferrers(found, true);
    found.push(...referrers);
    const next = toNextQuery(response.headers.link);
    if (next === undefined || found.length > MAX_REFERRERS) return toReferrers(found, next !== undefined);
    query = next;
  }
  return toReferrers(found, true);
}

interface Referrer {
  readonly digest: string;
  readonly artifactType: string;
}

/** The manifests of an index; undefined where it is none. */
export function parseReferrers(bytes: Uint8Array): readonly Referrer[] | undefined {
  const value = parseJsonObject(bytes);
  if (value?.schemaVersion !== 2 || !Array.isArray(value.manifests)) return undefined;
  return value.manifests.flatMap((one: unknown) => {
    const { digest, artifactType } = toFields(one) ?? {};
    if (typeof digest !== 'string' || !isDigest(digest)) return [];
    return [{ digest, artifactType: typeof artifactType === 'string' ? artifactType : '' }];
  });
}

/** The type only says where to look first: anybody may write it. */
export function toReferrers(found: readonly Referrer[], isCut: boolean): Referrers {
  const isLikely = ({ artifactType }: Referrer) =>
    artifactType.startsWith(BUNDLE_LAYER_PREFIX) || artifactType.includes('cosign');
  const sorted = [...found.filter(isLikely), ...found.filter(one => !isLikely(one))];
  const digests = [...new Set(sorted.map(({ digest }) => digest))];
  return {
    digests: digests.slice(0, MAX_REFERRERS),
    isCut: isCut || digests.length > MAX_REFERRERS,
  };
}

const NOWHERE = 'http://registry.invalid';

/** Of a `Link: <…?…>; rel="next"` the query alone: the next page is of the same registry, whatever it says. */
export function toNextQuery(link: string | readonly string[] | undefined): string | undefined {
  const text = typeof link === 'string' ? link : link?.[0];
  const target = /^\s*<([^<>]{1,2048})>\s*;\s*rel="?next"?/i.exec(text ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, NOWHERE)) return undefined;
  const query = new URL(target, NOWHERE).search;
  return query === '' ? undefined : query;
}
