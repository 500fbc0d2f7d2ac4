import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { stopAfter } from '../harness/cleanup.ts';
import { startModuleHost } from '../harness/module-host.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { startUpstream } from '../harness/upstream.ts';
import { holds, until } from '../harness/wait.ts';

const bytes = Buffer.alloc(20_000, 7);
const sha256 = createHash('sha256').update(bytes).digest('hex');

test('the upstream echoes what it was asked', async t => {
  const upstream = stopAfter(t, await startUpstream());
  const response = await fetch(`${upstream.url}/some/path`, { headers: { 'x-one': '1' } });
  const echo = (await response.json()) as { path: string; headers: Record<string, string> };
  assert.equal(echo.path, '/some/path');
  assert.equal(echo.headers['x-one'], '1');
  assert.equal(upstream.count(), 1);
});

test('the module host serves what it was given, refuses, holds back and trickles', async t => {
  const host = stopAfter(t, await startModuleHost());
  const url = `http://127.0.0.1:${host.port}/m/${sha256}?tag=abc`;
  assert.equal((await fetch(url)).status, 404);
  host.add({ bytes, sha256 });
  assert.equal((await (await fetch(url)).bytes()).length, bytes.length);
  host.behave({ status: 503 });
  assert.equal((await fetch(url)).status, 503);

  let letGo = () => {};
  host.behave({ until: new Promise<void>(resolve => (letGo = resolve)) });
  const held = fetch(url);
  await until(() => host.gets.length === 4, { what: 'the held request' });
  assert.equal(host.gets[3]?.state, 'open');
  letGo();
  assert.equal((await held).status, 200);

  host.behave({ bytesPerSecond: 100_000 });
  const began = performance.now();
  assert.deepEqual(Buffer.from(await (await fetch(url)).bytes()), bytes);
  assert.ok(performance.now() - began > 150, 'four pieces, fifty milliseconds each');
  assert.deepEqual(
    host.getsOf(sha256).map(get => [get.state, get.tag]),
    [
      ['refused', 'abc'],
      ['sent', 'abc'],
      ['refused', 'abc'],
      ['sent', 'abc'],
      ['sent', 'abc'],
    ],
  );
});

test('the proxy passes on, cuts, refuses, answers in place and slows down', async t => {
  const host = stopAfter(t, await startModuleHost());
  host.add({ bytes, sha256 });
  const proxy = stopAfter(t, await startTcpProxy(host.port));
  const url = `http://127.0.0.1:${proxy.port}/m/${sha256}`;
  const get = async () => {
    const response = await fetch(url, { headers: { connection: 'close' } });
    return [response.status, (await response.bytes()).length];
  };
  assert.deepEqual(await get(), [200, bytes.length]);
  proxy.behave({ httpStatus: 404 });
  assert.deepEqual(await get(), [404, 0]);
  proxy.behave({ refuse: true });
  await assert.rejects(get());
  proxy.behave({ bytesPerSecond: 100_000 });
  const began = performance.now();
  assert.deepEqual(await get(), [200, bytes.length]);
  assert.ok(performance.now() - began > 150, 'twenty kilobytes at a hundred a second');

  host.behave({ until: new Promise(() => {}) });
  const cut = get();
  await until(() => host.gets.at(-1)?.state === 'open', { what: 'a request under way' });
  proxy.cut();
  await assert.rejects(cut);
  assert.ok(proxy.count() >= 5);
});

test('waiting ends with the condition, or says what it waited for', async () => {
  let looks = 0;
  assert.equal(await until(() => ++looks === 3 && 'there', { what: 'the third look', everyMs: 1 }), 'there');
  const never = until(() => Promise.reject(new Error('not yet')), { what: 'a miracle', deadlineMs: 30 });
  await assert.rejects(never, /waited 30 ms for a miracle: not yet/);
  await holds(() => true, { what: 'truth', forMs: 30 });
  await assert.rejects(
    holds(() => false, { what: 'falsehood', forMs: 30 }),
    /falsehood/,
  );
});
