import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../src/model/ports.ts';
import { createCoalescedWriter } from '../../src/store/coalesced-writer.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { FakeClock } from './fake-clock.ts';

test('what is put in one interval goes in one transaction, the last value of a key', async () => {
  const { store, clock, writer, batches } = setUp();
  for (let n = 1; n <= 3; n += 1) writer.put('ModuleKey', 'a', { hex: `${n}` });
  writer.put('ModuleKey', 'b', { hex: '1' });
  writer.delete('ModuleKey', 'b');
  clock.advance(99);
  assert.equal(batches.length, 0);
  clock.advance(1);
  await writer.flush();
  assert.deepEqual(batches, [['a=3', 'b gone']]);
  assert.equal((await store.get('ModuleKey', 'a'))?.value.hex, '3');
  assert.equal(clock.pending, 0, 'nothing to write: no timer');
  await writer.stop();
});

test('flush writes at once what was put before it, and nothing twice', async () => {
  const { clock, writer, batches } = setUp();
  writer.put('ModuleKey', 'a', { hex: '1' });
  await writer.flush();
  assert.deepEqual(batches, [['a=1']]);
  clock.advance(1000);
  await writer.flush();
  assert.deepEqual(batches, [['a=1']]);
  await writer.stop();
});

test('what is put during a write goes with the next one, also under the same key', async () => {
  const { writer, batches, gate } = setUp();
  writer.put('ModuleKey', 'a', { hex: '1' });
  const open = gate.close();
  const first = writer.flush();
  await gate.reached();
  writer.put('ModuleKey', 'a', { hex: '2' });
  const second = writer.flush();
  open();
  await Promise.all([first, second]);
  assert.deepEqual(batches, [['a=1'], ['a=2']]);
  await writer.stop();
});

test('afterWrite calls back once what was put before is durable, not before and not for a later write', async () => {
  const { clock, writer, batches, gate } = setUp();
  const seen: string[] = [];
  const tell = (name: string) => writer.afterWrite(() => seen.push(`${name} after ${batches.length}`));
  tell('nothing pending');
  gate.fail(1);
  writer.put('ModuleKey', 'a', { hex: '1' });
  tell('first');
  await assert.rejects(writer.flush(), { code: 'store-full' });
  const open = gate.close();
  const written = writer.flush();
  // Past what was scheduled: the write itself is held up.
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  writer.put('ModuleKey', 'b', { hex: '1' });
  tell('second');
  open();
  await written;
  assert.deepEqual(seen, ['nothing pending after 0', 'first after 1']);
  clock.advance(100);
  await writer.flush();
  assert.deepEqual(seen.slice(2), ['second after 2']);
  await writer.stop();
});

test('afterWrite calls back with the write that is under way when nothing came after it', async () => {
  const { writer, batches, gate } = setUp();
  const seen: number[] = [];
  const open = gate.close();
  writer.put('ModuleKey', 'a', { hex: '1' });
  const written = writer.flush();
  await gate.reached();
  writer.afterWrite(() => seen.push(batches.length));
  assert.deepEqual(seen, []);
  open();
  await written;
  assert.deepEqual(seen, [1]);
  await writer.stop();
});

test('what somebody waits for is written soon, with all that is pending', async () => {
  const { clock, writer, batches, gate } = setUp();
  const seen: number[] = [];
  writer.put('ModuleKey', 'a', { hex: '1' });
  clock.advance(50);
  writer.put('ModuleKey', 'b', { hex: '1' });
  writer.afterWrite(() => seen.push(batches.length));
  assert.equal(clock.pending, 1, 'the later write is this one');
  clock.advance(1);
  writer.put('ModuleKey', 'c', { hex: '1' });
  clock.advance(1);
  await gate.reached();
  await writer.flush();
  assert.deepEqual([batches, seen], [[['a=1', 'b=1', 'c=1']], [1]]);
  await writer.stop();
});

test('writes that take long come less often', async () => {
  const { clock, writer, batches, gate } = setUp();
  const open = gate.close();
  writer.put('ModuleKey', 'a', { hex: '1' });
  const written = writer.flush();
  await gate.reached();
  clock.advance(30);
  open();
  await written;
  clock.advance(100);
  assert.equal(clock.pending, 0);
  writer.put('ModuleKey', 'a', { hex: '2' });
  clock.advance(239);
  assert.equal(clock.pending, 1);
  clock.advance(1);
  assert.equal(clock.pending, 0);
  await writer.flush();
  assert.deepEqual(batches, [['a=1'], ['a=2']]);
  await writer.stop();
});

