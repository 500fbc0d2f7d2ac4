import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { toDecision } from '../../src/model/audit.ts';
import { type Clock, silentLog } from '../../src/model/ports.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { createSeal } from '../../src/store/seal.ts';
import type { Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { linkTo } from '../../src/webhook/link-to.ts';
import type { WebhookPorts } from '../../src/webhook/webhook-lane.ts';
import { createWebhookAccess, startWebhookSender } from '../../src/webhook/webhook-sender.ts';
import { startApi } from '../api/api-client.ts';
import { holds, until } from '../harness/wait.ts';
import { isSigned, startReceiver } from '../harness/webhook-receiver.ts';

/** Waits are over sooner than real ones; the time is real. */
const SPEED = 200;
const fastClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs / SPEED);
    return () => clearTimeout(timer);
  },
};
const random = (bytes: number) => randomBytes(bytes).toString('hex');
const PATH = '/services/T0/hunter2';

test('a webhook is told what rollouts come to, signed, with a link; its key and path are shown never again', async t => {
  const { add, decide, receiver, call, store } = await start(t);
  const secret = await add('on-call');
  await decide('rollout.started', 'started by ci: 300 nodes');
  await decide('rollout.step.passed', 'step 1 passed');
  await decide('rollout.held-back', 'held back');
  await decide('rollout.succeeded', 'Succeeded in 2m: 300 of 300 nodes run revision 8');
  await count(receiver, 2);
  const [first, second] = receiver.received;
  assert.ok(first !== undefined && second !== undefined);
  for (const one of [first, second]) {
    assert.ok(isSigned(one, secret));
    assert.ok(!isSigned({ ...one, body: `${one.body} ` }, secret));
    assert.ok(Math.abs(Number(one.headers['webhook-timestamp']) * 1000 - Date.now()) < 60_000);
    assert.deepEqual([one.path, one.headers['content-type']], [PATH, 'application/json']);
  }
  assert.notEqual(first.headers['webhook-id'], second.headers['webhook-id']);
  const link = 'https://attache.internal/v1/rollouts/edge.auth.9';
  assert.partialDeepStrictEqual(JSON.parse(second.body), {
    type: 'rollout.succeeded',
    text: `edge/auth: 7 → 8 Succeeded in 2m: 300 of 300 nodes run revision 8. ${link}`,
    data: { plugin: 'edge/auth', rollout: 'edge.auth.9', by: 'ci-edge', link },
  });
  const { lastSuccess, lastFailure } = await until(
    async () => {
      const { status } = (await call('GET', '/v1/webhooks/on-call')).body;
      return status.lastSuccess?.about.startsWith('rollout.succeeded') && status;
    },
    { what: 'the delivery to be shown' },
  );
  assert.deepEqual([lastSuccess.status, lastFailure], [204, null]);
  for (const path of ['/v1/webhooks', '/v1/webhooks/on-call', '/v1/audit?limit=500', '/v1/events'])
    assert.doesNotMatch(JSON.stringify((await call('GET', path)).body), /whsec_|hunter2/, path);
  const kept = JSON.stringify([await store.list('Webhook'), await store.list('WebhookState')]);
  assert.doesNotMatch(kept, /whsec_|hunter2/);
});

test('what fails is sent again with the same id, ever later, and what comes after it waits its turn', async t => {
  const { add, decide, receiver, call } = await start(t);
  await add('on-call');
  receiver.answers.push(500, 'hang', 429, { status: 302, headers: { location: 'http://127.0.0.1:1/' } });
  await decide('rollout.started', 'started by ci: 300 nodes');
  await decide('rollout.paused', 'paused: by admin');
  await count(receiver, 6);
  const types = receiver.received.map(({ body }) => JSON.parse(body).type);
  assert.deepEqual(types, [...Array(5).fill('rollout.started'), 'rollout.paused']);
  const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
  assert.equal(ids.size, 2);
  const { status } = (await call('GET', '/v1/webhooks/on-call')).body;
  assert.match(status.lastFailure.text, /it answered 302, and redirects are not followed/);
});

