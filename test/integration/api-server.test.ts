import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../../src/model/ports.ts';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { echoRegistry, pickyCheckResource, startApi } from '../api/api-client.ts';
import { makePresence } from '../model/records.ts';

const PLUGIN_PATH = '/v1/plugins/default/auth';
const LISTENER_PATH = '/v1/resources/listeners/default/ingress';
const listener = { '@type': LISTENER_TYPE, name: 'ingress' };

async function start(t: TestContext, over: Parameters<typeof startApi>[1] = {}) {
  const store = createMemoryStore();
  const api = await startApi(store, { registry: echoRegistry, checkResource: pickyCheckResource, ...over });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

/** A request with headers that fetch does not let one write. */
function raw(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, response => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end();
  });
}

test('a resource goes in and out, bare or framed, and its faults point into the whole document', async t => {
  const { call } = await start(t);
  const created = await call('PUT', LISTENER_PATH, listener);
  assert.deepEqual(
    [created.status, created.body.result, created.body.status.envoyName],
    [201, 'created', 'ingress'],
  );
  assert.deepEqual(created.body.warnings.length, 2);
  const framed = { apiVersion: 'attache/v1', kind: 'EnvoyResource', metadata: { name: 'ingress' } };
  assert.equal(
    (await call('PUT', LISTENER_PATH, { ...framed, resource: listener })).body.result,
    'unchanged',
  );
  const bad = { ...listener, filterChain: [] };
  for (const [document, pointer] of [
    [bad, '/filterChain'],
    [{ ...framed, resource: bad }, '/resource/filterChain'],
    [{ ...framed, spec: { resource: bad } }, '/spec/resource/filterChain'],
  ] as const) {
    const answer = await call('PUT', LISTENER_PATH, document);
    assert.deepEqual(
      [answer.status, answer.body.code, answer.body.errors[0].pointer],
      [422, 'unknown-field', pointer],
    );
  }
  assert.equal((await call('GET', '/v1/resources/listeners')).body.items.length, 1);
  assert.equal((await call('GET', LISTENER_PATH)).status, 200);
  assert.equal((await call('DELETE', LISTENER_PATH)).status, 200);
  assert.equal((await call('GET', LISTENER_PATH)).status, 404);
});

test('a resource of another type than the path, and a type that does not exist', async t => {
  const { call } = await start(t);
  const answer = await call('PUT', '/v1/resources/clusters/default/ingress', listener);
  assert.deepEqual(
    [answer.status, answer.body.code, answer.body.errors[0].pointer],
    [422, 'name-mismatch', '/@type'],
  );
  assert.equal((await call('GET', '/v1/resources/listners')).body.code, 'not-found');
});

test('two documents that give a node the same Envoy name: 409, and the first one stays', async t => {
  const { call, store } = await start(t);
  await store.put('NodePresence', 'edge-1', makePresence());
  await call('PUT', LISTENER_PATH, listener);
  const second = await call('PUT', '/v1/resources/listeners/default/second', listener);
  assert.deepEqual([second.status, second.body.code], [409, 'name-conflict']);
  assert.match(second.body.detail, /default\/ingress already gives nodes .* the name ingress in listeners/);
  assert.equal((await call('GET', '/v1/resources')).body.items.length, 1);
});

test("a resource shows which nodes refused it, with Envoy's text", async t => {
  const { call, store } = await start(t);
  const nack = { typeUrl: LISTENER_TYPE, name: 'ingress', version: '1', message: 'no address', at: 9 };
  await store.put('NodePresence', 'edge-1', makePresence({ nacks: [nack] }));
  const { status } = (await call('PUT', LISTENER_PATH, listener)).body;
  assert.deepEqual(status.nodes, { targeted: 1, refused: 1, disconnected: 0 });
  assert.equal(status.refusals[0].message, 'no address');
});

