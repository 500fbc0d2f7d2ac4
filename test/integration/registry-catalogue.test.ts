import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CatalogueList } from '../../src/api/schema/catalogue-view.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { startApi } from '../api/api-client.ts';
import { startRegistry, systemClock } from '../module/actors.ts';
import { callRegistry, pushImage, pushIndex } from '../module/registry-client.ts';

const annotate = (of: Readonly<Record<string, string>>) => ({
  annotations: Object.fromEntries(
    Object.entries(of).map(([key, value]) => [`org.opencontainers.image.${key}`, value]),
  ),
});

/** A registry with three repositories, behind the API. */
async function start(t: TestContext) {
  let now = Date.parse('2026-07-01T03:00:00Z');
  const clock = { ...systemClock, now: () => (now += 1000) };
  const { host, registry } = await startRegistry(t, undefined, { clock });
  const call = callRegistry(host);
  const basic = { title: 'Basic authentication', licenses: 'Apache-2.0', source: 'https://git.example/auth' };
  for (const version of ['1.9', '1.10'])
    await pushImage(call, 'team/auth', version, Buffer.from(version), annotate({ ...basic, version }));
  await call('PUT', '/v2/team/auth/manifests/latest', {
    body: (await call('GET', '/v2/team/auth/manifests/1.10')).body,
  });
  const child = await pushImage(call, 'limit', 'linux', Buffer.alloc(900), annotate({ licenses: 'MIT' }));
  const wasm = await pushImage(call, 'limit', 'wasm', Buffer.alloc(100));
  await pushIndex(call, 'limit', '2', [
    { ...child, platform: { os: 'linux', architecture: 'amd64' } },
    { ...wasm, platform: { os: 'wasip1', architecture: 'wasm' } },
  ]);
  await pushImage(call, 'limit', `sha256-${'0'.repeat(64)}.sig`, Buffer.from('a signature'));
  await call('DELETE', '/v2/limit/manifests/linux');
  const api = await startApi(createMemoryStore(), { registry });
  t.after(() => api.stop());
  const search = async (query: string): Promise<CatalogueList> => {
    const { status, body } = await api.call('GET', `/v1/catalogue${query}`);
    assert.equal(status, 200);
    return body;
  };
  return { api, search };
}

const names = ({ items }: CatalogueList) => items.map(({ repository, tags }) => `${repository}:${tags}`);

test('the catalogue lists what has a tag, the newest first, with size and annotations', async t => {
  const { search } = await start(t);
  const all = await search('');
  assert.deepEqual(names(all), ['limit:2', 'limit:wasm', 'team/auth:1.10,latest', 'team/auth:1.9']);
  const [index, , auth] = all.items;
  assert.equal(index?.sizeBytes, 100, 'of the image for Wasm');
  assert.equal(auth?.sizeBytes, 4);
  assert.equal(auth?.annotations['org.opencontainers.image.version'], '1.10');
  assert.equal(auth?.artifactType, 'application/vnd.oci.empty.v1+json');
  assert.match(auth?.pushedAt ?? '', /^2026-07-01T03:00:/);
});

test('a search is for words that all occur, anywhere or in one annotation', async t => {
  const { search, api } = await start(t);
  const find = async (q: string) => names(await search(`?q=${encodeURIComponent(q)}`));
  assert.deepEqual(await find('BASIC auth'), ['team/auth:1.10,latest', 'team/auth:1.9']);
  assert.deepEqual(await find('basic limit'), []);
  assert.deepEqual(await find('version=1.9'), ['team/auth:1.9']);
  assert.deepEqual(await find('licenses=apache source=git.example 1.10'), ['team/auth:1.10,latest']);
  assert.deepEqual(await find('org.opencontainers.image.licenses=mit'), []);
  const one = await search('?limit=1&q=auth');
  assert.deepEqual([one.items.length, one.total], [1, 2]);
  assert.equal((await api.call('GET', '/v1/catalogue?limit=0')).status, 400);
});

test('without a registry the catalogue is empty', async t => {
  const api = await startApi(createMemoryStore());
  t.after(() => api.stop());
  assert.deepEqual((await api.call('GET', '/v1/catalogue')).body, {
    kind: 'CatalogueList',
    items: [],
    next: null,
    total: 0,
  });
});
