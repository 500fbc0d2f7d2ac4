import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildPlugin, listPlugins } from '../../plugins/build.ts';
import { buildStamp } from '../harness/fixture-modules.ts';
import { PluginHost, WebAssembly } from './plugin-host.ts';

const names = await listPlugins();

for (const name of names) {
  test(`${name} is a valid module without WASI`, async () => {
    const { bytes } = await buildPlugin(name);
    const module = new WebAssembly.Module(new Uint8Array(bytes));
    assert.deepEqual([...new Set(WebAssembly.Module.imports(module).map(each => each.module))], ['env']);
  });
}

test('add-header imports the three host functions it needs and speaks ABI 0.2.1', async () => {
  const module = new WebAssembly.Module(new Uint8Array((await buildPlugin('add-header')).bytes));
  assert.deepEqual(
    WebAssembly.Module.imports(module).map(each => each.name),
    ['proxy_log', 'proxy_get_buffer_bytes', 'proxy_add_header_map_value'],
  );
  const exports = WebAssembly.Module.exports(module).map(each => each.name);
  assert.ok(exports.includes('proxy_abi_version_0_2_1') && exports.includes('proxy_on_memory_allocate'));
});

const accepted: readonly [config: string, header: string][] = [
  ['', 'response x-hello: world'],
  ['{}', 'response x-hello: world'],
  ['{"value":"again"}', 'response x-hello: again'],
  [
    ' { "header" : "X-Greeting" , "value" : "gr\\u00fc\\u00df \\"dich\\" \\ud83d\\ude00 ✓" } ',
    'response X-Greeting: grüß "dich" 😀 ✓',
  ],
];
for (const [config, header] of accepted) {
  test(`add-header with ${config || 'no configuration'} adds "${header}"`, async () => {
    const host = new PluginHost(await buildPlugin('add-header'));
    assert.equal(host.configure(config), true);
    host.request();
    assert.deepEqual(host.run.headers, [header]);
  });
}

const refused: readonly [config: string, line: string][] = [
  ['{"value":5}', 'value: expected a string, got number'],
  ['{"value":null}', 'value: expected a string, got null'],
  ['{"value":true}', 'value: expected a string, got boolean'],
  ['{"header":["}"]}', 'header: expected a string, got object or array'],
  ['{"heder":"x"}', 'heder: unknown; there are header and value'],
  ['{"header":"x y"}', 'header: not a header name'],
  ['{"header":""}', 'header: not a header name'],
  ['{"value":"a\\r\\nb: c"}', 'value: control characters are not allowed in a header'],
  ['["value"]', 'expected a JSON object'],
  ['{"value":"x"', 'expected a JSON object'],
  ['{"value":"x"} x', 'expected a JSON object'],
  ['{"value":"\\u12g4"}', 'expected a JSON object'],
  ['{"value":word}', 'expected a JSON object'],
];
for (const [config, line] of refused) {
  test(`add-header refuses ${config} and says why`, async () => {
    const host = new PluginHost(await buildPlugin('add-header'));
    assert.equal(host.configure(config), false);
    assert.deepEqual(host.run.log, [line]);
  });
}

test('whatever text stands in a value comes through as it is', async () => {
  const plugin = await buildPlugin('add-header');
  const text = fc.string({ unit: 'binary' }).filter(each => !/\p{Cc}/u.test(each));
  fc.assert(
    fc.property(text, fc.boolean(), (value, isPretty) => {
      const host = new PluginHost(plugin);
      assert.equal(host.configure(JSON.stringify({ value }, null, isPretty ? 2 : 0)), true);
      host.request();
      assert.deepEqual(host.run.headers, [`response x-hello: ${value}`]);
    }),
    { numRuns: 50 },
  );
});

test('a long life in one VM does not grow the memory', async () => {
  const host = new PluginHost(await buildPlugin('add-header'));
  host.configure('{"value":"x"}');
  const request = (count: number) => {
    for (let i = 0; i < count; i++) host.request();
    return host.exports.memory.buffer.byteLength;
  };
  const early = request(2_000);
  assert.ok(request(20_000) <= 2 * early);
});

