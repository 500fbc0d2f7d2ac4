/** Digests in documents, as Istio has them: https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/ */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { createModuleSource } from '../../src/module/fetch-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { stopAfter } from '../harness/cleanup.ts';
import {
  makeCache,
  makeDirectory,
  makeModule,
  sourceOptions,
  startRegistry,
  startWeb,
} from '../module/actors.ts';
import { pushIndex } from '../module/signature/push-signature.ts';

const never = new AbortController().signal;
const isWrong = (error: unknown) => error instanceof ModuleError && error.code === 'wrong-digest';
const toHex = (digest: string) => digest.replace('sha256:', '');

async function setUp(t: TestContext, hosts: readonly string[], moduleDirectory?: string) {
  const options = sourceOptions(hosts, { allowPrivateHosts: hosts, moduleDirectory });
  const source = createModuleSource(await makeCache(t), options);
  stopAfter(t, { stop: () => source.close() });
  return (url: string, sha256?: string) => source.fetch({ url, sha256 }, never);
}

const push = async (host: string, name: string, bytes: Uint8Array) =>
  pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath: undefined });

test('oci: sha256 is the digest of the manifest or of the index, and not that of the module', async t => {
  const { host } = await startRegistry(t);
  const bytes = makeModule('one');
  const { manifestDigest, moduleSha256 } = await push(host, 'auth:1', bytes);
  const index = await pushIndex(host, 'auth', manifestDigest, 'index');
  const fetch = await setUp(t, [host]);
  for (const [url, digest] of [
    [`${host}/auth:1`, manifestDigest],
    [`${host}/auth:index`, index],
    [`${host}/auth:index`, manifestDigest],
  ] as const)
    assert.deepEqual((await fetch(url, toHex(digest))).bytes, Buffer.from(bytes));
  await assert.rejects(fetch(`${host}/auth:1`, moduleSha256), isWrong);
  await assert.rejects(fetch(`${host}/auth:1`, toHex(index)), isWrong);
});

test('oci: a tag that moved is told apart by sha256; a digest in the URL wins over its tag', async t => {
  const { host } = await startRegistry(t);
  const old = await push(host, 'auth:1', makeModule('old'));
  await push(host, 'auth:1', makeModule('new'));
  const fetch = await setUp(t, [host]);
  await assert.rejects(fetch(`${host}/auth:1`, toHex(old.manifestDigest)), isWrong);
  const pinned = await fetch(`${host}/auth:1@${old.manifestDigest}`);
  assert.deepEqual(pinned.bytes, Buffer.from(makeModule('old')));
});

test('oci: a registry that answers a digest with other bytes is not believed', async t => {
  const registry = await startRegistry(t);
  const { manifestDigest } = await push(registry.host, 'auth:1', makeModule('one'));
  const other = await push(registry.host, 'auth:2', makeModule('two'));
  const liar = await startWeb(t, async (request, response) => {
    const path = (request.url ?? '').replace(manifestDigest, other.manifestDigest);
    const answer = await globalThis.fetch(`http://${registry.host}${path}`, {
      headers: { accept: String(request.headers.accept) },
    });
    const type = answer.headers.get('content-type') ?? '';
    const headers = { 'content-type': type, 'docker-content-digest': manifestDigest };
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
  });
  const fetch = await setUp(t, [liar.host]);
  await assert.rejects(fetch(`${liar.host}/auth@${manifestDigest}`), isWrong);
});

test('http and file: sha256 is the hash of the module, unpacked', async t => {
  const bytes = makeModule('one');
  const web = await startWeb(t, (_request, response) => void response.end(gzipSync(bytes)));
  const directory = await makeDirectory(t);
  await writeFile(join(directory, 'a.wasm'), bytes);
  const fetch = await setUp(t, [web.host], directory);
  for (const url of [`http://${web.host}/a.wasm.gz`, `file://${directory}/a.wasm`]) {
    assert.deepEqual((await fetch(url, sha256Hex(bytes))).bytes, Buffer.from(bytes));
    await assert.rejects(fetch(url, sha256Hex(gzipSync(bytes))), isWrong);
  }
});
