import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RegistrySettings } from '../../src/model/registry-settings.ts';
import { createModuleSource, type ModuleSourceOptions } from '../../src/module/fetch-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { stopAfter } from '../harness/cleanup.ts';
import {
  makeCache,
  makeDirectory,
  makeModule,
  SHORT_LIMITS,
  sourceOptions,
  startRegistry,
  startWeb,
} from '../module/actors.ts';

const BYTES = makeModule('mirrored');
const never = new AbortController().signal;
const fixture = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');

const pushTo = (host: string, name: string, bytes = BYTES) =>
  pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath: undefined });

/** Plain HTTP everywhere: the servers are on loopback. */
const plain = (...hosts: string[]): RegistrySettings =>
  hosts.map(prefix => ({ prefix, mirrors: [], insecure: true }));

const mirrored = (prefix: string, ...mirrors: string[]): RegistrySettings => [
  { prefix, mirrors, insecure: false },
];

async function makeSource(
  t: TestContext,
  registries: RegistrySettings,
  more: Partial<ModuleSourceOptions> = {},
) {
  const source = createModuleSource(await makeCache(t), sourceOptions([], { registries, ...more }));
  stopAfter(t, { stop: () => source.close() });
  return source;
}

/** The ways in which a mirror can fail before it begins to send a blob. */
const FAILING: readonly [string, Parameters<typeof startWeb>[1]][] = [
  ['has it not', (_request, response) => void response.writeHead(404).end()],
  ['has a fault', (_request, response) => void response.writeHead(503).end()],
  ['is busy', (_request, response) => void response.writeHead(429, { 'retry-after': '5' }).end()],
  ['wants other credentials', (_request, response) => void response.writeHead(401).end()],
  ['hangs up', request => void request.socket.destroy()],
  ['does not answer', () => {}],
];

for (const [what, handler] of FAILING)
  test(`a mirror that ${what} is passed over, and that is told`, async t => {
    const first = await startWeb(t, handler);
    const second = await startRegistry(t);
    await pushTo(second.host, 'copy/team/auth:1');
    const origin = await startWeb(t, (_request, response) => void response.writeHead(500).end());
    const source = await makeSource(t, [
      ...mirrored(`${origin.host}/team`, `${first.host}/x/team`, `${second.host}/copy/team`),
      ...plain(first.host, second.host, origin.host),
    ]);
    const module = await source.fetch({ url: `${origin.host}/team/auth:1` }, never);
    assert.deepEqual(module.bytes, Buffer.from(BYTES));
    assert.equal(module.mirror, `${second.host}/copy/team/auth`);
    assert.equal(module.passedOver?.length, 1);
    assert.match(module.passedOver?.[0] ?? '', new RegExp(first.host));
    assert.equal(first.requests[0]?.line.split(' ')[1], '/v2/x/team/auth/manifests/1');
    assert.equal(origin.requests.length, 0, 'the registry itself is asked last');
  });

test('without any mirror that has it, the registry itself answers, and its word counts', async t => {
  const mirror = await startWeb(t, (_request, response) => void response.writeHead(503).end());
  const origin = await startRegistry(t);
  await pushTo(origin.host, 'team/auth:1');
  const source = await makeSource(t, [
    ...mirrored(origin.host, mirror.host),
    ...plain(mirror.host, origin.host),
  ]);
  const module = await source.fetch({ url: `${origin.host}/team/auth:1` }, never);
  assert.deepEqual([module.mirror, module.passedOver?.length], [undefined, 1]);
  const asked = mirror.requests.length;
  await assert.rejects(source.fetch({ url: `${origin.host}/team/none:1` }, never), (error: unknown) => {
    assert.ok(error instanceof ModuleError);
    assert.equal(
      error.code,
      'module-not-found',
      'a mirror with a fault does not make it something to wait for',
    );
    return true;
  });
  assert.ok(mirror.requests.length - asked <= 1);
});

test('a mirror that breaks off in the middle is asked last the next time', async t => {
  const origin = await startRegistry(t);
  await pushTo(origin.host, 'team/auth:1');
  const mirror = await startRegistry(t, (request, response) => {
    if (request.method !== 'GET' || !request.url?.includes('/blobs/')) return false;
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 10), () => response.destroy());
    return true;
  });
  await pushTo(mirror.host, 'team/auth:1');
  const source = await makeSource(t, [
    ...mirrored(origin.host, mirror.host),
    ...plain(mirror.host, origin.host),
  ]);
  const url = `${origin.host}/team/auth:1`;
  await assert.rejects(source.fetch({ url }, never), { code: 'registry-unreachable' });
  const module = await source.fetch({ url }, never);
  assert.deepEqual([module.bytes, module.mirror], [Buffer.from(BYTES), undefined]);
});

