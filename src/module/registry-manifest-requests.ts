import type { BlobCache } from './blob-cache.ts';
import { OCI_INDEX } from './media-types.ts';
import { type KnownManifest, manifestUnknown, type RegistryContent } from './registry-content.ts';
import { MAX_MANIFEST_BYTES } from './registry-facts.ts';
import { parsePushedManifest, toContentType } from './registry-manifest.ts';
import { RegistryRefusal } from './registry-refusal.ts';
import { type Exchange, readBody, sendEmpty, sendJson, toNextLink } from './registry-reply.ts';
import { isTag } from './registry-route.ts';
import { toDigest, verifyDigest } from './verify-digest.ts';

/** Tags that one push by digest may set. */
const MAX_TAGS = 100;

/** Manifests, indexes, tags and referrers of the built-in registry. */
export class ManifestRequests {
  readonly #cache: BlobCache;
  readonly #content: RegistryContent;

  constructor(cache: BlobCache, content: RegistryContent) {
    this.#cache = cache;
    this.#content = content;
  }

  /** GET and HEAD, by tag or digest. */
  async get({ request, response }: Exchange, repository: string, reference: string): Promise<void> {
    const held = await this.#content.findManifest(repository, reference);
    const sha256 = held && (await this.#content.digests.find(held.digest));
    const bytes = sha256 === undefined ? undefined : await this.#cache.read(sha256, Number.POSITIVE_INFINITY);
    if (held === undefined || bytes === undefined) throw manifestUnknown(repository, reference);
    const etag = `"${held.digest}"`;
    const common = { etag, 'docker-content-digest': held.digest };
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, common).end();
    response.writeHead(200, {
      ...common,
      'content-type': held.mediaType,
      'content-length': bytes.length,
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  /** PUT by tag, or by digest, then with any number of `tag` parameters. */
  async put(
    { request, response, query, audit }: Exchange,
    repository: string,
    reference: string,
  ): Promise<void> {
    const byDigest = reference.includes(':');
    const more = byDigest ? query.getAll('tag') : [];
    if (more.length > MAX_TAGS || !more.every(isTag))
      throw new RegistryRefusal(400, 'MANIFEST_INVALID', `at most ${MAX_TAGS} tags, each a valid one`);
    const bytes = await readBody(request, MAX_MANIFEST_BYTES);
    const digest = byDigest ? reference : toDigest(bytes);
    verifyDigest(bytes, digest, 'the manifest');
    const facts = parsePushedManifest(bytes, toContentType(request.headers['content-type']));
    if (typeof facts === 'string') throw new RegistryRefusal(400, 'MANIFEST_INVALID', facts);
    const tags = byDigest ? more : [reference];
    await this.#content.putManifest(repository, bytes, digest, facts, tags);
    const named = tags.length === 0 ? '' : ` as ${tags.join(', ')}`;
    await audit('registry.pushed', toName(repository, reference), `${repository}: ${digest} pushed${named}`);
    sendEmpty(response, 201, {
      location: `/v2/${repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      ...(facts.subject === undefined ? {} : { 'oci-subject': facts.subject }),
      ...(more.length === 0 ? {} : { 'oci-tag': more.join(', ') }),
    });
  }

  async delete({ response, audit }: Exchange, repository: string, reference: string): Promise<void> {
    if (reference.includes(':')) await this.#content.deleteManifest(repository, reference);
    else await this.#content.deleteTag(repository, reference);
    const name = toName(repository, reference);
    await audit('registry.deleted', name, `${name} deleted`);
    sendEmpty(response, 202);
  }

  /** The manifests whose subject is the digest: an index, in pages of at most a manifest's size. */
  async listReferrers({ response, query }: Exchange, repository: string, digest: string): Promise<void> {
    const type = query.get('artifactType');
    const last = query.get('last') ?? '';
    const manifests = (await this.#content.manifests(repository))
      .filter(({ facts }) => facts.subject === digest && (type === null || facts.artifactType === type))
      .filter(one => one.digest > last)
      .map(toReferrer);
    const page = takePage(manifests);
    const end = page.at(-1);
    const next = { ...(type === null ? {} : { artifactType: type }), last: end?.digest ?? '' };
    sendJson(
      response,
      200,
      { schemaVersion: 2, mediaType: OCI_INDEX, manifests: page },
      {
        'content-type': OCI_INDEX,
        ...(type === null ? {} : { 'oci-filters-applied': 'artifactType' }),
        ...(page.length < manifests.length ? toNextLink(`/v2/${repository}/referrers/${digest}`, next) : {}),
      },
    );
  }
}

/** `auth:1.4`, `auth@sha256:…` */
function toName(repository: string, reference: string): string {
  return `${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
}

interface Referrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function toReferrer({ mediaType, digest, sizeBytes, facts }: KnownManifest): Referrer {
  const { artifactType, annotations } = facts;
  return {
    mediaType,
    digest,
    size: sizeBytes,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** As many as fit, and one at least. */
function takePage(all: readonly Referrer[]): readonly Referrer[] {
  let room = MAX_MANIFEST_BYTES - 1024;
  const end = all.findIndex((one, i) => {
    room -= JSON.stringify(one).length + 1;
    return room < 0 && i > 0;
  });
  return end < 0 ? all : all.slice(0, end);
}
