/** What push, pull, inspect and tag do to a registry over HTTP. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PUSH_LAYOUTS } from '../../src/model/artifact-layout.ts';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { inspectFile, inspectReference } from '../../src/module/inspect-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { tagArtifact } from '../../src/module/tag-artifact.ts';
import { makeDirectory, makeModule, random, startRegistry } from '../module/actors.ts';
import { pullBytes } from '../module/pull-bytes.ts';
import { callRegistry, EMPTY, pushBlob, putManifest } from '../module/registry-client.ts';
import { pushBundle, pushSimpleSigning } from '../module/signature/push-signature.ts';
import { makeSigner } from '../module/signature/signing.ts';

const access = { insecureRegistries: [], dockerConfigPath: undefined };
const at = (reference: string) => ({ ...access, reference, random });
const MODULE = makeModule('hub');

test('what is pushed in any layout is pulled, by tag and by digest, and is told by inspect', async t => {
  const { host } = await startRegistry(t);
  const names = { cncf: 'cncf', compat: 'compat-image', 'solo-io': 'solo-io', index: 'cncf' };
  for (const layout of PUSH_LAYOUTS) {
    const annotations = { 'org.opencontainers.image.version': layout };
    const reference = `${host}/team/auth:${layout}`;
    const pushed = await pushModule({ ...access, bytes: MODULE, reference, layout, annotations });
    const pinned = `${host}/team/auth@${pushed.manifestDigest}`;
    for (const name of [reference, pinned]) {
      const pulled = await pullBytes(at(name));
      assert.deepEqual(pulled.bytes, Buffer.from(MODULE));
      assert.deepEqual([pulled.sha256, pulled.layout], [sha256Hex(MODULE), names[layout]]);
      assert.equal(pulled.referenceDigest, pushed.manifestDigest);
    }
    const { artifact, module, fault } = await inspectReference(at(reference));
    assert.equal(fault, undefined);
    assert.equal(artifact?.digest, pushed.manifestDigest);
    assert.deepEqual(
      artifact?.children.map(({ platform, chosen }) => [platform, chosen]),
      layout === 'index'
        ? [
            ['linux/amd64', false],
            ['wasip1/wasm', true],
          ]
        : [],
    );
    assert.equal(artifact?.manifest?.annotations['org.opencontainers.image.version'], layout);
    assert.deepEqual(artifact?.signatures, { state: 'unsigned', text: 'not signed' });
    assert.deepEqual(
      [module?.sha256, module?.abi, module?.layout],
      [sha256Hex(MODULE), '0.2.1', names[layout]],
    );
    assert.ok(module?.imports.some(({ name }) => name === 'env.proxy_log'));
    assert.ok(module?.exports.some(({ name }) => name === 'proxy_on_vm_start'));
  }
});

test('a tag is moved to what another names, an index as well; what is not there is said to be missing', async t => {
  const { host } = await startRegistry(t);
  const first = await pushModule({ ...access, bytes: MODULE, reference: `${host}/a:1`, layout: 'index' });
  const second = await pushModule({ ...access, bytes: makeModule('other'), reference: `${host}/a:2` });
  const tag = (reference: string) =>
    tagArtifact({ ...access, reference: `${host}/${reference}`, tag: 'stable' });
  assert.equal((await tag('a:1')).digest, first.manifestDigest);
  assert.equal((await pullBytes(at(`${host}/a:stable`))).referenceDigest, first.manifestDigest);
  assert.equal((await tag(`a@${second.manifestDigest}`)).digest, second.manifestDigest);
  assert.equal((await pullBytes(at(`${host}/a:stable`))).referenceDigest, second.manifestDigest);
  await assert.rejects(tag('a:none'), { code: 'module-not-found' });
  await assert.rejects(tagArtifact({ ...access, reference: 'https://a.example/x', tag: '1' }), {
    code: 'bad-reference',
  });
});

test('inspect counts signatures, and with a key says whether one holds', async t => {
  const { host } = await startRegistry(t);
  const reference = `${host}/team/auth:1`;
  const { manifestDigest } = await pushModule({ ...access, bytes: MODULE, reference });
  const [release, stranger] = [makeSigner('p256'), makeSigner('ed25519')];
  const look = async (verificationKey?: string) => {
    const request = { ...at(reference), ...(verificationKey === undefined ? {} : { verificationKey }) };
    return (await inspectReference(request)).artifact?.signatures.state;
  };
  assert.equal(await look(release.pem), 'unsigned');
  await pushSimpleSigning(host, 'team/auth', manifestDigest, release);
  await pushBundle(host, 'team/auth', manifestDigest, release);
  const counted = await inspectReference(at(reference));
  assert.match(counted.artifact?.signatures.text ?? '', /^2 attached/);
  assert.equal(await look(release.pem), 'verified');
  assert.equal(await look(stranger.pem), 'failed');
  await assert.rejects(look('no key'), { code: 'signature-key-unknown' });
});

test('an artifact without a module is told with the reason; a missing one is an error', async t => {
  const { host } = await startRegistry(t);
  const call = callRegistry(host);
  const config = await pushBlob(call, 'a', EMPTY);
  const text = await pushBlob(call, 'a', Buffer.from('readme'), 'text/plain');
  await putManifest(call, 'a', '1', { schemaVersion: 2, config, layers: [text] });
  const { artifact, module, fault } = await inspectReference(at(`${host}/a:1`));
  assert.deepEqual([module, fault?.code], [undefined, 'no-module']);
  assert.deepEqual(
    artifact?.manifest?.layers.map(({ mediaType }) => mediaType),
    ['text/plain'],
  );
  await assert.rejects(inspectReference(at(`${host}/a:2`)), { code: 'module-not-found' });
  await assert.rejects(pullBytes(at(`${host}/a:1`)), { code: 'no-module' });
});

test('a file is inspected as it is or packed; what is no module is told as its fault', async t => {
  const path = join(await makeDirectory(t), 'it.wasm');
  await writeFile(path, MODULE);
  assert.equal((await inspectFile(path)).module?.sha256, sha256Hex(MODULE));
  await writeFile(path, gzipSync(MODULE));
  assert.equal((await inspectFile(path)).module?.sha256, sha256Hex(MODULE));
  await writeFile(path, 'text');
  assert.equal((await inspectFile(path)).fault?.code, 'not-wasm');
  await assert.rejects(inspectFile(`${path}.none`), { code: 'ENOENT' });
});

test('a registry that takes other bytes than it was sent is caught', async t => {
  const { host } = await startRegistry(t, (request, response) => {
    if (request.method !== 'PUT' || !request.url?.includes('/manifests/')) return false;
    request.resume();
    response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end();
    return true;
  });
  await assert.rejects(pushModule({ ...access, bytes: MODULE, reference: `${host}/a:1` }), {
    code: 'push-failed',
  });
});