test('while nobody is there it is said so, and a restart in between loses nothing', async t => {
  const { add, decide, receiver, call, restart } = await start(t);
  const secret = await add('on-call');
  await decide('rollout.started', 'started by ci');
  await count(receiver, 1);
  await receiver.down();
  await decide('rollout.paused', 'paused: by admin');
  await until(async () => (await call('GET', '/v1/webhooks/on-call')).body.status.tries > 0, {
    what: 'a failure',
  });
  const failing = (await call('GET', '/v1/webhooks/on-call')).body.status;
  assert.match(failing.lastFailure.text, /ECONNREFUSED/);
  assert.match(failing.lastFailure.about, /rollout\.paused edge\.auth\.9/);
  await restart(() => decide('rollout.succeeded', 'Succeeded'));
  await receiver.up();
  await count(receiver, 3);
  assert.deepEqual(
    receiver.received.map(({ body }) => JSON.parse(body).type),
    ['rollout.started', 'rollout.paused', 'rollout.succeeded'],
  );
  assert.ok(receiver.received.every(one => isSigned(one, secret)));
});

test('killed between the delivery and its note, it sends once more with the same id: at least once', async t => {
  const fault = { left: 1 };
  const { add, decide, receiver, restart } = await start(t, { fault });
  await add('on-call');
  await decide('rollout.started', 'started by ci');
  await until(() => fault.left === 0, { what: 'the note to be lost' });
  await restart(async () => {});
  await count(receiver, 2);
  const [first, second] = receiver.received;
  assert.equal(first?.headers['webhook-id'], second?.headers['webhook-id']);
  await decide('rollout.paused', 'paused');
  await count(receiver, 3);
});

test('a message that the receiver does not want is given up, and said to be lost; the next one arrives', async t => {
  const { add, decide, receiver, call } = await start(t);
  await add('on-call');
  receiver.answers.push(400, 400, 400, 400, 400, 400);
  await decide('rollout.started', 'started by ci');
  await decide('rollout.paused', 'paused');
  await count(receiver, 7);
  const read = async () => (await call('GET', '/v1/webhooks/on-call')).body.status;
  await until(async () => (await read()).lastSuccess !== null, { what: 'the delivery to be shown' });
  assert.equal((await read()).lost, 1);
});

test('a receiver that wants to speak something else has not taken the message: it is sent again', async t => {
  const { add, decide, receiver, call } = await start(t);
  await add('on-call');
  receiver.answers.push({ status: 101, headers: { connection: 'Upgrade', upgrade: 'h2c' } });
  await decide('rollout.started', 'started by ci');
  await count(receiver, 2);
  assert.equal(receiver.received[0]?.headers['webhook-id'], receiver.received[1]?.headers['webhook-id']);
  const { lastFailure } = (await call('GET', '/v1/webhooks/on-call')).body.status;
  assert.equal(lastFailure.text, 'it answered 101');
});

test('a receiver that hangs holds up no other', async t => {
  const { add, decide, receiver } = await start(t, { timeoutMs: 60_000 });
  const other = await startReceiver();
  t.after(() => other.stop());
  await add('slow', receiver.url);
  await add('on-call', other.url);
  receiver.answers.push('hang');
  await decide('rollout.started', 'started by ci');
  await decide('rollout.paused', 'paused');
  await count(other, 2);
  assert.equal(receiver.received.length, 1);
});

test('a name that leads to a private address is refused where the connection is made, with what would allow it', async t => {
  const { add, decide, receiver, call, store } = await start(t, { allowPrivateHosts: [] });
  const port = receiver.host.split(':')[1];
  await add('on-call', `https://localhost:${port}`);
  await decide('rollout.started', 'started by ci');
  const { lastFailure } = await until(
    async () => {
      const { status } = (await call('GET', '/v1/webhooks/on-call')).body;
      return status.tries > 1 && status;
    },
    { what: 'two tries' },
  );
  assert.match(lastFailure.text, /localhost \((127\.0\.0\.1|::1)\) is a private or loopback address/);
  assert.equal(receiver.received.length, 0);
  const refused = await call('PUT', '/v1/webhooks/inner', { url: receiver.url + PATH });
  assert.deepEqual([refused.status, refused.body.code], [422, 'webhook-wrong']);
  assert.match(refused.body.errors[0].hint, new RegExp(`--allow-private-host ${receiver.host}`));
  assert.doesNotMatch(JSON.stringify([refused.body, await store.list('AuditEntry')]), /hunter2/);
});

