/**
 * How a module is pushed. `cncf`: the layout of the CNCF, a raw layer. `compat`: an OCI image with plugin.wasm in a
 * layer, which every Istio reads. `solo-io`: the layout of WebAssembly Hub. `index`: the first two under one tag,
 * each reader takes the one that it knows.
 */
export const PUSH_LAYOUTS = ['cncf', 'compat', 'solo-io', 'index'] as const;
export type PushLayout = (typeof PUSH_LAYOUTS)[number];

/** The prefix of the annotations that every tool knows. https://specs.opencontainers.org/image-spec/annotations/ */
export const IMAGE_ANNOTATION = 'org.opencontainers.image.';
