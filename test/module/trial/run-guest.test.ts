import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGuest } from '../../../src/module/trial/run-guest.ts';
import type { TrialEvent, TrialOrder } from '../../../src/module/trial/trial-protocol.ts';
import { buildWasm } from '../../fixtures/wasm-builder.ts';
import { callWith, drop, equalsZero, i32, load, parameter, unreachable } from '../../fixtures/wasm-code.ts';
import { build, log, proxyLog, TEXT_AT } from './trial-modules.ts';

const order: TrialOrder = {
  envoyMinor: 40,
  plugin: 'default/it',
  rootId: 'root',
  configuration: '{"a":1}',
  env: [],
  hostEnv: [],
  now: 1_700_000_000_000,
};

function run(bytes: Uint8Array, more: Partial<TrialOrder> = {}) {
  const events: TrialEvent[] = [];
  runGuest(bytes, { ...order, ...more }, event => events.push(event));
  const endsAt = events.findIndex(event => event.kind === 'end');
  const end = events[endsAt];
  assert.equal(end?.kind, 'end');
  const [left] = events.splice(endsAt + 1).filter(event => event.kind !== 'call');
  assert.equal(left?.kind, end.outcome === 'ok' ? 'left' : undefined);
  return {
    events,
    left: left?.kind === 'left' ? left.reason : undefined,
    outcome: end.outcome,
    reason: end.reason,
    calls: events.flatMap(event => (event.kind === 'call' ? [event.name] : [])),
    logs: events.flatMap(event => (event.kind === 'log' ? [`${event.level} ${event.message}`] : [])),
    unknowable: events.flatMap(event => (event.kind === 'unknowable' ? [event.text] : [])),
    wanted: events.flatMap(event => (event.kind === 'want' ? [`${event.what} ${event.name}`] : [])),
  };
}

const hello = { imports: [proxyLog], data: { at: TEXT_AT, text: 'hello' } };
const yes = i32(1);

test('the functions of a reactor are called in the order in which Envoy calls them', () => {
  const codes = {
    proxy_on_configure: yes,
    proxy_on_vm_start: yes,
    proxy_on_context_create: [],
    main: i32(0),
    __main_void: i32(0),
    _start: unreachable,
    _initialize: [],
  };
  const { calls, outcome } = run(build(codes));
  assert.equal(outcome, 'ok');
  assert.deepEqual(calls.slice(1), [
    '_initialize',
    'main',
    'proxy_on_context_create',
    'proxy_on_vm_start',
    'proxy_on_configure',
  ]);
});

test('a command is started, and its main is not called', () => {
  const { calls } = run(build({ _start: [], main: unreachable }));
  assert.deepEqual(calls.slice(1), ['_start']);
});

test('__main_void is called where there is no main, by Envoy 1.39 and later', () => {
  const module = build({ _initialize: [], __main_void: unreachable });
  assert.equal(run(module).outcome, 'trapped');
  assert.equal(run(module, { envoyMinor: 38 }).outcome, 'ok');
});

test('a plugin that was taken is asked to go: it is done, and deleted, unless it says that it is not done', () => {
  const traps = { proxy_on_delete: unreachable };
  assert.equal(run(build({ proxy_on_done: yes, proxy_on_delete: [] })).left, '');
  assert.match(run(build({ proxy_on_done: unreachable })).left ?? '', /^proxy_on_done: unreachable/);
  assert.match(run(build({ proxy_on_done: yes, ...traps })).left ?? '', /^proxy_on_delete: unreachable/);
  assert.match(run(build(traps)).left ?? '', /^proxy_on_delete: unreachable/);
  assert.equal(run(build({ proxy_on_done: i32(0), ...traps })).left, '');
  assert.equal(run(build({ proxy_on_configure: i32(0), proxy_on_done: unreachable })).left, undefined);
});

test('a module without any callback is taken', () => {
  assert.equal(run(build({})).outcome, 'ok');
});

test('zero from proxy_on_vm_start or proxy_on_configure refuses, and what was logged is told', () => {
  const started = run(build({ proxy_on_vm_start: i32(0), proxy_on_configure: unreachable }));
  assert.deepEqual([started.outcome, started.reason], ['refused', 'proxy_on_vm_start says no']);
  const configured = run(build({ proxy_on_configure: [...log(4, 5), ...i32(0)] }, hello));
  assert.deepEqual([configured.outcome, configured.reason], ['refused', 'proxy_on_configure says no']);
  assert.deepEqual(configured.logs, ['error hello']);
});

test('ids and sizes are those that Envoy gives', () => {
  // Traps unless the first parameter is 1 and the second what is expected.
  const expect = (second: number): number[] => [
    ...parameter(0),
    ...i32(-1),
    0x6a,
    ...parameter(1),
    ...i32(-second),
    0x6a,
    0x72,
    ...equalsZero,
  ];
  const codes = {
    proxy_on_context_create: [...expect(0), ...equalsZero, 0x04, 0x40, 0x00, 0x0b],
    proxy_on_vm_start: expect(0),
    proxy_on_configure: expect(7),
  };
  assert.equal(run(build(codes)).outcome, 'ok');
});

