import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findHostFunctions, type ProxyWasmAbi } from '../../../src/module/host-functions.ts';
import { Guest } from '../../../src/module/trial/guest.ts';
import { GuestMemory } from '../../../src/module/trial/guest-memory.ts';
import { linkHost } from '../../../src/module/trial/link-host.ts';
import { readPairs, writePairs } from '../../../src/module/trial/pairs.ts';
import type { TrialEvent, TrialOrder } from '../../../src/module/trial/trial-protocol.ts';
import { WebAssembly } from '../../../src/module/trial/web-assembly.ts';
import { Witness } from '../../../src/module/trial/witness.ts';

const ABIS: readonly ProxyWasmAbi[] = ['0.1.0', '0.2.0', '0.2.1'];
const order: TrialOrder = {
  envoyMinor: 40,
  plugin: 'default/it',
  rootId: '',
  configuration: 'configuration',
  env: [['NAME', 'value']],
  hostEnv: [],
  now: 0,
};
const PAGE = 65_536;

function makeGuest(allocate: (size: number) => unknown = () => 1024) {
  const events: TrialEvent[] = [];
  const guest = new Guest(order, new Witness(event => events.push(event)));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  guest.attach(memory, allocate);
  guest.moment = 'run';
  guest.hasConfiguration = true;
  return { guest, memory, events, host: linkHost(guest) };
}

const signatures = new Map(ABIS.flatMap(abi => [...findHostFunctions(abi, '1.40.0')]));

test('the host has every function that Envoy 1.40 links, for each ABI, and no other', () => {
  const { host } = makeGuest();
  assert.deepEqual([...host.keys()].sort(), [...signatures.keys()].sort());
});

/** Numbers as WebAssembly hands them over: any, but often near the borders of the memory. */
const word = fc.oneof(
  fc.integer(),
  fc.integer({ min: 0, max: 64 }),
  fc.integer({ min: PAGE - 16, max: PAGE + 16 }),
  fc.constantFrom(-1, 0, 0x7fff_ffff, -0x8000_0000, 7, 6, 1024),
);
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

for (const [name, signature] of signatures)
  test(`${name} takes any arguments: it answers with a number, and traps nobody`, () => {
    const [parameters = '', results] = signature.split('->');
    const types = parameters === '' ? [] : parameters.split(',');
    const args = fc.tuple(...types.map(type => (type === 'i64' ? long : word)));
    fc.assert(
      fc.property(args, fc.integer(), fc.uint8Array({ maxLength: 64 }), (values, place, bytes) => {
        const { host, memory } = makeGuest(() => place);
        new Uint8Array(memory.buffer).set(bytes);
        const answer = host.get(name)?.(...values);
        if (results === '') assert.equal(answer, undefined);
        else assert.ok(Number.isInteger(answer) && Number(answer) >= 0 && Number(answer) < 64, `${answer}`);
      }),
      { numRuns: 60 },
    );
  });

const INVALID_MEMORY_ACCESS = 6;
const outside: readonly [name: string, args: readonly number[]][] = [
  ['proxy_log', [2, PAGE - 1, 2]],
  ['proxy_log', [2, -1, -1]],
  ['proxy_get_property', [PAGE, 1, 0, 4]],
  ['proxy_get_buffer_bytes', [7, 0, 5, PAGE - 3, 0]],
  ['proxy_get_buffer_bytes', [7, 0, 5, 0, -2]],
  ['proxy_get_buffer_status', [7, PAGE, 0]],
  ['proxy_set_shared_data', [0, PAGE + 1, 0, 0, 0]],
  ['proxy_define_metric', [0, 0, 4, PAGE - 2]],
  ['proxy_http_call', [0, 1, -8, 16, 0, 0, 0, 0, 100, 0]],
  ['proxy_get_current_time_nanoseconds', [PAGE - 7]],
  ['proxy_send_local_response', [200, 0, 0, PAGE, 1, 0, 0, 0]],
];
for (const [name, args] of outside)
  test(`${name}(${args}) reaches out of the memory and is told so`, () => {
    assert.equal(makeGuest().host.get(`env.${name}`)?.(...args), INVALID_MEMORY_ACCESS);
  });