test('one that was removed is told nothing more; one of the same name begins anew, with another key', async t => {
  const { add, decide, receiver, call, store } = await start(t);
  const secret = await add('on-call');
  await decide('rollout.started', 'started by ci');
  await count(receiver, 1);
  assert.equal((await call('DELETE', '/v1/webhooks/on-call')).status, 200);
  await until(async () => (await store.list('WebhookState')).records.length === 0, {
    what: 'its state to go',
  });
  await decide('rollout.paused', 'paused');
  const another = await add('on-call');
  assert.notEqual(another, secret);
  await decide('rollout.succeeded', 'Succeeded');
  await count(receiver, 2);
  await holds(() => receiver.received.length === 2, { what: 'nothing older is told', forMs: 100 });
  assert.ok(receiver.received[1] !== undefined && isSigned(receiver.received[1], another));
  assert.equal((await call('GET', '/v1/webhooks/on-cal')).status, 404);
});

test('a change keeps the key and the place; the same again changes nothing; a dry run neither', async t => {
  const { add, decide, receiver, call, store } = await start(t);
  const secret = await add('on-call');
  const put = (body: object, query = '', headers = {}) =>
    call('PUT', `/v1/webhooks/on-call${query}`, body, headers);
  const url = receiver.url + PATH;
  const before = await store.list('Webhook');
  const dry = await put({ url, events: ['paused'] }, '?dryRun=true');
  assert.deepEqual([dry.body.result, dry.body.secret, dry.body.dryRun], ['configured', null, true]);
  const again = await put({ url });
  assert.deepEqual([again.status, again.body.result, again.body.secret], [200, 'unchanged', null]);
  assert.deepEqual((await store.list('Webhook')).records, before.records);
  assert.equal((await put({ url }, '', { 'if-match': '"0"' })).status, 412);
  const changed = await put({ url, events: ['paused'], plugins: 'edge/' });
  assert.deepEqual([changed.body.result, changed.body.secret], ['configured', null]);
  await decide('rollout.started', 'started by ci');
  await decide('rollout.paused', 'paused');
  await count(receiver, 1);
  assert.ok(receiver.received[0] !== undefined && isSigned(receiver.received[0], secret));
  assert.match(receiver.received[0].body, /rollout\.paused/);
});

test('one that is to be told of more from now on is not told of what was there before', async t => {
  const { decide, receiver, call } = await start(t);
  const put = (events?: readonly string[]) =>
    call('PUT', '/v1/webhooks/on-call', {
      url: receiver.url + PATH,
      ...(events === undefined ? {} : { events }),
    });
  await put(['aborted']);
  await decide('rollout.started', 'started by ci');
  await decide('rollout.aborted', 'aborted by ci');
  await count(receiver, 1);
  await decide('rollout.succeeded', 'Succeeded');
  await holds(() => receiver.received.length === 1, { what: 'that is passed over', forMs: 100 });
  await put();
  await decide('rollout.paused', 'paused');
  await count(receiver, 2);
  assert.match(receiver.received[1]?.body ?? '', /rollout\.paused/);
});

test('a test says what became of one message', async t => {
  const { add, receiver, call } = await start(t);
  const secret = await add('on-call');
  const tryIt = async (query = '') => (await call('POST', `/v1/webhooks/on-call/test${query}`)).body;
  assert.equal((await tryIt('?dryRun=true')).delivered, false);
  assert.equal(receiver.received.length, 0);
  assert.equal((await tryIt()).delivered, true);
  assert.ok(receiver.received[0] !== undefined && isSigned(receiver.received[0], secret));
  assert.equal(JSON.parse(receiver.received[0].body).type, 'webhook.test');
  receiver.answers.push(503, 'hang');
  const failed = await tryIt();
  assert.deepEqual(
    [failed.delivered, failed.text],
    [false, `${receiver.url}/… did not take it: it answered 503`],
  );
  assert.match((await tryIt()).text, /no answer within 0\.3 s/);
  assert.equal((await call('POST', '/v1/webhooks/none/test')).status, 404);
});

