import type { Descriptor, ImageManifest } from './manifest.ts';
import { DOCKER_MANIFEST, RAW_LAYERS, TAR_LAYER, TITLE_ANNOTATION, WASM_CONFIG } from './media-types.ts';
import { ModuleError } from './module-error.ts';

/** Where in an artifact the module is. */
export type ModulePlace =
  /** A layer that is the module. */
  | { readonly kind: 'raw'; readonly layer: Descriptor; readonly layout: string }
  /** Archives to look into, in this order. */
  | { readonly kind: 'tar'; readonly layers: readonly Descriptor[]; readonly layout: string };

const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';
const ORAS_DEFAULT = 'application/vnd.oci.image.layer.v1.tar';
/** Of a folder, which is packed. */
const ORAS_FOLDER = 'io.deis.oras.content.unpack';
const HIGRESS_SPEC = 'application/vnd.module.wasm.spec.v1+yaml';

/**
 * Applies the layouts that are in use, in this order: a layer of a Wasm type, a layer whose title ends in `.wasm`,
 * archives from last to first. Throws `no-module`, `ambiguous-module` or `bad-manifest`. The layouts: CNCF, solo-io,
 * wasm-to-oci, ORAS, Docker and OCI images, Higress.
 */
export function findModule(manifest: ImageManifest, what: string): ModulePlace {
  if (manifest.configType === WASM_CONFIG && manifest.layers.length !== 1)
    throw new ModuleError(
      'bad-manifest',
      `${what}: ${manifest.layers.length} layers where the format wants one`,
      {
        hint: 'Push the module again, e.g. with attache push.',
      },
    );
  const raw = manifest.layers.filter(({ mediaType }) => Object.hasOwn(RAW_LAYERS, mediaType));
  const titled = manifest.layers.filter(
    layer =>
      (!TAR_LAYER.test(layer.mediaType) || isUntyped(manifest, layer)) &&
      (layer.annotations[TITLE_ANNOTATION] ?? '').endsWith('.wasm'),
  );
  const candidates = raw.length > 0 ? raw : titled;
  const [layer, ...others] = candidates;
  if (layer !== undefined && others.length > 0) throw ambiguous(candidates, what);
  if (layer !== undefined) return { kind: 'raw', layer, layout: nameRaw(manifest, layer) };
  const layers = manifest.layers.filter(({ mediaType }) => TAR_LAYER.test(mediaType)).reverse();
  if (layers.length > 0) return { kind: 'tar', layers, layout: nameTar(manifest) };
  const types = manifest.layers.map(({ mediaType }) => mediaType).join(', ') || 'none';
  throw new ModuleError('no-module', `${what}: no layer is a Wasm module or an archive (layers: ${types})`, {
    hint: 'Check that the URL names a plugin. To push one: attache push FILE.wasm HOST/NAME:TAG',
  });
}

/** `oras push FILE` says of any file without a type that it is a tar. */
function isUntyped(
  { artifactType, configType }: ImageManifest,
  { mediaType, annotations }: Descriptor,
): boolean {
  const isArtifact = artifactType !== undefined || configType === EMPTY_CONFIG;
  return isArtifact && mediaType === ORAS_DEFAULT && annotations[ORAS_FOLDER] !== 'true';
}

function nameRaw({ configType, artifactType }: ImageManifest, { mediaType }: Descriptor): string {
  const byType = RAW_LAYERS[mediaType];
  if (configType === WASM_CONFIG) return 'cncf';
  if (artifactType !== undefined || configType === EMPTY_CONFIG || byType === undefined) return 'oras';
  return byType === 'cncf' ? 'oras' : byType;
}

function nameTar({ mediaType, layers }: ImageManifest): string {
  if (mediaType === DOCKER_MANIFEST) return 'docker-image';
  return layers.some(layer => layer.mediaType === HIGRESS_SPEC) ? 'higress' : 'compat-image';
}

function ambiguous(candidates: readonly Descriptor[], what: string): ModuleError {
  const list = candidates.map(({ digest, annotations }) => annotations[TITLE_ANNOTATION] ?? digest);
  return new ModuleError('ambiguous-module', `${what}: several layers are modules: ${list.join(', ')}`, {
    hint: 'Push each module under its own name or tag.',
  });
}
