import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { createRegistryClient, type RegistryClient } from '../../../src/module/registry-client.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { sourceOptions, startWeb, type WebServer } from '../actors.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

export interface ArtifactServer extends WebServer {
  readonly client: RegistryClient;
  readonly repository: { readonly host: string; readonly repository: string };
  /** Each stores, and gives the digest. */
  blob(bytes: Uint8Array): string;
  manifest(text: string, mediaType?: string): string;
  tag(tag: string, digest: string): void;
  /** A manifest over layers; with a subject it is found by the referrers API, where the server has one. */
  artifact(layers: readonly Layer[], subject?: string, artifactType?: string): string;
  /** The list of referrers that clients keep where a server has no API. */
  listByTag(subject: string, digests: readonly string[]): void;
}

export interface Layer {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the descriptor says, where that is not the truth. */
  readonly size?: number;
}

export interface ServerOptions {
  /** How the referrers API answers: as the specification says, or with this status. Default 404. */
  readonly referrers?: 'api' | number;
  readonly pageSize?: number;
}

/** What the pulling half of a registry does, in memory, for one repository, `auth`. */
export async function serveArtifacts(
  t: TestContext,
  { referrers = 404, pageSize = 1000 }: ServerOptions = {},
): Promise<ArtifactServer> {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, { readonly text: string; readonly mediaType: string }>();
  const tags = new Map<string, string>();
  const web = await startWeb(t, (request, response) => {
    const url = new URL(request.url ?? '', 'http://registry.invalid');
    const [, what, name = ''] = /^\/v2\/auth\/(manifests|blobs|referrers)\/(.+)$/.exec(url.pathname) ?? [];
    const manifest = manifests.get(tags.get(name) ?? name);
    const blob = blobs.get(name);
    if (what === 'referrers' && referrers !== 'api') response.writeHead(referrers).end('{}');
    else if (what === 'referrers') {
      const all = findReferrers(name);
      const from = Number(url.searchParams.get('from') ?? 0);
      const page = all.slice(from, from + pageSize);
      const next = `<http://elsewhere.invalid/v2/auth/referrers/${name}?from=${from + pageSize}>; rel="next"`;
      const more = from + pageSize < all.length ? { link: next } : {};
      response.writeHead(200, { 'content-type': INDEX, ...more });
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: page }));
    } else if (what === 'manifests' && manifest !== undefined)
      response.writeHead(200, { 'content-type': manifest.mediaType }).end(manifest.text);
    else if (what === 'blobs' && blob !== undefined) response.writeHead(200).end(blob);
    else response.writeHead(404).end('{}');
  });
  const client = createRegistryClient(sourceOptions([web.host]));
  stopAfter(t, { stop: () => client.close() });

  function findReferrers(subject: string): readonly object[] {
    return [...manifests].flatMap(([digest, { text, mediaType }]) => {
      const value = JSON.parse(text);
      return value.subject?.digest === subject
        ? [{ mediaType, digest, size: text.length, artifactType: value.artifactType }]
        : [];
    });
  }
  const server: Omit<ArtifactServer, 'requests' | 'host'> = {
    client,
    repository: { host: web.host, repository: 'auth' },
    blob(bytes) {
      const digest = toDigest(bytes);
      blobs.set(digest, bytes);
      return digest;
    },
    manifest(text, mediaType = MANIFEST) {
      const digest = toDigest(Buffer.from(text));
      manifests.set(digest, { text, mediaType });
      return digest;
    },
    tag: (tag, digest) => void tags.set(tag, digest),
    artifact(layers, subject, artifactType) {
      const descriptor = ({ type, bytes, annotations, size }: Layer) => ({
        mediaType: type,
        digest: server.blob(bytes),
        size: size ?? bytes.length,
        annotations,
      });
      return server.manifest(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST,
          artifactType,
          config: descriptor({ type: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') }),
          layers: layers.map(descriptor),
          ...(subject === undefined ? {} : { subject: { mediaType: MANIFEST, digest: subject, size: 1 } }),
        }),
      );
    },
    listByTag(subject, digests) {
      const list = digests.map(digest => ({ mediaType: MANIFEST, digest, size: 1 }));
      const text = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: list });
      server.tag(subject.replace(':', '-'), server.manifest(text, INDEX));
    },
  };
  return { ...server, ...web };
}

function toDigest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