test('what cannot be read is a problem with its code', async t => {
  const { call } = await start(t);
  const codeOf = async (...args: Parameters<typeof call>) => {
    const { status, body } = await call(...args);
    return [status, body.code];
  };
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, '{"a":'), [400, 'bad-json']);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, '{"__proto__":{}}'), [400, 'bad-json']);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, '{"a":[{"constructor":1}]}'), [400, 'bad-json']);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, ''), [400, 'bad-json']);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, 'a: 1', { 'content-type': 'application/yaml' }), [
    415,
    'media-type',
  ]);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, 'a', { 'content-type': 'text/plain' }), [
    415,
    'media-type',
  ]);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, `"${'x'.repeat(1024 * 1024)}"`), [413, 'body-too-large']);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, '[]'), [422, 'wrong-type']);
  assert.deepEqual(await codeOf('PUT', PLUGIN_PATH, 'null'), [422, 'wrong-type']);
  assert.deepEqual(await codeOf('PUT', `${PLUGIN_PATH}?dryRn=true`, {}), [400, 'bad-query']);
  assert.deepEqual(await codeOf('GET', '/v1/events?limit=0'), [400, 'bad-query']);
  assert.deepEqual(await codeOf('GET', '/v1/nodes?nmae=x'), [400, 'bad-query']);
  assert.deepEqual(await codeOf('GET', `/v1/nodes/${'x'.repeat(2100)}`), [414, 'uri-too-long']);
  assert.deepEqual(await codeOf('GET', '/v1/nothing'), [404, 'unknown-path']);
  assert.deepEqual(await codeOf('POST', '/v1/plugins', {}), [404, 'unknown-path']);
  assert.deepEqual(await codeOf('GET', '/%zz'), [404, 'unknown-path']);
  assert.deepEqual(await codeOf('GET', '/v1/nodes/none'), [404, 'not-found']);
});

