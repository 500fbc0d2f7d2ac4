import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModuleError } from '../../src/module/module-error.ts';
import { HostMemory, listEndpoints, toEndpointName } from '../../src/module/registry-endpoints.ts';
import { parseRetryAfter } from '../../src/module/response-error.ts';
import { HostTurns } from '../../src/module/turns.ts';

const repository = { host: 'reg.example', repository: 'team/auth' };
const settings = [{ prefix: 'reg.example', mirrors: ['m1.example', 'm2.example/x'], insecure: false }];

test('mirrors in their order, the registry itself last', () => {
  const endpoints = listEndpoints(settings, repository);
  assert.deepEqual(endpoints.map(toEndpointName), [
    'm1.example/team/auth',
    'm2.example/x/team/auth',
    'reg.example/team/auth',
  ]);
  assert.deepEqual(
    endpoints.map(({ isMirror }) => isMirror),
    [true, true, false],
  );
  assert.equal(listEndpoints([], repository).length, 1);
});

test('who did not answer is asked last for half a minute', () => {
  let now = 0;
  const memory = new HostMemory({ now: () => now });
  const endpoints = listEndpoints(settings, repository);
  memory.shun('m1.example');
  const hosts = () => memory.order(endpoints).map(({ host }) => host);
  assert.deepEqual(hosts(), ['m2.example', 'reg.example', 'm1.example']);
  now = 30_000;
  assert.deepEqual(hosts(), ['m1.example', 'm2.example', 'reg.example']);
});

test('a host that asked for it is left alone, for an hour at most', () => {
  let now = 0;
  const memory = new HostMemory({ now: () => now });
  const leftMs = () => {
    try {
      memory.checkPause('reg.example');
      return 0;
    } catch (error) {
      assert.ok(error instanceof ModuleError && error.code === 'registry-busy' && error.transient);
      return error.retryAfterMs;
    }
  };
  assert.equal(leftMs(), 0);
  memory.pause('reg.example', 7_000, 'reg.example answers 429');
  assert.equal(leftMs(), 7_000);
  memory.checkPause('other.example');
  now = 7_000;
  assert.equal(leftMs(), 0);
  memory.pause('reg.example', 1e12, 'reg.example answers 429');
  assert.equal(leftMs(), 3_600_000);
});

test('Retry-After: seconds, or a date held against the clock of who says it', () => {
  const date = 'Sat, 21 Nov 2026 10:00:00 GMT';
  assert.equal(parseRetryAfter({ 'retry-after': '7' }), 7_000);
  assert.equal(parseRetryAfter({ 'retry-after': 'Sat, 21 Nov 2026 10:00:30 GMT', date }), 30_000);
  for (const asked of ['soon', '-1', 'Sat, 21 Nov 2026 09:00:00 GMT'])
    assert.equal(parseRetryAfter({ 'retry-after': asked, date }), undefined, asked);
  assert.equal(parseRetryAfter({ 'retry-after': 'Sat, 21 Nov 2026 10:00:30 GMT' }), undefined);
  assert.equal(parseRetryAfter({}), undefined);
});

test('who waits for its host keeps no other waiting', async () => {
  const turns = new HostTurns(3, 1);
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const run = (host: string, name: string, wait?: Promise<void>) =>
    turns.run(host, async () => {
      await wait;
      done.push(name);
    });
  const dead = [
    run('dead', 'd1', gate.promise),
    run('dead', 'd2', gate.promise),
    run('dead', 'd3', gate.promise),
  ];
  await Promise.all([run('a', 'a1'), run('b', 'b1'), run('a', 'a2')]);
  assert.deepEqual(done.toSorted(), ['a1', 'a2', 'b1']);
  gate.resolve();
  await Promise.all(dead);
  assert.deepEqual(done.slice(3), ['d1', 'd2', 'd3']);
});
