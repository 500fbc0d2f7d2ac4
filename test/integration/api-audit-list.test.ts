import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { AuditDraft, AuditEntry } from '../../src/model/audit.ts';
import { CHAIN_START, followChain, isBroken } from '../../src/model/audit-chain.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { auditKey } from '../../src/store/record-kinds.ts';
import { openSqliteStore, STORE_FILE } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { startApi, systemClock } from '../api/api-client.ts';

/** More than two blocks of what is read at once. */
const COUNT = 2_345;
const BEGAN = Date.parse('2026-01-01T00:00:00Z');

test('the audit is answered newest first in pages, and none is left out or told twice', async t => {
  const { call } = await start(t);
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const page = cursor === null ? '' : `&cursor=${cursor}`;
    const { body } = await call('GET', `/v1/audit?limit=500${page}`);
    seen.push(...body.items.map(({ number }: AuditEntry) => number));
    cursor = body.next;
  } while (cursor !== null);
  assert.deepEqual(
    seen,
    Array.from({ length: COUNT }, (_, i) => COUNT - i),
  );
  assert.equal((await call('GET', '/v1/audit')).body.items.length, 100);
});

test('filters find what they name: who, what about, which action, what came of it, when', async t => {
  const { call } = await start(t);
  const numbers = async (query: string) =>
    (await call('GET', `/v1/audit?limit=500&${query}`)).body.items.map(({ number }: AuditEntry) => number);
  assert.deepEqual(await numbers('actor=eve'), [1500]);
  assert.deepEqual(await numbers('actor=ci&action=rollout'), [1502], 'also on whose behalf');
  assert.deepEqual(await numbers('subject=edge/auth'), [1502, 1501, 1500], 'also rollouts of the plugin');
  assert.deepEqual(await numbers('subject=edge.auth.7'), [1501]);
  assert.deepEqual(await numbers('result=denied'), [1500]);
  assert.deepEqual(await numbers(`since=${at(2343)}`), [2345, 2344, 2343]);
  assert.deepEqual(await numbers(`since=${at(1499)}&until=${at(1502)}`), [1501, 1500, 1499]);
  assert.deepEqual(await numbers('since=1s'), []);
  for (const query of ['since=soon', 'until=x', 'result=good', 'format=xml', 'colour=red', 'cursor=x'])
    assert.equal((await call('GET', `/v1/audit?${query}`)).status, 400, query);
});

test('JSON lines are all entries, oldest first, and whoever has them can follow the chain', async t => {
  const { url } = await start(t);
  for (const [path, headers] of [
    ['/v1/audit?format=jsonl', {}],
    ['/v1/audit', { accept: 'application/jsonl' }],
    ['/v1/audit', { accept: 'application/x-ndjson;q=1, application/json;q=0.5' }],
  ] as const) {
    const response = await fetch(url + path, { headers });
    assert.equal(response.headers.get('content-type'), 'application/jsonl');
    const entries = readLines(await response.text());
    assert.equal(entries.length, COUNT);
    assert.ok(!isBroken(followChain(CHAIN_START, entries)));
  }
  const some = await (await fetch(`${url}/v1/audit?format=jsonl&since=${at(2344)}`)).text();
  assert.deepEqual(
    readLines(some).map(({ number }) => number),
    [2344, 2345],
  );
  const none = await (await fetch(`${url}/v1/audit?format=jsonl&actor=nobody`)).text();
  assert.equal(none, '');
});

test('an audit that nobody touched is intact, an empty one too', async t => {
  const { call, store } = await start(t);
  const head = (await store.get('AuditHead', 'head'))?.value;
  const { body } = await call('GET', '/v1/audit/verification');
  assert.deepEqual(body, { kind: 'AuditVerification', intact: true, head, broken: null });
  const empty = createMemoryStore();
  const api = await startApi(empty);
  const answer = await api.call('GET', '/v1/audit/verification');
  assert.deepEqual([answer.body.intact, answer.body.head.number], [true, 0]);
  await api.stop();
  await empty.close();
});