test('what is not HTTP gets a problem, too', async t => {
  const { url } = await start(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end('NOT HTTP\r\n\r\n');
  const answer = (await text(socket)).split('\r\n\r\n');
  assert.match(answer[0] ?? '', /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json/);
  assert.equal(JSON.parse(answer[1] ?? '').code, 'bad-request');
});

test('headers of more than 16 KiB are refused by name', async t => {
  const { url } = await start(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`);
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 431 /);
  assert.equal(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').code, 'headers-too-large');
});

test('an unexpected fault is a 500 that tells nothing of itself', async t => {
  const { call } = await start(t, {
    checkResource: async () => {
      throw new TypeError('secret detail');
    },
  });
  const answer = await call('PUT', LISTENER_PATH, listener);
  assert.deepEqual([answer.status, answer.body.code], [500, 'internal']);
  assert.doesNotMatch(JSON.stringify(answer.body), /secret/);
});

test('another Host or Origin is refused on loopback, also below /v2', async t => {
  const { url, call } = await start(t);
  const port = new URL(url).port;
  assert.equal(await raw(`${url}/healthz`, { host: `evil.example:${port}` }), 403);
  assert.equal(await raw(`${url}/v2/`, { host: 'evil.example' }), 403);
  assert.equal(await raw(`${url}/healthz`, { host: '127.0.0.1.evil.example' }), 403);
  assert.equal(await raw(`${url}/healthz`, { host: `localhost:${port}` }), 200);
  assert.equal(await raw(`${url}/healthz`, { host: `[::1]:${port}` }), 200);
  assert.equal(await raw(`${url}/healthz`, { host: `127.0.0.1:${port}`, origin: url }), 200);
  assert.equal(
    (await call('GET', '/healthz', undefined, { origin: 'http://evil.example' })).body.code,
    'foreign-origin',
  );
  assert.equal((await call('GET', '/healthz', undefined, { origin: 'null' })).status, 403);
  assert.equal((await call('GET', '/healthz', undefined, { origin: 'http://127.0.0.1:1' })).status, 403);
});

test('requests below /v2 go to the registry untouched; its failure is a problem', async t => {
  const { url, call } = await start(t);
  const body = Buffer.alloc(3 * 1024 * 1024, 1);
  const response = await fetch(`${url}/v2/a/blobs/uploads/x?digest=y`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/octet-stream' },
    body,
  });
  assert.deepEqual(await response.json(), {
    method: 'PATCH',
    url: '/v2/a/blobs/uploads/x?digest=y',
    size: body.length,
  });
  assert.equal((await call('GET', '/v2/broken')).status, 500);
  assert.equal((await call('GET', '/v2x')).body.code, 'unknown-path');
});

test('index, health, version and identity answer', async t => {
  const { call } = await start(t);
  assert.equal((await call('GET', '/')).body.paths.plugins, '/v1/plugins');
  assert.equal((await call('GET', '/version')).body.version, '0.0.0-test');
  assert.equal((await call('GET', '/v1/whoami')).body.role, 'admin');
  const { items } = (await call('GET', '/v1/limits')).body;
  assert.deepEqual(items[1], {
    name: 'connections',
    value: 10_000,
    unit: 'count',
    used: 0,
    hits: 0,
    lastHitAt: null,
    text: 'connections open at a time',
  });
  for (const path of ['/healthz', '/readyz']) assert.equal((await call('GET', path)).body.status, 'ok');
});

test('readyz is 503 when the store does not answer, and healthz is not', async t => {
  const { call, store } = await start(t);
  await store.close();
  assert.deepEqual((await call('GET', '/readyz')).body.code, 'not-ready');
  assert.equal((await call('GET', '/healthz')).status, 200);
});

test('a request id comes back, and one that could not stand in a log line is replaced', async t => {
  const { call } = await start(t);
  const own = await call('GET', '/nothing', undefined, { 'x-request-id': 'ci-42' });
  assert.deepEqual([own.headers.get('x-request-id'), own.body.requestId], ['ci-42', 'ci-42']);
  const odd = await call('GET', '/nothing', undefined, { 'x-request-id': 'a b' });
  assert.match(odd.body.requestId, /^[0-9a-f]{16}$/);
});

test('every answer tells how many requests are left, and a reader who has it gets 304', async t => {
  const { url, call } = await start(t);
  const first = await call('GET', '/v1/nodes');
  assert.match(first.headers.get('ratelimit-remaining') ?? '', /^\d+$/);
  const tag = first.headers.get('etag') ?? '';
  assert.match(tag, /^"[\w-]+"$/);
  const again = await fetch(`${url}/v1/nodes`, { headers: { 'if-none-match': `"x", ${tag}` } });
  assert.deepEqual(
    [again.status, again.headers.get('etag'), again.headers.get('content-type'), await again.text()],
    [304, tag, null, ''],
  );
});

test('the tag of a document is its version and its content: a writer is held to the first alone', async t => {
  const { call, store } = await start(t);
  await call('PUT', LISTENER_PATH, listener);
  const tag = (await call('GET', LISTENER_PATH)).headers.get('etag') ?? '';
  assert.match(tag, /^"1\./);
  await store.put('NodePresence', 'edge-1', makePresence());
  const moved = await call('GET', LISTENER_PATH, undefined, { 'if-none-match': tag });
  assert.deepEqual([moved.status, moved.headers.get('etag') === tag], [200, false]);
  const written = await call('PUT', LISTENER_PATH, { ...listener, name: 'in' }, { 'if-match': tag });
  assert.equal(written.status, 200);
  assert.equal(
    (await call('PUT', LISTENER_PATH, listener, { 'if-match': tag })).body.code,
    'revision-mismatch',
  );
});

test('what went over a request stands in the log: id, trace, status', async t => {
  const lines: object[] = [];
  const log = { ...silentLog, info: (fields: object) => lines.push(fields) };
  const { call } = await start(t, { log });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await call('PUT', LISTENER_PATH, listener, { traceparent, 'x-request-id': 'ci-1' });
  await call('DELETE', LISTENER_PATH, undefined, { traceparent: 'no\u00a0trace' });
  const [put, gone] = lines.filter(line => 'method' in line) as Record<string, unknown>[];
  assert.deepEqual(
    { ...put, durationMs: 0 },
    { method: 'PUT', path: LISTENER_PATH, requestId: 'ci-1', traceparent, status: 201, durationMs: 0 },
  );
  assert.equal(gone && 'traceparent' in gone, false);
});

test('stop ends open keep-alive connections, twice is once, and the port is free again', async t => {
  const { url, call, stop } = await start(t);
  await call('GET', '/healthz');
  await Promise.all([stop(), stop()]);
  const again = await start(t, {
    listen: { host: '127.0.0.1', port: Number(new URL(url).port), tls: undefined },
  });
  assert.equal(again.url, url);
  await assert.rejects(
    start(t, { listen: { host: '127.0.0.1', port: Number(new URL(url).port), tls: undefined } }),
    {
      code: 'api-listen-failed',
    },
  );
});

test('localhost listens as well', async t => {
  const { call } = await start(t, { listen: { host: 'localhost', port: 0, tls: undefined } });
  assert.equal((await call('GET', '/healthz')).status, 200);
});