test('an allocator that gives nothing, or a place outside, is an invalid access', () => {
  for (const place of [0, PAGE, -1]) {
    const { host, guest } = makeGuest(() => place);
    assert.equal(host.get('env.proxy_get_buffer_bytes')?.(7, 0, 100, 0, 4), INVALID_MEMORY_ACCESS);
    assert.equal(guest.dead, undefined);
  }
});

test('memory outside of the memory is neither read nor written, whatever is asked for', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const guest = new GuestMemory(memory);
  const u32 = fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.integer({ min: PAGE - 9, max: PAGE + 9 }),
  );
  fc.assert(
    fc.property(u32, u32, fc.uint8Array({ maxLength: 16 }), (at, size, bytes) => {
      assert.equal(guest.read(at, size)?.length, at + size <= PAGE ? size : undefined);
      assert.equal(guest.write(at, bytes), at + bytes.length <= PAGE);
      assert.equal(guest.writeWord(at, size), at + 4 <= PAGE);
      assert.equal(guest.readWord(at), at + 4 <= PAGE ? size : undefined);
      assert.equal(guest.writeLong(at, BigInt(size)), at + 8 <= PAGE);
    }),
  );
});

test('pairs come back as they were, and any other bytes are no pairs or whole ones', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map(each => each.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), pairs => {
      assert.deepEqual(readPairs(writePairs(pairs)), pairs);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      for (const pair of readPairs(Buffer.from(bytes))) assert.equal(pair.length, 2);
    }),
  );
});

test('metrics count as those of Envoy do', () => {
  const { host, memory } = makeGuest();
  const run = (name: string, ...args: (number | bigint)[]) => host.get(`env.proxy_${name}`)?.(...args);
  const read = () => new DataView(memory.buffer).getUint32(64, true);
  const define = (type: number) => {
    assert.equal(run('define_metric', type, 0, 4, 64), 0);
    return read();
  };
  const [counter, gauge, histogram] = [define(0), define(1), define(2)];
  assert.equal(run('define_metric', 3, 0, 4, 64), 2);
  assert.equal(run('increment_metric', counter, 2n), 0);
  assert.equal(run('increment_metric', counter, -1n), 2);
  assert.equal(run('record_metric', counter, 3n), 0);
  assert.equal(run('get_metric', counter, 64), 0);
  assert.equal(read(), 5);
  assert.equal(run('increment_metric', gauge, -1n), 0);
  assert.equal(run('record_metric', gauge, 7n), 0);
  assert.equal(run('get_metric', gauge, 64), 0);
  assert.equal(read(), 7);
  assert.equal(run('record_metric', histogram, 7n), 0);
  assert.equal(run('get_metric', histogram, 64), 2);
  assert.equal(run('increment_metric', 400, 1n), 1);
});

test('shared data is kept, and a stale cas is refused', () => {
  const { host, memory, events } = makeGuest();
  const run = (name: string, ...args: number[]) => host.get(`env.proxy_${name}`)?.(...args);
  const read = (at: number) => new DataView(memory.buffer).getUint32(at, true);
  assert.equal(run('get_shared_data', 0, 4, 64, 68, 72), 1);
  assert.equal(events.filter(({ kind }) => kind === 'unknowable').length, 1);
  assert.equal(run('set_shared_data', 0, 4, 0, 8, 0), 0);
  assert.equal(run('get_shared_data', 0, 4, 64, 68, 72), 0);
  assert.equal(read(68), 8);
  const cas = read(72);
  assert.equal(run('set_shared_data', 0, 4, 0, 4, cas), 0);
  assert.equal(run('set_shared_data', 0, 4, 0, 4, cas), 8);
});

