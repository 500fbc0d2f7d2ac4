/** Tokens as they are made, used, listed and revoked. docs/access.md */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTokenCheck } from '../../src/api/access/token-check.ts';
import { REQUESTS_AT_ONCE } from '../../src/api/access/token-limits.ts';
import { TOKEN_USE_MS } from '../../src/model/api-token.ts';
import { silentLog } from '../../src/model/ports.ts';
import { startAccessScene } from '../api/access-scene.ts';
import { systemClock } from '../api/api-client.ts';
import { until } from '../harness/wait.ts';

const NEW = { name: 'ci-edge', role: 'deployer', plugins: 'edge/', nodes: { tier: 'edge' }, expires: '90d' };

test('a token is shown once; lists show what it may, and neither it nor its hash', async t => {
  const { give, callAs, store } = await startAccessScene(t);
  const admin = await give('admin');
  const made = await callAs(admin, 'POST', '/v1/tokens', NEW);
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('cache-control'), 'no-store');
  const { token, kind, dryRun, ...shown } = made.body;
  assert.deepEqual([kind, dryRun], ['TokenCreated', false]);
  assert.equal((await callAs(token, 'GET', '/v1/whoami')).body.name, 'ci-edge');
  const one = (await callAs(admin, 'GET', '/v1/tokens/ci-edge')).body;
  const { lastUsedAt: _used, ...unused } = one;
  const { lastUsedAt: _never, ...wanted } = { kind: 'Token', ...shown };
  assert.deepEqual(unused, wanted);
  const list = (await callAs(admin, 'GET', '/v1/tokens')).body;
  assert.equal(list.items.length, 2);
  const stored = (await store.list('Token')).records.map(({ value }) => value.sha256);
  for (const text of [JSON.stringify(list), JSON.stringify(one)])
    for (const secret of [token, ...stored]) assert.equal(text.includes(secret), false);
  const whole = JSON.stringify([await store.list('Token'), await store.list('Event')]);
  assert.equal(whole.includes(token), false);
});

test('what a token cannot be is told by field, and a name is given once', async t => {
  const { give, callAs } = await startAccessScene(t);
  const admin = await give('admin');
  const wrong = { name: 'CI', role: 'admin', plugins: 'edge', expires: 'soon' };
  const { status, body } = await callAs(admin, 'POST', '/v1/tokens', wrong);
  assert.deepEqual([status, body.code], [422, 'token-wrong']);
  assert.deepEqual(
    body.errors.map((fault: { pointer: string }) => fault.pointer),
    ['/name', '/plugins', '/role', '/expires'],
  );
  assert.equal((await callAs(admin, 'POST', '/v1/tokens', { ...NEW, role: 'root' })).status, 400);
  assert.equal((await callAs(admin, 'POST', '/v1/tokens', { ...NEW, token: 'att_1' })).status, 400);
  for (const name of ['admin', 'attache', 'unknown', 'several'])
    assert.equal((await callAs(admin, 'POST', '/v1/tokens', { name, role: 'viewer' })).status, 422, name);
  assert.equal((await callAs(admin, 'POST', '/v1/tokens', NEW)).status, 201);
  const again = await callAs(admin, 'POST', '/v1/tokens', NEW);
  assert.deepEqual([again.status, again.body.code], [409, 'token-exists']);
});

test('a dry run makes and revokes nothing', async t => {
  const { give, callAs, store } = await startAccessScene(t);
  const admin = await give('admin');
  const before = await store.list('Token');
  const made = await callAs(admin, 'POST', '/v1/tokens?dryRun=true', NEW);
  assert.deepEqual([made.status, made.body.token, made.body.dryRun], [200, null, true]);
  const revoked = await callAs(admin, 'DELETE', '/v1/tokens/admin-1?dryRun=true');
  assert.deepEqual([revoked.status, revoked.body.dryRun], [200, true]);
  assert.deepEqual((await store.list('Token')).records, before.records);
});

test('a revoked token counts no more from the next call on, and the last admin is told so', async t => {
  const { give, callAs, store } = await startAccessScene(t);
  const admin = await give('admin');
  const viewer = await give('viewer');
  assert.equal((await callAs(viewer, 'GET', '/v1/whoami')).status, 200);
  const revoked = await callAs(admin, 'DELETE', '/v1/tokens/viewer-2?message=lost');
  assert.deepEqual([revoked.status, revoked.body.text], [200, 'token viewer-2: revoked']);
  const { status, body, headers } = await callAs(viewer, 'GET', '/v1/whoami');
  assert.deepEqual([status, body.code], [401, 'unauthenticated']);
  assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  assert.equal((await callAs(admin, 'DELETE', '/v1/tokens/viewer-2')).status, 404);
  assert.match((await callAs(admin, 'DELETE', '/v1/tokens/admin-1')).body.text, /No admin token is left/);
  assert.equal((await callAs(admin, 'GET', '/v1/whoami')).status, 401);
  const told = (await store.list('Event')).records.map(({ value }) => value.message);
  assert.ok(told.includes('token viewer-2 revoked by admin-1'), told.join('\n'));
});

