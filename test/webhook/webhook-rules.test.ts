import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry } from '../../src/model/audit.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import { makeSecret, toShownUrl, WEBHOOK_EVENTS } from '../../src/model/webhook.ts';
import { isOver, toDelayMs } from '../../src/webhook/retry-rule.ts';
import { signMessage } from '../../src/webhook/sign-message.ts';
import { findEvent, toWebhookMessage } from '../../src/webhook/to-message.ts';
import { findUrlFault } from '../../src/webhook/webhook-address.ts';
import { makeRollout, makeSide } from '../model/records.ts';

const LINK = 'https://attache.internal/v1/rollouts/edge.auth.9';
const ROLLED_BACK: AuditEntry = {
  kind: 'AuditEntry',
  number: 4711,
  time: '2026-11-21T02:59:10.000Z',
  actor: 'attache',
  behalf: 'ci-edge',
  action: 'rollout.rolled-back',
  subject: 'edge.auth.9',
  result: 'done',
  text: 'edge/auth: 7 → 8 (edge.auth.9) RolledBack: all 30 nodes run revision 7 again (2.9 s)',
  revision: 90,
  changes: [],
  previous: 'a'.repeat(64),
  hash: 'b'.repeat(64),
};

test('a message is signed as Standard Webhooks says: the vector of its libraries', () => {
  const headers = signMessage('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    atMs: 1_614_265_330_999,
    body: '{"test": 2432232314}',
  });
  assert.deepEqual(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  const key = makeSecret(bytes => '00'.repeat(bytes));
  assert.equal(key, `whsec_${Buffer.alloc(32).toString('base64')}`);
});

test('who was woken reads what was refused where, what runs now, and how many were never touched', () => {
  const { text, type, timestamp, data } = toWebhookMessage(ROLLED_BACK, refused(), LINK);
  assert.equal(
    text,
    'edge/auth RolledBack: revision 8 was refused by 3 of 30 nodes of step 2; first edge-b-041 at 02:59:07 UTC: ' +
      '"Unable to create Wasm plugin edge/auth". All 30 nodes run revision 7 since 02:59:10 UTC. 270 nodes were never touched. ' +
      LINK,
  );
  assert.deepEqual([type, timestamp], ['rollout.rolled-back', ROLLED_BACK.time]);
  assert.deepEqual(data, {
    plugin: 'edge/auth',
    rollout: 'edge.auth.9',
    from: 7,
    to: 8,
    by: 'ci-edge',
    message: 'auth 1.6.0, JIRA-812',
    audit: 4711,
    link: LINK,
  });
});

test('what went back for another reason says which; one node is no "nodes"', () => {
  const { failure: _refusal, ...rollout } = refused();
  const broken = { ...rollout, why: 'edge-b-112 answered 503 to 398 of 398 requests in 10 s' };
  const back = { touched: 1, confirmed: 1, startedAt: 0, missing: [] };
  assert.equal(
    toWebhookMessage(ROLLED_BACK, { ...broken, back, targets: 2 }, LINK).text,
    'edge/auth RolledBack: edge-b-112 answered 503 to 398 of 398 requests in 10 s. The 1 node that had it runs revision 7 since 02:59:10 UTC. ' +
      `1 node was never touched. ${LINK}`,
  );
  const none = { ...broken, from: makeSide(null), back: { ...back, touched: 0 }, targets: 0 };
  assert.match(toWebhookMessage(ROLLED_BACK, none, LINK).text, /in 10 s\. No node had it\. https/);
});

test('the other events say what the audit says, without the id; a pause says how it goes on', () => {
  const say = (action: string, rest: string, rollout?: Rollout) =>
    toWebhookMessage(
      { ...ROLLED_BACK, action, text: `edge/auth: 7 → 8 (edge.auth.9) ${rest}` },
      rollout,
      LINK,
    ).text;
  assert.equal(
    say('rollout.started', 'started by ci: 300 nodes', refused()),
    `edge/auth: 7 → 8 started by ci: 300 nodes. ${LINK}`,
  );
  assert.equal(
    say('rollout.paused', 'paused: by admin: "look"', refused()),
    `edge/auth: 7 → 8 paused: by admin: "look". To go on: attache rollout resume edge/auth. ${LINK}`,
  );
  assert.match(
    say('rollout.rolled-back', 'RolledBack: all', undefined),
    /^edge\/auth: 7 → 8 RolledBack: all\. https/,
  );
});

