import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditDraft, NOBODY } from '../../src/model/audit.ts';
import { type Log, silentLog } from '../../src/model/ports.ts';
import { createDenialLog } from '../../src/store/denial-log.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { FakeClock } from './fake-clock.ts';

const DENIED: AuditDraft = {
  time: '2026-01-01T00:00:00.000Z',
  actor: 'ci',
  address: '192.0.2.1',
  requestId: 'r1',
  action: 'PUT /v1/plugins/:namespace/:name',
  subject: 'default/auth',
  result: 'denied',
  code: 'frozen',
  text: 'frozen by admin',
};

test('a denial is in the audit at once, equal ones are counted, and told when the minute is over', async () => {
  const { store, clock, denials, entries } = open();
  for (let i = 0; i < 1_000; i += 1) await denials.record({ ...DENIED, requestId: `r${i}` });
  await denials.record({ ...DENIED, subject: 'default/limit' });
  assert.deepEqual(await entries(), ['default/auth 1', 'default/limit 1']);
  clock.advance(60_000);
  await denials.stop();
  assert.deepEqual(await entries(), ['default/auth 1', 'default/limit 1', 'default/auth 999']);
  const last = (await store.list('AuditEntry')).records.at(-1)?.value;
  assert.equal(last?.requestId, undefined);
  await store.close();
});

test('after that minute the next one is told at once again', async () => {
  const { clock, denials, entries, store } = open();
  await denials.record(DENIED);
  clock.advance(60_000);
  await denials.record(DENIED);
  assert.deepEqual(await entries(), ['default/auth 1', 'default/auth 1']);
  await denials.stop();
  assert.deepEqual(await entries(), ['default/auth 1', 'default/auth 1'], 'nothing is left to tell');
  await store.close();
});

test('denials of too many kinds are bounded in number: those beyond are counted together', async () => {
  const { clock, denials, entries, store } = open();
  for (let i = 0; i < 2_000; i += 1) await denials.record({ ...DENIED, subject: `default/p${i}` });
  assert.equal((await entries()).length, 200);
  clock.advance(60_000);
  await denials.stop();
  assert.deepEqual((await entries()).slice(200), ['several 1800']);
  await store.close();
});

test('who shows no good token is told by address alone, and few of them: anybody could write without end otherwise', async () => {
  const { clock, denials, store } = open();
  const stranger = { ...DENIED, actor: NOBODY, code: 'unauthenticated' };
  const [first, ...more] = Array.from({ length: 100 }, (_, i) => ({ ...stranger, subject: `default/p${i}` }));
  for (const draft of [first ?? stranger, ...more]) await denials.record(draft);
  for (let i = 0; i < 100; i += 1) await denials.record({ ...stranger, address: `192.0.2.${i}` });
  // They take no room from those who are known.
  await denials.record(DENIED);
  clock.advance(60_000);
  await denials.stop();
  const told = (await store.list('AuditEntry')).records.map(({ value }) => value);
  assert.deepEqual(
    [told.length, told[0]?.subject, told[20]?.subject],
    [23, 'default/p0', 'default/auth'],
    'twenty addresses, one who is known, and what was counted',
  );
  assert.partialDeepStrictEqual(told.slice(21), [
    { actor: NOBODY, address: '192.0.2.1', action: 'denied', subject: 'several', count: 100 },
    { actor: 'several', subject: 'several', count: 80 },
  ]);
  await store.close();
});

test('what was counted is written when the server stops', async () => {
  const { denials, entries, store } = open();
  await denials.record(DENIED);
  await denials.record(DENIED);
  await denials.stop();
  assert.deepEqual(await entries(), ['default/auth 1', 'default/auth 1']);
  const [, second] = (await store.list('AuditEntry')).records;
  assert.equal(second?.value.count, 1);
  await store.close();
});

test('a denial that cannot be written is logged, and denied all the same', async () => {
  const lost: object[] = [];
  const { denials, store } = open(
    { ...silentLog, error: fields => lost.push(fields) },
    { transaction: () => Promise.reject(new StoreError('store-full', 'no space')) },
  );
  await denials.record(DENIED);
  await denials.stop();
  assert.equal(lost.length, 1);
  assert.partialDeepStrictEqual(lost[0], { actor: 'ci', code: 'frozen' });
  await store.close();
});

function open(log: Log = silentLog, over: Partial<Pick<Store, 'transaction'>> = {}) {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const guarded = { ...over } as Store;
  const denials = createDenialLog(over.transaction === undefined ? store : guarded, clock, log);
  const entries = async () =>
    (await store.list('AuditEntry')).records.map(({ value }) => `${value.subject} ${value.count ?? 1}`);
  return { store, clock, denials, entries };
}