for (const name of [
  '_initialize',
  '_start',
  'proxy_on_context_create',
  'proxy_on_vm_start',
  'proxy_on_configure',
])
  test(`a trap in ${name} is told with its name`, () => {
    const { outcome, reason } = run(build({ [name]: unreachable }));
    assert.deepEqual([outcome, reason], ['trapped', `${name}: unreachable`]);
  });

test('a trap in the start function is told', () => {
  const { outcome, reason } = run(build({ go: unreachable }, { start: 'go' }));
  assert.deepEqual([outcome, reason], ['trapped', 'its start function: unreachable']);
});

test('a start function that calls its host would crash Envoy, and is told so', () => {
  const { outcome, reason } = run(build({ go: log(2, 5) }, { ...hello, start: 'go' }));
  assert.equal(outcome, 'trapped');
  assert.match(reason, /start function calls env\.proxy_log: Envoy crashes/);
});

test('a module without memory that calls its host would crash Envoy; one that is silent is taken', () => {
  const abi = { name: 'proxy_abi_version_0_2_1', type: '->' };
  const configure = { name: 'proxy_on_configure', type: 'i32,i32->i32', code: [...callWith(0, 2, 0, 0)] };
  const shape = { imports: [proxyLog], memoryPages: 0 };
  assert.match(run(buildWasm({ ...shape, exports: [abi, configure] })).reason, /no memory/);
  assert.equal(run(buildWasm({ ...shape, exports: [abi] })).outcome, 'ok');
});

test('logs before the first context are allowed, other calls trap', () => {
  assert.deepEqual(run(build({ _initialize: log(2, 5) }, hello)).logs, ['info hello']);
  const time = { module: 'env', name: 'proxy_get_current_time_nanoseconds', type: 'i32->i32' };
  const { outcome, reason } = run(build({ _initialize: [...callWith(0, 64), ...drop] }, { imports: [time] }));
  assert.equal(outcome, 'trapped');
  assert.match(
    reason,
    /_initialize: env\.proxy_get_current_time_nanoseconds is not allowed .* before its first context/,
  );
});

test('poll_oneoff before the first context is allowed since Envoy 1.39', () => {
  const poll = { module: 'wasi_snapshot_preview1', name: 'poll_oneoff', type: 'i32,i32,i32,i32->i32' };
  const module = build({ _initialize: [...callWith(0, 0, 0, 0, 64), ...drop] }, { imports: [poll] });
  assert.equal(run(module).outcome, 'ok');
  assert.equal(run(module, { envoyMinor: 38 }).outcome, 'trapped');
});

test('proc_exit comes back to the plugin', () => {
  const exit = { module: 'wasi_unstable', name: 'proc_exit', type: 'i32->' };
  const module = build({ proxy_on_configure: [...callWith(0, 1), ...yes] }, { imports: [exit] });
  assert.equal(run(module).outcome, 'ok');
});

const getBuffer = { module: 'env', name: 'proxy_get_buffer_bytes', type: 'i32,i32,i32,i32,i32->i32' };
const readConfiguration = callWith(0, 7, 0, 100, 64, 68);

test('the configuration is there in proxy_on_configure, and not in proxy_on_vm_start', () => {
  const imports = [getBuffer];
  // 0: ok. The size then stands at 68.
  const configured = build({ proxy_on_configure: [...readConfiguration, ...drop, ...load(68)] }, { imports });
  assert.equal(run(configured).outcome, 'ok');
  assert.equal(run(configured, { configuration: '' }).outcome, 'refused');
  const notFound = build({ proxy_on_vm_start: readConfiguration }, { imports });
  assert.equal(run(notFound).outcome, 'ok', '1: not found');
});

test('a trap in the allocator ends the VM, though the plugin goes on', () => {
  const codes = { malloc: unreachable, proxy_on_configure: [...readConfiguration, ...drop, ...yes] };
  const { outcome, reason } = run(build(codes, { imports: [getBuffer] }));
  assert.deepEqual([outcome, reason], ['trapped', 'malloc: unreachable']);
});

test('an allocator may log, and not ask for the time of Proxy-Wasm', () => {
  const time = { module: 'env', name: 'proxy_get_current_time_nanoseconds', type: 'i32->i32' };
  const codes = {
    malloc: [...callWith(1, 64), ...drop, ...i32(4096)],
    proxy_on_configure: [...readConfiguration, ...drop, ...yes],
  };
  const { reason } = run(build(codes, { imports: [getBuffer, time] }));
  assert.match(reason, /malloc: .*current_time.* while it allocates/);
});

test('ABI 0.1.0 gets its configuration by its own function', () => {
  const get = { module: 'env', name: 'proxy_get_configuration', type: 'i32,i32->i32' };
  const codes = { proxy_on_configure: [...callWith(0, 64, 68), ...drop, ...load(68)] };
  assert.equal(run(build(codes, { imports: [get] }, '0_1_0')).outcome, 'ok');
});