test('a webhook is told of its events and plugins, and of nothing else: what is held back wakes nobody', () => {
  const all = { events: WEBHOOK_EVENTS };
  assert.equal(findEvent(ROLLED_BACK, all), 'rolled-back');
  assert.equal(findEvent(ROLLED_BACK, { ...all, plugins: 'edge/au' }), 'rolled-back');
  assert.equal(findEvent(ROLLED_BACK, { ...all, plugins: 'default/' }), undefined);
  assert.equal(findEvent(ROLLED_BACK, { events: ['started'] }), undefined);
  for (const over of [
    { action: 'rollout.held-back', result: 'held-back' },
    { action: 'rollout.paused', result: 'denied' },
    { action: 'rollout.pause' },
    { action: 'rollout.step.passed' },
    { action: 'plugin.configured', subject: 'edge/auth' },
    { subject: 'edge/auth' },
  ] as const)
    assert.equal(findEvent({ ...ROLLED_BACK, ...over }, all), undefined, JSON.stringify(over));
});

test('a URL is https, public and without a password, unless its host was allowed', () => {
  const isFine = (url: string, ...allowed: string[]) => findUrlFault(url, allowed) === undefined;
  for (const url of ['https://hooks.example/x', 'https://hooks.example:8443', 'https://8.8.8.8/'])
    assert.ok(isFine(url), url);
  for (const url of [
    'hooks.example',
    'ftp://hooks.example',
    'http://hooks.example/',
    'https://me:you@hooks.example/',
    'https://hooks.example/#x',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://2130706433/',
    'https://0x7f.1/',
  ])
    assert.ok(!isFine(url), url);
  assert.ok(isFine('http://127.0.0.1:8080/x', '127.0.0.1:8080'));
  assert.ok(!isFine('http://127.0.0.1:8081/x', '127.0.0.1:8080'));
  assert.ok(isFine('https://10.0.0.1/', '*'));
  assert.ok(!isFine('http://me@10.0.0.1/', '*'));
});

test('of a URL its path is not shown: with many receivers it is the password', () => {
  assert.equal(toShownUrl('https://hooks.slack.com/services/T0/B0/secret'), 'https://hooks.slack.com/…');
  assert.equal(toShownUrl('https://hooks.example/?key=secret'), 'https://hooks.example/…');
  assert.equal(toShownUrl('https://hooks.example'), 'https://hooks.example');
});

test('tries come ever slower, for a day; what a receiver does not want at all, for a minute', () => {
  assert.deepEqual(
    [1, 2, 5, 9, 100].map(tries => toDelayMs(tries, 1)),
    [1_000, 2_000, 16_000, 256_000, 300_000],
  );
  assert.equal(toDelayMs(1, 0), 500);
  const failed = { kind: 'failed', text: '' } as const;
  assert.ok(!isOver(failed, 1_000, 86_399_999));
  assert.ok(isOver(failed, 1, 86_400_000));
  assert.ok(!isOver({ ...failed, kind: 'refused' }, 5, 0));
  assert.ok(isOver({ ...failed, kind: 'refused' }, 6, 0));
});

function refused(): Rollout {
  const at = (time: string) => Date.parse(`2026-11-21T${time}.000Z`);
  const step = { wave: null, asked: { percent: 10 }, soakMs: 0, pause: null, state: 'failed' } as const;
  return makeRollout({
    id: 'edge.auth.9',
    plugin: 'edge/auth',
    number: 9,
    from: makeSide(7),
    to: makeSide(8),
    phase: 'RolledBack',
    by: 'ci-edge',
    note: 'auth 1.6.0, JIRA-812',
    targets: 300,
    steps: [
      { ...step, reaches: 1 },
      { ...step, reaches: 30 },
    ],
    endedAt: at('02:59:10'),
    failure: {
      kind: 'refusal',
      node: 'edge-b-041',
      nodes: ['edge-b-041', 'edge-b-055', 'edge-c-009'],
      count: 3,
      text: 'Unable to create Wasm plugin edge/auth',
      at: at('02:59:07'),
      step: 1,
      baking: false,
    },
    back: { touched: 30, confirmed: 30, startedAt: at('02:59:07'), tookMs: 2_900, missing: [] },
  });
}
