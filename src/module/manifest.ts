import { DOCKER_LIST, DOCKER_MANIFEST, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { ModuleError } from './module-error.ts';
import { isDigest } from './verify-digest.ts';

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly configType: string;
  readonly layers: readonly Descriptor[];
}

export interface ImageIndex {
  readonly kind: 'index';
  readonly children: readonly Descriptor[];
}

const MAX_DESCRIPTORS = 100;

/**
 * Reads a manifest or index whose digest was checked. Its own mediaType wins over the Content-Type only where it is
 * one of the known four. Throws `bad-manifest`; `what` is named in the message.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string,
  what: string,
): ImageManifest | ImageIndex {
  const value = parseJson(bytes, what);
  if (value.schemaVersion !== 2)
    throw bad(what, `schemaVersion is ${JSON.stringify(value.schemaVersion)}, not 2`);
  // Who verifies one reading and who runs the other would not speak of the same bytes: CVE-2021-41190.
  if (value.manifests !== undefined && (value.layers !== undefined || value.config !== undefined))
    throw bad(what, 'it is an image and an index at once');
  const own = typeof value.mediaType === 'string' ? value.mediaType : '';
  const type = [own, contentType].find(one => MANIFEST_TYPES.includes(one)) ?? guessType(value);
  if (type === OCI_INDEX || type === DOCKER_LIST)
    return { kind: 'index', children: readDescriptors(value.manifests, `${what}: manifests`) };
  if (type !== OCI_MANIFEST && type !== DOCKER_MANIFEST)
    throw bad(what, `its type ${JSON.stringify(own || contentType)} is no image manifest and no index`);
  return {
    kind: 'manifest',
    mediaType: type,
    artifactType: typeof value.artifactType === 'string' ? value.artifactType : undefined,
    configType: readDescriptor(value.config, `${what}: config`).mediaType,
    layers: readDescriptors(value.layers, `${what}: layers`),
  };
}

/**
 * The child that holds the module: attestations and the like aside, one for Wasm, else linux/amd64, else the only
 * one. Throws `ambiguous-module` with a list, or `no-module`.
 */
export function chooseChild({ children }: ImageIndex, what: string): Descriptor {
  const candidates = children.filter(child => !isAttachment(child));
  const wasm = ['wasip1', 'wasi', 'wasm', 'js', 'none', ''].flatMap(os =>
    candidates.filter(({ platform }) => platform?.architecture === 'wasm' && platform.os === os),
  );
  const amd64 = candidates.filter(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64',
  );
  const chosen = wasm[0] ?? amd64[0] ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (chosen !== undefined) return chosen;
  if (candidates.length === 0)
    throw new ModuleError('no-module', `${what}: the index holds no image`, {
      hint: 'Push the module again.',
    });
  const list = candidates.map(
    ({ digest, platform }) => `${platform?.os}/${platform?.architecture} ${digest}`,
  );
  throw new ModuleError('ambiguous-module', `${what}: the index holds several images: ${list.join(', ')}`, {
    hint: 'Name one of them: append @sha256:… to the URL.',
  });
}

/** Provenance, signatures and SBOMs travel beside the image. */
function isAttachment({ annotations, platform, mediaType }: Descriptor): boolean {
  return (
    annotations['vnd.docker.reference.type'] !== undefined ||
    (platform?.os === 'unknown' && platform.architecture === 'unknown') ||
    !MANIFEST_TYPES.includes(mediaType)
  );
}

function parseJson(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw bad(what, 'it is not JSON', cause);
  }
  if (isObject(value)) return value;
  throw bad(what, 'it is not a JSON object');
}

function guessType(value: Readonly<Record<string, unknown>>): string | undefined {
  if (Array.isArray(value.manifests)) return OCI_INDEX;
  return Array.isArray(value.layers) ? OCI_MANIFEST : undefined;
}

function readDescriptors(list: unknown, what: string): readonly Descriptor[] {
  if (!Array.isArray(list)) throw bad(what, 'a list is missing');
  if (list.length > MAX_DESCRIPTORS) throw bad(what, `${list.length} entries, more than ${MAX_DESCRIPTORS}`);
  return list.map((one, i) => readDescriptor(one, `${what}[${i}]`));
}

function readDescriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw bad(what, 'a descriptor is missing');
  const { mediaType, digest, size, annotations, platform } = value;
  if (typeof mediaType !== 'string') throw bad(what, 'it has no mediaType');
  if (typeof digest !== 'string' || !isDigest(digest)) throw bad(what, 'it has no valid digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw bad(what, 'it has no valid size');
  const texts = Object.entries(isObject(annotations) ? annotations : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return {
    mediaType,
    digest,
    sizeBytes: size,
    annotations: Object.fromEntries(texts),
    ...(isObject(platform)
      ? { platform: { os: toText(platform.os), architecture: toText(platform.architecture) } }
      : {}),
  };
}

/** What is no text has none: an object may not even be made one. */
function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(what: string, why: string, cause?: unknown): ModuleError {
  return new ModuleError('bad-manifest', `${what}: ${why}`, {
    cause,
    hint: 'Push the module again with a current tool, e.g. attache push.',
  });
}
