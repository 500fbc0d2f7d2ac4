import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

/** The two bytes of an empty config. https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export const EMPTY = Buffer.from('{}');
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

export function toDigest(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json(): any;
}

export type Call = (method: string, path: string, init?: RequestInit) => Promise<Answer>;

/** Raw requests to a registry; paths begin behind the host. */
export function callRegistry(host: string): Call {
  return async (method, path, init = {}) => {
    const response = await fetch(new URL(path, `http://${host}`), { method, ...init });
    const body = Buffer.from(await response.arrayBuffer());
    return {
      status: response.status,
      headers: response.headers,
      body,
      json: () => JSON.parse(body.toString()),
    };
  };
}

/** Pushes a blob in one request; gives its descriptor. */
export async function pushBlob(
  call: Call,
  repository: string,
  bytes: Uint8Array,
  mediaType = 'application/wasm',
) {
  const digest = toDigest(bytes);
  const { status } = await call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    body: Buffer.from(bytes),
  });
  assert.equal(status, 201);
  return { mediaType, digest, size: bytes.length };
}

export async function putManifest(call: Call, repository: string, reference: string, manifest: object) {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { mediaType = OCI_MANIFEST } = manifest as { mediaType?: string };
  const answer = await call('PUT', `/v2/${repository}/manifests/${reference}`, {
    headers: { 'content-type': mediaType },
    body: bytes,
  });
  return { answer, descriptor: { mediaType, digest: toDigest(bytes), size: bytes.length }, bytes };
}

/** Pushes an artifact of one layer, blobs first. `more` goes into the manifest. */
export async function pushImage(
  call: Call,
  repository: string,
  reference: string,
  layer: Uint8Array,
  more: object = {},
) {
  const config = await pushBlob(call, repository, EMPTY, 'application/vnd.oci.empty.v1+json');
  const layers = [await pushBlob(call, repository, layer)];
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, ...more };
  const { answer, descriptor } = await putManifest(call, repository, reference, manifest);
  assert.equal(answer.status, 201, answer.body.toString());
  return { ...descriptor, layer: layers[0]!.digest, config: config.digest, answer };
}

export async function pushIndex(
  call: Call,
  repository: string,
  reference: string,
  manifests: readonly object[],
) {
  const { answer, descriptor } = await putManifest(call, repository, reference, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests,
  });
  assert.equal(answer.status, 201, answer.body.toString());
  return { ...descriptor, answer };
}

/** The code of an error answer. */
export function toCode(answer: Answer): string {
  return answer.json().errors[0].code;
}
