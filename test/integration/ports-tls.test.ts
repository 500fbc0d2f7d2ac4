/** TLS on the module port, where a certificate has to be of the node that a URL was made for, and on the API port. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Agent, fetch } from 'undici';
import { RestClient } from '../../src/cli/rest-client.ts';
import { makeCapability, modulePath } from '../../src/model/module-fetch.ts';
import { silentLog } from '../../src/model/ports.ts';
import { startModuleServer } from '../../src/module/module-server.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { watchCertificates } from '../../src/tls/watch-certificates.ts';
import { openNodeGate } from '../../src/xds/identity/node-gate.ts';
import { startApi } from '../api/api-client.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { makePki, readPem, type TestPki } from '../harness/pki.ts';
import { makeCache, makeModule } from '../module/actors.ts';
import { FakeClock } from '../store/fake-clock.ts';

const KEY = randomBytes(32);

async function watch(t: TestContext, pki: TestPki) {
  const { cert, key } = pki.server;
  const certificates = await watchCertificates(
    { cert, key, clientCas: [pki.ca] },
    new FakeClock(),
    silentLog,
  );
  t.after(() => certificates.stop());
  return certificates;
}

async function setUpModules(t: TestContext) {
  const pki = makePki(t);
  const certificates = await watch(t, pki);
  const store = createMemoryStore();
  const clock = { now: () => Date.now(), after: () => () => {} };
  const gate = await openNodeGate({
    ...{ auth: 'mtls', claims: 'ignored', identity: undefined, tokenKey: KEY },
    ...{ store, clock, log: silentLog },
  });
  const cache = await makeCache(t);
  const server = await startModuleServer({
    listen: { host: '127.0.0.1', port: 0 },
    tls: { certificates, requireClient: true },
    checkCaller: gate.checkModuleCaller,
    ...{ keys: () => [KEY], cache, onMissing() {}, clock, log: silentLog },
  });
  stopAfter(t, {
    async stop() {
      await server.stop();
      gate.stop();
      await store.close();
    },
  });
  const { sha256 } = await cache.write([makeModule('served')], { maxBytes: 1 << 20 });
  const get = async (from: string | undefined, urlOf: string) => {
    const own = from === undefined ? {} : readPem(pki.node(from));
    const dispatcher = new Agent({ connect: { ca: readFileSync(pki.ca), ...own } });
    const path = modulePath(sha256, makeCapability(KEY, urlOf, 'a'.repeat(16), sha256), '0'.repeat(16));
    const response = await fetch(`https://127.0.0.1:${server.address.port}${path}`, { dispatcher });
    const text = await response.text();
    await dispatcher.close();
    return { status: response.status, text };
  };
  return { get, store, gate };
}

test('a module goes to the node that its URL was made for, and to no other one', async t => {
  const { get, store, gate } = await setUpModules(t);
  assert.equal((await get('edge-1', 'edge-1')).status, 200);
  const other = await get('edge-2', 'edge-1');
  assert.deepEqual([other.status, JSON.parse(other.text).code], [403, 'node-refused']);
  assert.equal(gate.refusals().get('node-refused'), 1);
  await assert.rejects(get(undefined, 'edge-1'), 'no certificate, no answer');
  const changed = new Promise<void>(resolve => {
    gate.onChange(resolve);
  });
  await store.put('NodePolicy', 'edge-1', {
    node: 'edge-1',
    certificate: 'spiffe://attache.test/node/edge-2',
  });
  await changed;
  assert.equal((await get('edge-2', 'edge-1')).status, 200, 'a policy gave the node to that name');
  assert.equal((await get('edge-1', 'edge-1')).status, 403);
});

test('the API speaks TLS to who trusts its CA, and says in readiness what expires', async t => {
  const pki = makePki(t);
  pki.renewServer(7);
  const clock = { now: () => Date.now(), after: () => () => {} };
  const { cert, key } = pki.server;
  const certificates = await watchCertificates({ cert, key, clientCas: [] }, clock, silentLog);
  t.after(() => certificates.stop());
  const tls = { certificates, requireClient: false };
  const store = createMemoryStore();
  const api = await startApi(store, { listen: { host: '127.0.0.1', port: 0, tls }, certificates });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  assert.match(api.url, /^https:/);
  const ca = readFileSync(pki.ca, 'utf8');
  const client = new RestClient({ server: api.url, token: undefined, ca });
  const { warnings = [] } = await client.get<{ warnings?: string[] }>('/readyz');
  assert.match(warnings.join(), /^the certificate of the server \(CN=server\) expires at/);
  const stranger = new RestClient({ server: api.url, token: undefined, ca: undefined });
  await assert.rejects(stranger.get('/readyz'), { code: 'untrusted-server' });
});

test('files that cannot be used keep it from starting, and are named', async t => {
  const pki = makePki(t);
  const { cert, key } = pki.server;
  const node = pki.node('edge-1');
  const wrong = [
    { cert, key: node.key, clientCas: [] },
    { cert: key, key, clientCas: [] },
    { cert, key: cert, clientCas: [] },
    { cert: `${cert}x`, key, clientCas: [] },
    { cert, key, clientCas: [node.cert] },
    { cert, key, clientCas: [key] },
    { cert: pki.ca, key: pki.ca.replace('ca.pem', 'ca-key.pem'), clientCas: [] },
  ];
  for (const paths of wrong)
    await assert.rejects(watchCertificates(paths, new FakeClock(), silentLog), {
      code: 'tls-file-wrong',
      message: new RegExp(pki.folder),
    });
});
