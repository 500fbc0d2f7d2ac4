import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebhookView } from '../../src/api/schema/webhook-view.ts';
import { WEBHOOK_EVENTS } from '../../src/model/webhook.ts';
import { run, withServer } from './run-main.ts';

const VIEW: WebhookView = {
  kind: 'Webhook',
  name: 'on-call',
  resourceVersion: '7',
  url: 'https://hooks.example/…',
  events: [...WEBHOOK_EVENTS],
  plugins: null,
  createdBy: 'admin',
  createdAt: '2026-01-01T00:00:00.000Z',
  status: { lastSuccess: null, lastFailure: null, tries: 0, lost: 0 },
};
const URL = 'https://hooks.example/services/x';

test('webhook add prints the key of a new one to stdout and nothing else there', async () => {
  const created = { ...VIEW, result: 'created', secret: 'whsec_abc', dryRun: false };
  const answers = {
    'PUT /v1/webhooks/on-call': created,
    'PUT /v1/webhooks/on-call?message=why': {
      ...created,
      result: 'configured',
      secret: null,
      plugins: 'edge/',
    },
    'PUT /v1/webhooks/on-call?dryRun=true': { ...created, secret: null, dryRun: true },
  };
  await withServer(answers, async server => {
    const add = (...more: string[]) =>
      run(['webhook', 'add', 'on-call', '--url', URL, '--server', server, ...more]);
    const made = await add();
    assert.deepEqual([made.code, made.out], [0, 'whsec_abc\n']);
    assert.match(made.err, /^webhook on-call created: all events, to https:\/\/hooks\.example\/…\n/);
    const changed = await add('-m', 'why', '--event', 'paused', '--event', 'rolled-back');
    assert.equal(
      changed.out,
      'webhook on-call configured: all events, plugins edge/…, to https://hooks.example/…\n',
    );
    assert.match((await add('--dry-run')).out, /^dry run: webhook on-call would be created/);
    assert.equal((await add('--event', 'sometimes')).code, 2);
  });
});

test('webhook list shows what arrived, what failed and what was given up', async () => {
  const lastFailure = {
    at: new Date().toISOString(),
    text: 'it answered 500',
    about: 'rollout.paused edge.auth.9',
  };
  const items = [
    VIEW,
    {
      ...VIEW,
      name: 'edge',
      events: ['paused'],
      plugins: 'edge/',
      status: { ...VIEW.status, lastFailure, tries: 2 },
    },
    { ...VIEW, name: 'old', status: { ...VIEW.status, lost: 3 } },
  ];
  await withServer({ 'GET /v1/webhooks': { kind: 'WebhookList', items, next: null } }, async server => {
    const { out } = await run(['webhook', 'list', '-o', 'wide', '--server', server]);
    assert.match(out, /^NAME +URL +EVENTS +PLUGINS +LAST SUCCESS +LAST FAILURE +STATE +LOST +WHY/);
    assert.match(out, /\non-call +https:\/\/hooks\.example\/… +all +all +– +– +ok /);
    assert.match(out, /\nedge +.* paused +edge\/… +– +0s +failing, 2 tries +0 +it answered 500 /);
    assert.match(out, /\nold +.* ok, 3 lost +3 /);
  });
});

test('webhook test fails where the message was not taken; remove says so', async () => {
  const tested = { kind: 'WebhookTested', name: 'on-call', dryRun: false };
  const answers = {
    'POST /v1/webhooks/on-call/test': { ...tested, delivered: false, text: 'it answered 503' },
    'POST /v1/webhooks/good/test': { ...tested, delivered: true, text: 'took it (204)' },
    'DELETE /v1/webhooks/on-call?message=moved': {
      kind: 'WebhookRemoved',
      name: 'on-call',
      dryRun: false,
      text: 'webhook on-call removed',
    },
  };
  await withServer(answers, async server => {
    const failed = await run(['webhook', 'test', 'on-call', '--server', server]);
    assert.deepEqual([failed.code, failed.out], [1, 'it answered 503\n']);
    assert.equal((await run(['webhook', 'test', 'good', '--server', server])).code, 0);
    const removed = await run(['webhook', 'remove', 'on-call', '-m', 'moved', '--server', server]);
    assert.deepEqual([removed.code, removed.out], [0, 'webhook on-call removed\n']);
  });
});