test('a mirror with other bytes ends it: what lies is not covered up by who does not', async t => {
  const origin = await startRegistry(t);
  await pushTo(origin.host, 'team/auth:1');
  const mirror = await startRegistry(t, (request, response) => {
    if (request.method !== 'GET' || !request.url?.includes('/blobs/')) return false;
    response.end(Buffer.from(BYTES).fill(0xff, BYTES.length - 1));
    return true;
  });
  await pushTo(mirror.host, 'team/auth:1');
  const source = await makeSource(t, [
    ...mirrored(origin.host, mirror.host),
    ...plain(mirror.host, origin.host),
  ]);
  const asked = origin.requests.length;
  await assert.rejects(source.fetch({ url: `${origin.host}/team/auth:1` }, never), (error: unknown) => {
    assert.ok(error instanceof ModuleError && error.code === 'wrong-digest' && !error.transient);
    return true;
  });
  assert.equal(origin.requests.length, asked);
});

test('each host gets its own user, a mirror too', async t => {
  const user = (name: string) => `Basic ${Buffer.from(`${name}:secret`).toString('base64')}`;
  const seen: string[] = [];
  const locked = (name: string, missing: boolean) => {
    let isLocked = false;
    return {
      lock: () => {
        isLocked = true;
      },
      before: (request: IncomingMessage, response: ServerResponse) => {
        if (!isLocked) return false;
        if (request.headers.authorization !== undefined)
          seen.push(`${name} ${request.headers.authorization}`);
        if (request.headers.authorization !== user(name))
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
        else if (missing) response.writeHead(404).end();
        else return false;
        return true;
      },
    };
  };
  const [m, o] = [locked('mirror', true), locked('origin', false)];
  const mirror = await startRegistry(t, m.before);
  const origin = await startRegistry(t, o.before);
  await pushTo(origin.host, 'team/auth:1');
  m.lock();
  o.lock();
  const path = join(await makeDirectory(t), 'config.json');
  const auth = (name: string) => ({ auth: Buffer.from(`${name}:secret`).toString('base64') });
  const auths = { [mirror.host]: auth('mirror'), [origin.host]: auth('origin') };
  await writeFile(path, JSON.stringify({ auths }));
  const source = await makeSource(
    t,
    [...mirrored(origin.host, mirror.host), ...plain(mirror.host, origin.host)],
    { dockerConfigPath: path },
  );
  const module = await source.fetch({ url: `${origin.host}/team/auth:1` }, never);
  assert.deepEqual(module.bytes, Buffer.from(BYTES));
  assert.deepEqual([...new Set(seen)].toSorted(), [`mirror ${user('mirror')}`, `origin ${user('origin')}`]);
});

test('a private CA is trusted for the host that names it, and the host may be private', async t => {
  const { registry } = await startRegistry(t);
  const server = createServer(
    { key: fixture('loopback.key'), cert: fixture('loopback.pem') },
    (request, response) => void registry.handle(request, response),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  stopAfter(t, {
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ca = fixture('loopback.pem');
  const url = `${host}/team/auth:1`;
  const trusting = await makeSource(t, [{ prefix: host, mirrors: [], insecure: false, ca }]);
  await assert.rejects(trusting.fetch({ url }, never), { code: 'module-not-found' });
  const other = await makeSource(t, [{ prefix: 'other.example', mirrors: [], insecure: false, ca }], {
    allowPrivateHosts: [host],
  });
  await assert.rejects(other.fetch({ url }, never), (error: unknown) => {
    assert.ok(error instanceof ModuleError && error.code === 'registry-unreachable');
    assert.match(error.hint ?? '', /setting registries/);
    return true;
  });
  const stranger = await makeSource(t, []);
  await assert.rejects(stranger.fetch({ url }, never), { code: 'address-refused' });
});

test('429 with a time: the whole host is left alone until then, whoever asks', async t => {
  const busy = await startWeb(
    t,
    (_request, response) => void response.writeHead(429, { 'retry-after': '60' }).end(),
  );
  const source = await makeSource(t, plain(busy.host));
  const isBusy = (error: unknown) =>
    error instanceof ModuleError && error.code === 'registry-busy' && (error.retryAfterMs ?? 0) > 50_000;
  await assert.rejects(source.fetch({ url: `${busy.host}/a:1` }, never), isBusy);
  await assert.rejects(source.fetch({ url: `${busy.host}/b:1` }, never), isBusy);
  assert.equal(busy.requests.length, 1);
});

test('however many places hang, the answer comes within the limit for all of them', async t => {
  const hosts = await Promise.all(Array.from({ length: 4 }, async () => (await startWeb(t, () => {})).host));
  const [origin = '', ...mirrors] = hosts;
  const timeLimits = {
    ...SHORT_LIMITS,
    firstByteMs: 60_000,
    totalMs: 60_000,
    mirrorMs: 60_000,
    answerMs: 700,
  };
  const source = await makeSource(t, [...mirrored(origin, ...mirrors), ...plain(...hosts)], { timeLimits });
  const startedAt = performance.now();
  await assert.rejects(source.fetch({ url: `${origin}/auth:1` }, never), (error: unknown) => {
    assert.ok(error instanceof ModuleError && error.code === 'registry-unreachable', String(error));
    assert.match(error.message, /did not answer within 0\.7 s/);
    return true;
  });
  assert.ok(performance.now() - startedAt < 10_000);
});
