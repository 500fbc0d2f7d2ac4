import { createHash } from 'node:crypto';
import { makeBundle, makePayload, makeStatement, type Signer } from './signing.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Signs a digest as cosign 2 does by default: under the tag `sha256-<hex>.sig`. */
export async function pushSimpleSigning(host: string, repository: string, digest: string, signer: Signer) {
  const payload = makePayload(digest);
  const annotations = { 'dev.cosignproject.cosign/signature': signer.sign(payload).toString('base64') };
  const type = 'application/vnd.dev.cosign.simplesigning.v1+json';
  const layer = { mediaType: type, ...(await pushBlob(host, repository, payload)), annotations };
  const tag = `${digest.replace(':', '-')}.sig`;
  return pushManifest(host, repository, await makeManifest(host, repository, layer), tag);
}

/** Signs a digest as cosign 3 does: a bundle that refers to it, listed by tag where the registry has no API. */
export async function pushBundle(host: string, repository: string, digest: string, signer: Signer) {
  const bytes = makeBundle(signer, makeStatement(digest));
  const layer = { mediaType: BUNDLE, ...(await pushBlob(host, repository, bytes)) };
  const subject = { mediaType: MANIFEST, digest, size: 1 };
  const manifest = { ...(await makeManifest(host, repository, layer)), artifactType: BUNDLE, subject };
  const pushed = await pushManifest(host, repository, manifest);
  const api = await fetch(`http://${host}/v2/${repository}/referrers/${digest}`);
  if (api.status === 200) return;
  const size = Buffer.byteLength(JSON.stringify(manifest));
  const manifests = [{ mediaType: MANIFEST, digest: pushed, size, artifactType: BUNDLE }];
  const index = { schemaVersion: 2, mediaType: INDEX, manifests };
  await pushManifest(host, repository, index, digest.replace(':', '-'), INDEX);
}

/** An index over one manifest that is there, with a platform for Wasm; gives its digest. */
export async function pushIndex(host: string, repository: string, digest: string, tag: string) {
  const found = await fetch(`http://${host}/v2/${repository}/manifests/${digest}`, {
    headers: { accept: MANIFEST },
  });
  const size = (await found.arrayBuffer()).byteLength;
  const platform = { os: 'wasip1', architecture: 'wasm' };
  const manifests = [{ mediaType: MANIFEST, digest, size, platform }];
  return pushManifest(host, repository, { schemaVersion: 2, mediaType: INDEX, manifests }, tag, INDEX);
}

async function makeManifest(host: string, repository: string, layer: object) {
  const empty = await pushBlob(host, repository, Buffer.from('{}'));
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...empty };
  return { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] };
}

async function pushBlob(host: string, repository: string, bytes: Uint8Array) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const start = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const url = new URL(start.headers.get('location') ?? '', `http://${host}`);
  url.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const end = await fetch(url, { method: 'PUT', headers, body: Buffer.from(bytes) });
  if (end.status !== 201) throw new Error(`blob: ${end.status} ${await end.text()}`);
  return { digest, size: bytes.length };
}

async function pushManifest(host: string, repository: string, value: object, tag?: string, type = MANIFEST) {
  const body = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const url = `http://${host}/v2/${repository}/manifests/${tag ?? digest}`;
  const answer = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
  if (answer.status !== 201) throw new Error(`manifest: ${answer.status} ${await answer.text()}`);
  return digest;
}