test('a token ends at its time, and says so to who has it', async t => {
  let now = 1_000_000;
  const clock = { ...systemClock, now: () => now };
  const { give, callAs } = await startAccessScene(t, { clock });
  const token = await give('viewer', {}, { expiresAt: now + 1_000, name: 'short' });
  assert.equal(
    (await callAs(token, 'GET', '/v1/whoami')).body.expiresAt,
    new Date(now + 1_000).toISOString(),
  );
  now += 1_000;
  const { status, body } = await callAs(token, 'GET', '/v1/whoami');
  assert.equal(status, 401);
  assert.match(body.detail, /the token short expired at 1970-01-01T00:16:41/);
});

test('the last use is written once a minute, not with every call', async t => {
  let now = 1_000_000;
  const clock = { ...systemClock, now: () => now };
  const { give, callAs, store, writer } = await startAccessScene(t, { clock });
  const token = await give('admin');
  const use = async (): Promise<number | undefined> =>
    (await store.list('TokenUse')).records.find(() => true)?.value.at;
  const first = (await store.list('Token')).revision;
  await Promise.all(Array.from({ length: 20 }, () => callAs(token, 'GET', '/v1/whoami')));
  await writer.flush();
  assert.equal(await use(), 1_000_000);
  assert.equal((await store.list('Token')).revision, first + 1);
  now += TOKEN_USE_MS - 1;
  await callAs(token, 'GET', '/v1/whoami');
  await writer.flush();
  assert.equal(await use(), 1_000_000);
  now += 1;
  const { body } = await callAs(token, 'GET', '/v1/tokens/admin-1');
  assert.equal(body.lastUsedAt, new Date(1_000_000).toISOString());
  await writer.flush();
  assert.equal(await use(), now);
});

test('on loopback nobody needs a token, and one that is sent counts', async t => {
  const scene = await startAccessScene(t);
  const checkToken = createTokenCheck({ ...scene, clock: systemClock });
  const open = await startAccessScene(t, { auth: { asksTokens: false, checkToken } });
  const viewer = await scene.give('viewer');
  const none = (await open.call('GET', '/v1/whoami')).body;
  assert.deepEqual([none.name, none.role, none.how], ['admin', 'admin', 'no token needed']);
  assert.equal((await open.callAs(viewer, 'GET', '/v1/whoami')).body.role, 'viewer');
  assert.equal((await open.callAs(viewer, 'PUT', '/v1/freeze')).status, 403);
  assert.equal((await open.callAs(`${viewer.slice(0, -1)}x`, 'GET', '/v1/whoami')).status, 401);
  assert.equal((await open.callAs('atn_edge-1_00', 'GET', '/v1/whoami')).status, 401);
  assert.equal(
    (await open.call('GET', '/v1/whoami', undefined, { authorization: 'Basic YTpi' })).status,
    401,
  );
});

test('a stream of events ends when its token is revoked', async t => {
  const { give, url, store } = await startAccessScene(t);
  const token = await give('viewer');
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/v1/events`, { headers, signal: AbortSignal.timeout(20_000) });
  let told = '';
  const reading = (async () => {
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) told += text;
  })();
  await until(() => told.includes('event: bookmark'), { what: 'the stream to begin' });
  const { records } = await store.list('Token');
  for (const { key } of records) await store.delete('Token', key);
  await store.put('Event', '000000000000002-x', { type: 'x', at: 2, message: 'after the end' });
  await reading;
  assert.match(told, /event: end\ndata: .*"revoked"/);
  assert.equal(told.includes('after the end'), false);
});

test('one token does not hold all streams: the hundred and first is refused, and room comes back', async t => {
  const { give, url, callAs } = await startAccessScene(t);
  const [busy, other] = [await give('viewer'), await give('viewer')];
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${busy}` };
  const leave = new AbortController();
  const streams = Array.from({ length: REQUESTS_AT_ONCE }, () =>
    fetch(`${url}/v1/events`, { headers, signal: leave.signal }),
  );
  for (const stream of await Promise.all(streams)) assert.equal(stream.status, 200);
  const refused = await callAs(busy, 'GET', '/v1/whoami');
  assert.deepEqual([refused.status, refused.body.code], [429, 'too-many-requests']);
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal((await callAs(other, 'GET', '/v1/whoami')).status, 200);
  leave.abort();
  await until(async () => (await callAs(busy, 'GET', '/v1/whoami')).status === 200, { what: 'room' });
});

test('a token that somebody takes for a name is neither logged nor audited', async t => {
  const lines: string[] = [];
  const log = { ...silentLog, info: (fields: object) => lines.push(JSON.stringify(fields)) };
  const { give, call, callAs, store } = await startAccessScene(t, { log });
  const [admin, viewer] = [await give('admin'), await give('viewer')];
  const path = `/v1/tokens/${viewer}`;
  assert.equal((await callAs(admin, 'DELETE', path)).status, 404);
  assert.equal((await callAs(viewer, 'DELETE', path)).status, 403);
  assert.equal((await call('DELETE', path)).status, 401);
  assert.equal(lines.length, 3);
  const entries = (await store.list('AuditEntry')).records.map(({ value }) => value);
  assert.equal(entries.length, 2);
  const secret = viewer.split('_').at(-1) ?? '';
  assert.ok(!JSON.stringify([lines, entries]).includes(secret));
  assert.ok(entries.every(({ subject }) => subject.startsWith(viewer.slice(0, 12))));
});
