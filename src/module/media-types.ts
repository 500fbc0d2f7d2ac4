/** The media types that Attaché reads and writes, letter for letter. */

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** What a manifest can be. Without all four, some registries answer 404 for what they hold. */
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

/** The CNCF artifact layout: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/ */
export const WASM_CONFIG = 'application/vnd.wasm.config.v0+json';
export const WASM_LAYER = 'application/wasm';

/** The layout of WebAssembly Hub: https://github.com/solo-io/wasm/blob/master/spec/spec.md */
export const SOLO_CONFIG = 'application/vnd.module.wasm.config.v1+json';
export const SOLO_LAYER = 'application/vnd.module.wasm.content.layer.v1+wasm';

/** Layer types that are the module's own bytes, with the layout that uses each. */
export const RAW_LAYERS: Readonly<Record<string, string>> = {
  'application/wasm': 'cncf',
  'application/vnd.wasm.content.layer.v1+wasm': 'wasm-to-oci',
  [SOLO_LAYER]: 'solo-io',
};

/** Layer types that are archives, however compressed. */
export const TAR_LAYER =
  /^application\/vnd\.(oci\.image\.layer\.(nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(diff|foreign\.diff)\.tar)([.+](gzip|zstd))?$/;

export const TITLE_ANNOTATION = 'org.opencontainers.image.title';
export const REF_NAME_ANNOTATION = 'org.opencontainers.image.ref.name';
