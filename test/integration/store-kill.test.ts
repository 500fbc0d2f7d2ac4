import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CHAIN_START, checkEnd, followChain, isBroken } from '../../src/model/audit-chain.ts';
import { AUDIT_HEAD_KEY } from '../../src/store/record-kinds.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';

const CYCLES = 20;
const SEED = Number(process.env.ATTACHE_TEST_SEED ?? 20261121);
const clock = { now: Date.now, after: () => () => {} };

test(`kill -9 while writing, ${CYCLES} times (seed ${SEED}): no answered write is lost, nor its entry in the audit`, async () => {
  await inDirectory(async directory => {
    const random = seeded(SEED);
    const answered = new Map<number, number>();
    let first = 0;
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const writer = startWriter(directory, first);
      await writer.opened;
      // The instant of the kill is the point of the test, not a wait for something.
      await delay(20 + random() * 250);
      writer.child.kill('SIGKILL');
      for (const [n, revision] of await writer.answers) answered.set(n, revision);
      const store = await openSqliteStore({ directory, clock });
      first = (await checkAll(store, answered)) + 1;
      await store.close();
    }
    console.log(`${answered.size} answered writes, 0 lost`);
    assert.ok(answered.size > CYCLES, 'the writer wrote');
  });
});

test('a second process is refused in less than a second, and the first is not disturbed', async () => {
  await inDirectory(async directory => {
    const store = await openSqliteStore({ directory, clock });
    // A process without a store of its own, to leave out what starting Node and loading files costs.
    const empty = await timeToExit(directory, 'nothing');
    const second = await timeToExit(directory, 'writer');
    assert.equal(second.code, 7);
    assert.ok(second.ms < 1000 + empty.ms, `it took ${second.ms} ms, Node alone ${empty.ms} ms`);
    await store.put('ModuleKey', 'a', { hex: '1' });
    assert.deepEqual((await store.get('ModuleKey', 'a'))?.value, { hex: '1' });
    await store.close();
  });
});

/**
 * Every answered write is there with its revision, pairs are whole, revisions have no gaps, and the audit has an entry for
 * each, in an unbroken chain. Answers the number of the newest write, which may be one that was never answered.
 */
async function checkAll(store: Store, answered: ReadonlyMap<number, number>): Promise<number> {
  const left = await store.list('ModuleKey', 'left-');
  const right = await store.list('ModuleKey', 'right-');
  const tail = (key: string) => key.slice(key.indexOf('-') + 1);
  assert.deepEqual(
    left.records.map(record => [tail(record.key), record.value.hex, record.revision]),
    right.records.map(record => [tail(record.key), record.value.hex, record.revision]),
  );
  const revisions = new Map(left.records.map(record => [Number(tail(record.key)), record.revision]));
  for (const [n, revision] of answered) assert.equal(revisions.get(n), revision, `write ${n} is lost`);
  const newest = Number((await store.get('ModuleKey', 'newest'))?.value.hex ?? -1);
  assert.equal(newest, Math.max(-1, ...revisions.keys()));
  assert.equal(left.revision, revisions.size, 'one revision a transaction, no gaps');
  await checkAudit(store, left.records);
  await checkNodes(store, revisions);
  return newest;
}

/** Of each node what was written last. */
async function checkNodes(store: Store, revisions: ReadonlyMap<number, number>): Promise<void> {
  const last = new Map<string, { readonly n: number; readonly revision: number }>();
  for (const [n, revision] of [...revisions].toSorted(([a], [b]) => a - b))
    last.set(`node-${n % 50}`, { n, revision });
  const found = (await store.list('NodePresence')).records;
  assert.deepEqual(
    new Map(found.map(({ key, value, revision }) => [key, { n: Number(value.process), revision }])),
    last,
  );
}

async function checkAudit(store: Store, writes: readonly { readonly revision: number }[]): Promise<void> {
  const entries = (await store.list('AuditEntry')).records.map(({ value }) => value);
  const revisions = writes.map(({ revision }) => revision).toSorted((a, b) => a - b);
  assert.deepEqual(
    entries.map(({ revision }) => revision),
    revisions,
  );
  const end = followChain(CHAIN_START, entries);
  if (isBroken(end)) assert.fail(end.text);
  assert.equal(
    checkEnd(end, (await store.get('AuditHead', AUDIT_HEAD_KEY))?.value ?? CHAIN_START),
    undefined,
  );
}

function startWriter(directory: string, first: number) {
  const child = startNode(join(import.meta.dirname, 'store-writer.ts'), directory, String(first));
  const opened = Promise.withResolvers<void>();
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    opened.resolve();
  });
  const answers = once(child, 'close').then(() => {
    opened.reject(new Error('the writer ended before it wrote'));
    // A last line without its end was not read whole; it says nothing.
    const lines = output.split('\n').slice(1, -1);
    return lines.map((line): [number, number] => {
      const [n, revision] = line.split(' ').map(Number);
      return [n ?? Number.NaN, revision ?? Number.NaN];
    });
  });
  return { child, opened: opened.promise, answers };
}

async function timeToExit(directory: string, what: 'nothing' | 'writer') {
  const began = performance.now();
  const child =
    what === 'writer'
      ? startNode(join(import.meta.dirname, 'store-writer.ts'), directory)
      : startNode('--eval', '');
  const [code] = await once(child, 'close');
  return { code: code as number | null, ms: performance.now() - began };
}

function startNode(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-kill-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
