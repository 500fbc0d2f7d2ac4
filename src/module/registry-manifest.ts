import { DOCKER_LIST, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { isDigest } from './verify-digest.ts';

/** What the built-in registry must know of a manifest or an index. */
export interface ManifestFacts {
  readonly mediaType: string;
  readonly isIndex: boolean;
  /** Digests that it names, config first. */
  readonly blobs: readonly NamedBlob[];
  /** Children of an index. */
  readonly children: readonly NamedBlob[];
  /** Digest of the manifest that it is about: then it is one of that one's referrers. */
  readonly subject: string | undefined;
  /** Its own, else the type of its config; undefined for an index without one. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface NamedBlob {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly platform?: string;
}

/** Layers that are fetched from elsewhere, and need not be pushed. */
const FOREIGN_LAYER = /\.(nondistributable|foreign)\b/;

/** A text is what is wrong with it. https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export function parsePushedManifest(bytes: Uint8Array, contentType: string): ManifestFacts | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return 'the manifest is not JSON';
  }
  if (!isObject(value)) return 'the manifest is not a JSON object';
  if (value.schemaVersion !== 2) return 'schemaVersion must be 2';
  const mediaType = typeof value.mediaType === 'string' ? value.mediaType : contentType;
  if (!MANIFEST_TYPES.includes(mediaType)) return `unknown manifest type ${JSON.stringify(mediaType)}`;
  if (contentType !== mediaType) return `Content-Type ${contentType} differs from mediaType ${mediaType}`;
  const isIndex = mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
  const children = isIndex ? readAll(toList(value.manifests)) : [];
  const blobs = isIndex ? [] : readAll([value.config, ...toList(value.layers)]);
  if (children === undefined || blobs === undefined) return 'a descriptor has no valid digest';
  const subject = isObject(value.subject) ? value.subject.digest : undefined;
  if (value.subject != null && (typeof subject !== 'string' || !isDigest(subject)))
    return 'the subject has no valid digest';
  const own = typeof value.artifactType === 'string' && value.artifactType !== '' ? value.artifactType : null;
  return {
    mediaType,
    isIndex,
    blobs,
    children,
    subject: typeof subject === 'string' ? subject : undefined,
    artifactType: own ?? blobs[0]?.mediaType,
    annotations: readAnnotations(value.annotations),
  };
}

/** What must have been pushed before the manifest. */
export function toNeededBlobs({ blobs }: ManifestFacts): readonly NamedBlob[] {
  return blobs.filter(({ mediaType }) => !FOREIGN_LAYER.test(mediaType));
}

/** `application/…; charset=…` without its parameters; a manifest without a type is an OCI one. */
export function toContentType(header: string | undefined): string {
  return header?.split(';')[0]?.trim().toLowerCase() || OCI_MANIFEST;
}

/** Go writes an empty list as null. */
function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readAll(list: readonly unknown[]): readonly NamedBlob[] | undefined {
  const all = list.map(readDescriptor);
  return all.every(one => one !== undefined) ? all : undefined;
}

function readDescriptor(value: unknown): NamedBlob | undefined {
  if (!isObject(value) || typeof value.digest !== 'string' || !isDigest(value.digest)) return undefined;
  const { mediaType, size, platform } = value;
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest: value.digest,
    sizeBytes: typeof size === 'number' ? size : 0,
    ...(isObject(platform) ? { platform: `${toText(platform.os)}/${toText(platform.architecture)}` } : {}),
  };
}

function readAnnotations(value: unknown): Readonly<Record<string, string>> {
  const texts = Object.entries(isObject(value) ? value : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