const UPDATE = 'UPDATE current SET value = json_set(value,';
const WHERE = (number: number) => `WHERE kind = 'AuditEntry' AND key = '${auditKey(number)}'`;
for (const [title, sql, broken] of [
  ['an entry that was changed', `${UPDATE} '$.actor', 'nobody') ${WHERE(1234)}`, [1234, 'changed']],
  ['an entry that was removed', `DELETE FROM current ${WHERE(1234)}`, [1234, 'missing']],
  [
    'entries that were swapped',
    `UPDATE current SET key = 'x' ${WHERE(1234)}; UPDATE current SET key = '${auditKey(1234)}' ${WHERE(1235)};
     UPDATE current SET key = '${auditKey(1235)}' WHERE kind = 'AuditEntry' AND key = 'x'`,
    [1234, 'missing'],
  ],
  ['a tail that was cut off', `DELETE FROM current ${WHERE(2345)}`, [2345, 'cut']],
  [
    'a tail that was cut off where a page of it ends',
    `DELETE FROM current WHERE kind = 'AuditEntry' AND key >= '${auditKey(1000)}'`,
    [1000, 'cut'],
  ],
  ['all of it gone', "DELETE FROM current WHERE kind = 'AuditEntry'", [1, 'cut']],
  [
    'a head that was set back, with the entries left',
    "UPDATE current SET value = json_set(value, '$.number', 2344) WHERE kind = 'AuditHead'",
    [2344, 'cut'],
  ],
] as const)
  test(`${title} is named by the verification`, async t => {
    const { tamper, call } = await startOnDisk(t);
    await tamper(sql);
    const { body } = await call('GET', '/v1/audit/verification');
    assert.equal(body.intact, false);
    assert.deepEqual([body.broken.number, body.broken.fault], broken, body.broken.text);
  });

test('an audit that was cut off with its head is noticed by who kept the number and hash of an entry', async t => {
  const { tamper, call } = await startOnDisk(t);
  const [kept] = (await call('GET', '/v1/audit?limit=1')).body.items;
  const [before] = (await call('GET', `/v1/audit?limit=1&until=${at(1000)}`)).body.items;
  const known = `known=${kept.number}:${kept.hash}`;
  assert.equal((await call('GET', `/v1/audit/verification?${known}`)).body.intact, true);
  await tamper(
    `DELETE FROM current WHERE kind = 'AuditEntry' AND key > '${auditKey(before.number)}';
     UPDATE current SET value = json_set(value, '$.number', ${before.number}, '$.hash', '${before.hash}') WHERE kind = 'AuditHead'`,
  );
  assert.equal((await call('GET', '/v1/audit/verification')).body.intact, true, 'it is sound in itself');
  const { body } = await call('GET', `/v1/audit/verification?${known}`);
  assert.deepEqual([body.broken.number, body.broken.fault], [before.number + 1, 'cut']);
  const other = `known=${before.number}:${'0'.repeat(64)}`;
  assert.equal((await call('GET', `/v1/audit/verification?${other}`)).body.broken.number, before.number);
  assert.equal((await call('GET', '/v1/audit/verification?known=1:x')).status, 400);
});

async function start(t: TestContext) {
  const store = createMemoryStore();
  await fill(store);
  const api = await startApi(store);
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

/** The same on disk, and a way to change the file while nobody has it open. */
async function startOnDisk(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'attache-audit-'));
  let store = await openSqliteStore({ directory, clock: systemClock });
  await fill(store);
  let api = await startApi(store);
  const stop = async (): Promise<void> => {
    await api.stop();
    await store.close();
  };
  t.after(async () => {
    await stop();
    await rm(directory, { recursive: true, force: true });
  });
  const tamper = async (sql: string): Promise<void> => {
    await stop();
    const db = new DatabaseSync(join(directory, STORE_FILE));
    db.exec(sql);
    db.close();
    store = await openSqliteStore({ directory, clock: systemClock });
    api = await startApi(store);
  };
  return { tamper, call: (method: string, path: string) => api.call(method, path) };
}

/** One entry a second; a few of them are special. */
async function fill(store: Store): Promise<void> {
  const special: Readonly<Record<number, Partial<AuditDraft>>> = {
    1500: { actor: 'eve', subject: 'edge/auth', result: 'denied', code: 'forbidden' },
    1501: { subject: 'edge.auth.7', action: 'rollout.pause' },
    1502: { subject: 'edge/auth', actor: 'attache', behalf: 'ci', action: 'rollout.rolled-back' },
  };
  const drafts = Array.from({ length: COUNT }, (_, i): AuditDraft => {
    const draft: AuditDraft = {
      time: at(i + 1),
      actor: 'admin',
      action: 'plugin.configured',
      subject: 'default/auth',
      result: 'done',
      text: 'x',
    };
    return { ...draft, ...special[i + 1] };
  });
  for (let i = 0; i < COUNT; i += 100)
    await store.transaction(
      drafts.slice(i, i + 100).map(value => ({ op: 'append', kind: 'AuditEntry', value }) as const),
    );
}

function at(number: number): string {
  return new Date(BEGAN + number * 1_000).toISOString();
}

function readLines(text: string): AuditEntry[] {
  assert.ok(text.endsWith('\n'));
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as AuditEntry);
}
