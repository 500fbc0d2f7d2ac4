import { gzipSync } from 'node:zlib';
import { IMAGE_ANNOTATION, type PushLayout } from '../model/artifact-layout.ts';
import { toCanonicalJson } from '../model/plugin-spec.ts';
import {
  OCI_INDEX,
  OCI_MANIFEST,
  SOLO_CONFIG,
  SOLO_LAYER,
  TITLE_ANNOTATION,
  WASM_CONFIG,
  WASM_LAYER,
} from './media-types.ts';
import { writeTar } from './tar-writer.ts';
import { toDigest } from './verify-digest.ts';
import { parseWasmHeader } from './wasm-header.ts';

/** What is said of a module that is pushed. */
export interface ArtifactOptions {
  readonly layout: PushLayout;
  /** By their full names. */
  readonly annotations: Readonly<Record<string, string>>;
  /** ms; 0 where the artifact is to be the same at any time. */
  readonly createdMs: number;
}

/** Everything to push, in this order. The same module and options give the same bytes. */
export interface Artifact {
  readonly blobs: readonly Uint8Array[];
  /** Children first; the tag is for the last. */
  readonly manifests: readonly BuiltManifest[];
}

export interface BuiltManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: string;
}

const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const FILE = 'plugin.wasm';

export function buildArtifact(module: Uint8Array, options: ArtifactOptions): Artifact {
  switch (options.layout) {
    case 'cncf':
      return buildCncf(module, options);
    case 'compat':
      return buildCompat(module, options);
    case 'solo-io':
      return buildSolo(module, options);
    case 'index':
      return buildIndex(module, options);
    default:
      return options.layout satisfies never;
  }
}

/** https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/ */
function buildCncf(module: Uint8Array, options: ArtifactOptions): Artifact {
  const layer = toLayer(WASM_LAYER, module);
  const config = encode({
    architecture: 'wasm',
    created: toTime(options),
    layerDigests: [layer.digest],
    os: 'wasip1',
  });
  return toArtifact({ mediaType: WASM_CONFIG, bytes: config }, [{ ...layer, bytes: module }], options);
}

/**
 * An image as docker would build it `FROM scratch`.
 * https://github.com/solo-io/wasm/blob/master/spec/spec-compat.md
 */
function buildCompat(module: Uint8Array, options: ArtifactOptions): Artifact {
  const tar = writeTar(FILE, module, Math.floor(options.createdMs / 1000));
  const packed = gzipSync(tar, { level: 9 });
  // The byte that names the system it was packed on: unknown, so that it is the same on each.
  packed[9] = 255;
  const config = encode({
    architecture: 'amd64',
    config: {},
    created: toTime(options),
    history: [{ created: toTime(options), created_by: `COPY ${FILE} /` }],
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [toDigest(tar)] },
  });
  const layer = { mediaType: OCI_LAYER, digest: toDigest(packed), size: packed.length, bytes: packed };
  return toArtifact({ mediaType: OCI_CONFIG, bytes: config }, [layer], {
    ...options,
    annotations: { 'module.wasm.image/variant': 'compat', ...options.annotations },
  });
}

/** Istio wants exactly two layers of it. https://github.com/solo-io/wasm/blob/master/spec/spec.md */
function buildSolo(module: Uint8Array, options: ArtifactOptions): Artifact {
  const config = encode({
    type: 'envoy_proxy',
    abiVersions: findAbiNames(module),
    config: { rootIds: [''] },
  });
  const description = {
    mediaType: SOLO_CONFIG,
    digest: toDigest(config),
    size: config.length,
    bytes: config,
  };
  const layers = [description, { ...toLayer(SOLO_LAYER, module), bytes: module }];
  return toArtifact({ mediaType: SOLO_CONFIG, bytes: config }, layers, options);
}

function buildIndex(module: Uint8Array, options: ArtifactOptions): Artifact {
  const compat = buildCompat(module, options);
  const cncf = buildCncf(module, options);
  const entry = (artifact: Artifact, os: string, architecture: string) =>
    artifact.manifests.map(({ mediaType, digest, bytes }) => ({
      mediaType,
      digest,
      size: bytes.length,
      platform: { architecture, os },
    }));
  const index = toManifest(OCI_INDEX, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [...entry(compat, 'linux', 'amd64'), ...entry(cncf, 'wasip1', 'wasm')],
    annotations: toAnnotations(options),
  });
  return {
    blobs: [...compat.blobs, ...cncf.blobs],
    manifests: [...compat.manifests, ...cncf.manifests, index],
  };
}

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

function toArtifact(
  config: { readonly mediaType: string; readonly bytes: Uint8Array },
  layers: readonly (Layer & { readonly bytes: Uint8Array })[],
  options: ArtifactOptions,
): Artifact {
  const { mediaType, bytes } = config;
  const manifest = toManifest(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType, digest: toDigest(bytes), size: bytes.length },
    layers: layers.map(({ bytes: _, ...layer }) => layer),
    annotations: toAnnotations(options),
  });
  const all = [...layers.map(layer => layer.bytes), bytes];
  return { blobs: [...new Map(all.map(blob => [toDigest(blob), blob])).values()], manifests: [manifest] };
}

function toManifest(mediaType: string, value: unknown): BuiltManifest {
  const bytes = encode(value);
  return { bytes, mediaType, digest: toDigest(bytes) };
}

function toLayer(mediaType: string, bytes: Uint8Array): Layer {
  const annotations = { [TITLE_ANNOTATION]: FILE };
  return { mediaType, digest: toDigest(bytes), size: bytes.length, annotations };
}

function toAnnotations(options: ArtifactOptions): Readonly<Record<string, string>> {
  return { [`${IMAGE_ANNOTATION}created`]: toTime(options), ...options.annotations };
}

/** RFC 3339, without fractions of a second. */
function toTime({ createdMs }: ArtifactOptions): string {
  return new Date(createdMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A hint for readers of the layout; bytes that cannot be read have none. */
function findAbiNames(module: Uint8Array): readonly string[] {
  try {
    const names = parseWasmHeader(module).exports.map(({ name }) => name);
    return names.filter(name => name.startsWith('proxy_abi_version_'));
  } catch {
    return [];
  }
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(toCanonicalJson(value));
}