test('what cannot be a webhook is refused with its place', async t => {
  const { call, receiver } = await start(t);
  for (const [name, body, pointer] of [
    ['On-Call', { url: receiver.url }, '/name'],
    ['a', { url: 'ftp://x' }, '/url'],
    ['a', { url: receiver.url, plugins: 'edge' }, '/plugins'],
  ] as const) {
    const { status, body: problem } = await call('PUT', `/v1/webhooks/${name}`, body);
    assert.deepEqual([status, problem.code, problem.errors[0].pointer], [422, 'webhook-wrong', pointer]);
  }
  for (const body of [
    {},
    { url: receiver.url, events: [] },
    { url: receiver.url, events: ['x'] },
    { url: 1, x: 1 },
  ])
    assert.equal((await call('PUT', '/v1/webhooks/a', body)).status, 400, JSON.stringify(body));
});

async function count(receiver: Awaited<ReturnType<typeof startReceiver>>, wanted: number): Promise<void> {
  await until(() => receiver.received.length >= wanted, { what: `${wanted} messages` });
  assert.equal(receiver.received.length, wanted);
}

interface Over {
  readonly allowPrivateHosts?: readonly string[];
  readonly timeoutMs?: number;
  /** So many notes of deliveries are lost. */
  readonly fault?: { left: number };
}

/** The API and the stage over one store, and a receiver; what rollouts come to is said by hand. */
async function start(
  t: TestContext,
  { allowPrivateHosts = ['127.0.0.1'], timeoutMs = 300, fault }: Over = {},
) {
  const store = createMemoryStore();
  const receiver = await startReceiver();
  const seal = createSeal(Buffer.alloc(32, 1), random);
  const ports: WebhookPorts = {
    store: fault === undefined ? store : losing(store, fault),
    ...{ seal, clock: fastClock, random, log: silentLog, allowPrivateHosts, timeoutMs },
    linkTo: rollout => linkTo('https://attache.internal', rollout),
  };
  const api = await startApi(store, { webhooks: createWebhookAccess(ports), seal });
  let sender = startWebhookSender(ports);
  t.after(async () => {
    await api.stop();
    await sender.stop();
    await receiver.stop();
    await store.close();
  });
  const decide = (action: string, rest: string) => {
    const text = `edge/auth: 7 → 8 (edge.auth.9) ${rest}`;
    const value = toDecision(Date.now(), { action, subject: 'edge.auth.9', text, behalf: 'ci-edge' });
    return store.transaction([{ op: 'append', kind: 'AuditEntry', value }]);
  };
  const add = async (name: string, url = receiver.url): Promise<string> => {
    const { status, body } = await api.call('PUT', `/v1/webhooks/${name}`, { url: url + PATH });
    assert.equal(status, 201, JSON.stringify(body));
    return body.secret;
  };
  const restart = async (meanwhile: () => Promise<unknown>): Promise<void> => {
    await sender.stop();
    await meanwhile();
    sender = startWebhookSender(ports);
  };
  return { call: api.call, store, receiver, decide, add, restart };
}

/** Loses the note of a delivery, as a kill right before it would. */
function losing(store: Store, fault: { left: number }): Store {
  const put: Store['put'] = async (kind, key, value, expected) => {
    if (kind === 'WebhookState' && 'lastSuccess' in value && fault.left > 0) {
      fault.left -= 1;
      throw new StoreError('store-failed', 'killed');
    }
    return store.put(kind, key, value, expected);
  };
  return {
    put,
    get: store.get.bind(store),
    list: store.list.bind(store),
    delete: store.delete.bind(store),
    transaction: store.transaction.bind(store),
    watch: store.watch.bind(store),
    close: store.close.bind(store),
  };
}
