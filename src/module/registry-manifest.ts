import { DOCKER_LIST, DOCKER_MANIFEST, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { isDigest } from './verify-digest.ts';

/** What a pushed manifest names; all of it must be there before the manifest is. */
export interface PushedManifest {
  readonly mediaType: string;
  readonly blobs: readonly string[];
  readonly manifests: readonly string[];
}

/**
 * Reads what the built-in registry must know of a pushed manifest. A text is what is wrong with it.
 * https://github.com/opencontainers/image-spec/blob/main/manifest.md
 */
export function parsePushedManifest(bytes: Uint8Array, contentType: string): PushedManifest | string {
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
  const manifests = isIndex ? readDigests(value.manifests) : [];
  const blobs = isIndex
    ? []
    : readDigests([value.config, ...(Array.isArray(value.layers) ? value.layers : [])]);
  if (manifests === undefined || blobs === undefined) return 'a descriptor has no valid digest';
  return { mediaType, blobs, manifests };
}

/** `application/…; charset=…` without its parameters; a manifest without a type is an OCI one. */
export function toContentType(header: string | undefined): string {
  return header?.split(';')[0]?.trim().toLowerCase() || OCI_MANIFEST;
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

export function isImageType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

function readDigests(list: unknown): readonly string[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const digests = list.map(one => (isObject(one) && typeof one.digest === 'string' ? one.digest : ''));
  return digests.every(isDigest) ? digests : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