test('a property of the node is asked for and unknowable; one of a request is not there at all', () => {
  const get = { module: 'env', name: 'proxy_get_property', type: 'i32,i32,i32,i32->i32' };
  const ask = (text: string) =>
    run(
      build(
        { proxy_on_configure: callWith(0, TEXT_AT, text.length, 64, 68) },
        { imports: [get], data: { at: TEXT_AT, text } },
      ),
    );
  const node = ask('xds\0node\0id');
  assert.deepEqual(node.wanted, ['property xds.node.id']);
  assert.deepEqual(node.unknowable, ['property xds.node.id is known to the node alone']);
  assert.deepEqual(ask('request\0path').unknowable, []);
  // 0, ok, refuses here.
  assert.equal(ask('plugin_name').outcome, 'refused');
  assert.equal(ask('plugin_root_id').outcome, 'refused');
});

test('variables of the host are unknowable to a plugin that reads its environment', () => {
  const sizes = { module: 'wasi_snapshot_preview1', name: 'environ_sizes_get', type: 'i32,i32->i32' };
  const module = build({ _initialize: [...callWith(0, 64, 68), ...drop] }, { imports: [sizes] });
  const { unknowable, wanted } = run(module, { hostEnv: ['TOKEN_FILE'] });
  assert.deepEqual(wanted, ['hostEnv TOKEN_FILE']);
  assert.deepEqual(unknowable, ['env TOKEN_FILE comes from the host (vmConfig.env valueFrom HOST)']);
  assert.deepEqual(run(module).unknowable, []);
  assert.deepEqual(run(build({}), { hostEnv: ['TOKEN_FILE'] }).unknowable, []);
});

test('calls to clusters, metrics, foreign functions and shared data are told', () => {
  const imports = [
    { module: 'env', name: 'proxy_define_metric', type: 'i32,i32,i32,i32->i32' },
    { module: 'env', name: 'proxy_call_foreign_function', type: 'i32,i32,i32,i32,i32,i32->i32' },
    { module: 'env', name: 'proxy_get_shared_data', type: 'i32,i32,i32,i32,i32->i32' },
    { module: 'env', name: 'proxy_grpc_stream', type: 'i32,i32,i32,i32,i32,i32,i32,i32,i32->i32' },
  ];
  const code = [
    [...callWith(0, 0, TEXT_AT, 4, 64), ...drop],
    [...callWith(1, TEXT_AT + 4, 11, 0, 0, 0, 0), ...drop],
    [...callWith(2, TEXT_AT, 4, 64, 68, 72), ...drop],
    [...callWith(3, TEXT_AT, 4, 0, 0, 0, 0, 0, 0, 64), ...drop],
    yes,
  ].flat();
  const { wanted, unknowable, outcome } = run(
    build({ proxy_on_configure: code }, { imports, data: { at: TEXT_AT, text: 'nameexpr_create' } }),
  );
  assert.equal(outcome, 'ok');
  assert.deepEqual(wanted, ['metric name', 'foreignFunction expr_create', 'cluster name']);
  assert.equal(unknowable.length, 3);
});

test('bytes that are no valid module are broken, with the words of the engine', () => {
  const { outcome, reason } = run(build({ proxy_on_configure: [0xff] }));
  assert.equal(outcome, 'broken');
  assert.match(reason, /invalid opcode/i);
});

test('what a plugin says without end is cut', () => {
  const codes = { proxy_on_configure: [...Array(80).fill(log(2, 5)).flat(), ...yes] };
  const { logs, events } = run(build(codes, hello));
  assert.equal(logs.length, 50);
  assert.equal(events.filter(({ kind }) => kind === 'more-logs').length, 1);
  const long = build({ proxy_on_configure: [...callWith(0, 2, 0, 65_536), ...drop, ...yes] }, hello);
  assert.ok((run(long).logs[0]?.length ?? 0) < 2_100);
});

test('a module that was compiled before runs as one that is new', () => {
  const bytes = build({ proxy_on_configure: [...log(2, 5), ...yes] }, hello);
  const tell = (into: TrialEvent[]) => (event: TrialEvent) =>
    void into.push(event.kind === 'end' ? { ...event, tookMs: 0 } : event);
  const first: TrialEvent[] = [];
  const second: TrialEvent[] = [];
  const module = runGuest(bytes, order, tell(first));
  assert.ok(module !== undefined);
  assert.equal(runGuest(module, order, tell(second)), module);
  assert.deepEqual(second, first);
});

test('a module is not answered after a run that did not go well', () => {
  const answerOf = (bytes: Uint8Array) => runGuest(bytes, order, () => {});
  assert.equal(answerOf(build({ proxy_on_configure: i32(0) })), undefined);
  assert.equal(answerOf(build({ proxy_on_configure: unreachable })), undefined);
  assert.equal(answerOf(build({ proxy_on_configure: yes, proxy_on_done: unreachable })), undefined);
  assert.equal(answerOf(build({ _start: [0xff] })), undefined);
});