test('stamp tells its configuration and its build, and counts requests', async () => {
  const host = new PluginHost(await buildStamp('build-7'));
  assert.equal(host.configure('{"stamp":"two"}'), true);
  host.request();
  host.request();
  assert.deepEqual(host.run.headers.slice(0, 3), [
    'request x-stamp: two',
    'response x-stamp: two',
    'response x-stamp-module: build-7_________',
  ]);
  assert.equal(host.run.counters.get('stamp_requests'), 2);
  assert.equal(host.configure('{"a":1}'), true);
  host.request();
  assert.equal(host.run.headers.at(-2), 'response x-stamp: {"a":1}');
});

test('refuses-config passes where nobody knows a node, and refuses the nodes it is told to', async () => {
  const plugin = await buildPlugin('faulty/refuses-config');
  assert.equal(new PluginHost(plugin).configure('{"header":"x-hello"}'), true);
  const host = new PluginHost(plugin, { 'xds.node.id': 'edge-b-041' });
  assert.equal(host.configure(''), false);
  assert.equal(host.configure('{"node":"edge-b"}'), false);
  assert.equal(host.configure('{"node":"edge-c"}'), true);
  assert.deepEqual(host.run.log[0], 'this plugin does not run on node edge-b-041');
});

test('refuses-config-by-value refuses what says so', async () => {
  const host = new PluginHost(await buildPlugin('faulty/refuses-config-by-value'));
  assert.equal(host.configure('{"refuse":true}'), false);
  assert.equal(host.configure('{"refuse":false}'), true);
  assert.equal(host.configure(''), true);
});

test('answers-503 answers itself', async () => {
  const host = new PluginHost(await buildPlugin('faulty/answers-503'));
  assert.equal(host.configure(''), true);
  host.request();
  assert.deepEqual(host.run.responses, [{ status: 503, body: 'answers-503\n' }]);
});

test('slow-configure takes its time', async () => {
  const host = new PluginHost(await buildPlugin('faulty/slow-configure'));
  const start = process.hrtime.bigint();
  assert.equal(host.configure('{"ms":30}'), true);
  assert.ok(process.hrtime.bigint() - start >= 30_000_000n);
});

test('slow-configure is slow only from the start on that it is told', async () => {
  const plugin = await buildPlugin('faulty/slow-configure');
  const shared = new Map<string, string>();
  const took = () => {
    const start = process.hrtime.bigint();
    assert.equal(new PluginHost(plugin, {}, shared).configure('{"ms":200,"from":2}'), true);
    return process.hrtime.bigint() - start;
  };
  assert.ok(took() < 200_000_000n);
  assert.ok(took() >= 200_000_000n);
});

test('slow-to-load takes its time once in a process, and works', async () => {
  const plugin = await buildPlugin('faulty/slow-to-load');
  const shared = new Map([['starts', '1']]);
  const host = new PluginHost(plugin, {}, shared);
  assert.equal(host.configure('{"seconds":3600}'), true);
  host.request();
  assert.deepEqual(host.run.headers, ['response x-slow-to-load: works']);
});

test('worker-only starts once in a process, or as often as it is told', async () => {
  const plugin = await buildPlugin('faulty/worker-only');
  const starts = (config: string) => {
    const shared = new Map<string, string>();
    return [1, 2, 3].map(() => new PluginHost(plugin, {}, shared).configure(config));
  };
  assert.deepEqual(starts(''), [true, false, false]);
  assert.deepEqual(starts('{"from":3}'), [true, true, false]);
});

test('traps-in-traffic traps on a header', async () => {
  const host = new PluginHost(await buildPlugin('faulty/traps-in-traffic'));
  assert.equal(host.configure(''), true);
  host.request();
  assert.throws(() => host.request({ 'x-trap': '1' }), /unreachable/);
});

test('traps-in-traffic traps in one worker and in what replaces its VM, and in no other', async () => {
  const plugin = await buildPlugin('faulty/traps-in-traffic');
  const shared = new Map<string, string>();
  const start = () => {
    const host = new PluginHost(plugin, {}, shared);
    assert.equal(host.configure('{"oneWorker":true}'), true);
    return host;
  };
  const [one, other] = [start(), start()];
  assert.throws(() => one.request(), /unreachable/);
  const heir = start();
  other.request();
  assert.throws(() => heir.request(), /unreachable/);
  other.request();
  start();
  other.request();
});