test('queues hand on what was put into them', () => {
  const { host, memory } = makeGuest();
  const run = (name: string, ...args: number[]) => host.get(`env.proxy_${name}`)?.(...args);
  const read = (at: number) => new DataView(memory.buffer).getUint32(at, true);
  assert.equal(run('resolve_shared_queue', 0, 0, 0, 4, 64), 1);
  assert.equal(run('register_shared_queue', 0, 4, 64), 0);
  const token = read(64);
  assert.equal(run('resolve_shared_queue', 0, 0, 0, 4, 64), 0);
  assert.equal(read(64), token);
  assert.equal(run('dequeue_shared_queue', token, 64, 68), 7);
  assert.equal(run('enqueue_shared_queue', token, 0, 9), 0);
  assert.equal(run('dequeue_shared_queue', token, 64, 68), 0);
  assert.equal(read(68), 9);
  assert.equal(run('enqueue_shared_queue', 99, 0, 9), 1);
});

test('compress and uncompress are each the other way round; unknown functions are not found', () => {
  let next = 1024;
  const { host, memory, guest } = makeGuest(size => {
    next += size;
    return next - size;
  });
  const text = (at: number, value: string) => void guest.memory.write(at, Buffer.from(value));
  const read = (at: number) => new DataView(memory.buffer).getUint32(at, true);
  const run = (name: string, at: number, size: number) => {
    text(0, name);
    return host.get('env.proxy_call_foreign_function')?.(0, name.length, at, size, 64, 68);
  };
  text(200, 'again and again and again');
  assert.equal(run('compress', 200, 25), 0);
  assert.equal(run('uncompress', read(64), read(68)), 0);
  assert.equal(guest.text(read(64), read(68)), 'again and again and again');
  assert.equal(run('uncompress', 200, 25), 3);
  assert.equal(run('nobody_has_this', 0, 0), 1);
});

test('environment, clocks and random bytes are those of WASI', () => {
  const { host, memory, guest } = makeGuest();
  const run = (name: string, ...args: (number | bigint)[]) =>
    host.get(`wasi_snapshot_preview1.${name}`)?.(...args);
  const read = (at: number) => new DataView(memory.buffer).getUint32(at, true);
  assert.equal(run('environ_sizes_get', 64, 68), 0);
  assert.deepEqual([read(64), read(68)], [1, 11]);
  assert.equal(run('environ_get', 64, 100), 0);
  assert.equal(read(64), 100);
  assert.equal(guest.text(100, 11), 'NAME=value\0');
  assert.equal(run('environ_get', 64, PAGE - 3), 21);
  assert.equal(run('clock_time_get', 1, 0n, 64), 0);
  assert.equal(run('clock_time_get', 2, 0n, 64), 58);
  assert.equal(run('random_get', 0, 65_537), 28);
  assert.equal(run('random_get', 0, 32), 0);
  assert.equal(run('fd_read', 0, 0, 0, 0), 52);
});

test('what is written to stdout and stderr is logged', () => {
  const { host, guest, events } = makeGuest();
  guest.memory.write(200, Buffer.from('hello\nworld\n'));
  for (const [i, word] of [200, 6, 206, 6].entries()) guest.memory.writeWord(64 + 4 * i, word);
  const write = (fd: number, count: number) => host.get('wasi_unstable.fd_write')?.(fd, 64, count, 96);
  assert.equal(write(1, 2), 0);
  assert.equal(guest.memory.readWord(96), 12);
  assert.equal(write(2, 1), 0);
  assert.equal(write(3, 1), 8);
  guest.memory.writeWord(64, PAGE);
  assert.equal(write(1, 1), 21);
  assert.deepEqual(
    events.map(event => event.kind === 'log' && `${event.level} ${event.message}`),
    ['info hello\nworld', 'error hello'],
  );
});