test('who waits hurries no write that failed', async () => {
  const { clock, writer, batches, gate } = setUp();
  gate.fail(1);
  writer.put('ModuleKey', 'a', { hex: '1' });
  clock.advance(100);
  await gate.reached();
  while (clock.pending === 0) await Promise.resolve();
  writer.afterWrite(() => {});
  clock.advance(199);
  assert.equal(clock.pending, 1);
  clock.advance(1);
  assert.equal(clock.pending, 0);
  await writer.flush();
  assert.deepEqual(batches, [['a=1']]);
  await writer.stop();
});

test('a failed write is tried again, later and later, with the newest values', async () => {
  const { store, clock, writer, batches, gate } = setUp();
  gate.fail(3);
  writer.put('ModuleKey', 'a', { hex: '1' });
  writer.put('ModuleKey', 'b', { hex: '1' });
  await assert.rejects(writer.flush(), { code: 'store-full' });
  writer.put('ModuleKey', 'a', { hex: '2' });
  clock.advance(100);
  await assert.rejects(writer.flush(), { code: 'store-full' });
  clock.advance(5000);
  await writer.flush();
  assert.deepEqual(batches, [['a=2', 'b=1']]);
  assert.equal((await store.get('ModuleKey', 'a'))?.value.hex, '2');
  await writer.stop();
});

test('the retry comes by itself', async () => {
  const { store, clock, writer, gate } = setUp();
  gate.fail(1);
  const abort = new AbortController();
  writer.put('ModuleKey', 'a', { hex: '1' });
  clock.advance(100);
  await gate.reached();
  // Until the failed write has set its timer.
  while (clock.pending === 0) await Promise.resolve();
  const watch = store.watch(['ModuleKey'], abort.signal)[Symbol.asyncIterator]();
  await watch.next();
  clock.advance(5000);
  const { value } = await watch.next();
  assert.equal(value?.[0]?.key, 'a');
  await watch.return?.();
  await writer.stop();
});

test('stop writes the rest, tries again, and reports what could not be written', async () => {
  const healing = setUp();
  healing.gate.fail(2);
  healing.writer.put('ModuleKey', 'a', { hex: '1' });
  await healing.writer.stop();
  assert.deepEqual(healing.batches, [['a=1']]);
  assert.equal(healing.clock.pending, 0);

  const broken = setUp();
  broken.gate.fail(100);
  broken.writer.put('ModuleKey', 'a', { hex: '1' });
  await assert.rejects(broken.writer.stop(), { code: 'store-full' });
  assert.equal(broken.clock.pending, 0);
});

test('what comes after stop is dropped, without a timer', async () => {
  const { clock, writer, batches } = setUp();
  await writer.stop();
  writer.put('ModuleKey', 'a', { hex: '1' });
  assert.equal(clock.pending, 0);
  assert.deepEqual(batches, []);
});

test('a key that is none is refused before it can spoil a batch', async () => {
  const { writer } = setUp();
  assert.throws(() => writer.put('ModuleKey', '', { hex: '1' }), { code: 'invalid-operation' });
  await writer.stop();
});

/** A writer over a store whose transactions a test can hold up or let fail. */
function setUp() {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const batches: string[][] = [];
  const gate = new Gate();
  const gated: Store = {
    ...boundMethods(store),
    transaction: async operations => {
      await gate.pass();
      const revision = await store.transaction(operations);
      batches.push(operations.map(summary));
      return revision;
    },
  };
  return { store, clock, batches, gate, writer: createCoalescedWriter(gated, clock, silentLog) };
}

class Gate {
  readonly #arrived = Promise.withResolvers<void>();
  #opened: Promise<void> = Promise.resolve();
  #failures = 0;

  close(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opened = promise;
    return resolve;
  }

  fail(times: number): void {
    this.#failures = times;
  }

  reached(): Promise<void> {
    return this.#arrived.promise;
  }

  async pass(): Promise<void> {
    this.#arrived.resolve();
    await this.#opened;
    if (this.#failures === 0) return;
    this.#failures -= 1;
    throw new StoreError('store-full', 'no space left');
  }
}

function boundMethods(store: Store): Store {
  return {
    get: store.get.bind(store),
    list: store.list.bind(store),
    put: store.put.bind(store),
    delete: store.delete.bind(store),
    transaction: store.transaction.bind(store),
    watch: store.watch.bind(store),
    close: store.close.bind(store),
  };
}

function summary(operation: Operation): string {
  if (operation.op === 'append') return 'an entry of the audit';
  return operation.op === 'put'
    ? `${operation.key}=${(operation.value as { hex: string }).hex}`
    : `${operation.key} gone`;
}
