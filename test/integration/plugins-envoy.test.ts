import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { type EnvoyProcess, startEnvoy } from '../harness/envoy-process.ts';
import {
  buildBig,
  buildStamp,
  type FixtureModule,
  THIRD_PARTY_ROOT_ID,
  thirdPartyModule,
  toStampModule,
} from '../harness/fixture-modules.ts';
import { until } from '../harness/wait.ts';

/** One listener with one plugin in it. */
interface Place {
  /** Of the listener, the filter and the plugin. */
  readonly name: string;
  readonly module: FixtureModule;
  readonly configuration?: string;
  readonly rootId?: string;
}

const NODE_ID = 'edge-b-041';

for (const version of ['1.40.0', '1.36.2']) {
  test(`the plugins in a real Envoy ${version}, without a control plane`, async t => {
    const good = await goodPlaces();
    const bad = await badPlaces();
    const { envoy, answer } = await startWithPlugins(t, version, [...good, ...bad]);

    await t.test('Envoy takes every good plugin and refuses every bad one, by name', async () => {
      const errors = await refusals(envoy);
      assert.deepEqual([...errors.keys()].sort(), bad.map(place => place.name).sort());
      for (const [name, text] of errors)
        assert.match(text, new RegExp(`Unable to create Wasm plugin ${name}`));
      assert.deepEqual(Object.keys(await envoy.listenerPorts()).sort(), good.map(place => place.name).sort());
    });

    await t.test('refuses-config reads the node and says so in the log', async () => {
      assert.match(await envoy.log(), new RegExp(`this plugin does not run on node ${NODE_ID}`));
    });

    await t.test('add-header adds the header of its configuration, or x-hello', async () => {
      assert.equal((await answer('add-header')).headers.get('x-hello'), 'world');
      const greeting = (await answer('add-header-configured')).headers.get('x-greeting');
      // fetch reads header bytes as Latin-1.
      assert.equal(Buffer.from(greeting ?? '', 'latin1').toString(), 'grüß dich');
      assert.equal((await answer('big')).headers.get('x-hello'), 'world');
    });

    await t.test('stamp tells its configuration and its build, and its counter moves', async () => {
      const { headers } = await answer('stamp');
      assert.equal(headers.get('x-stamp'), 'one');
      assert.equal(headers.get('x-stamp-module'), toStampModule('build-1'));
      await until(async () => (await envoy.stat('wasmcustom.stamp_requests')) === 1, { what: 'the counter' });
    });

    await t.test('a plugin not written by us works', async () => {
      assert.equal((await answer('hello-world')).headers.get('hello'), 'there');
    });

    await t.test('answers-503 answers every request itself', async () => {
      const response = await answer('answers-503');
      assert.equal(response.status, 503);
      assert.equal(await response.text(), 'answers-503\n');
    });

    await t.test('slow-to-load works once it is loaded', async () => {
      assert.equal((await answer('slow-to-load')).headers.get('x-slow-to-load'), 'works');
    });

    await t.test('traps-in-traffic traps on a header, or on every request of one worker', async () => {
      const port = await envoy.listenerPort('traps-in-traffic');
      const status = async (headers: Record<string, string>) =>
        (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close', ...headers } })).status;
      assert.deepEqual([await status({}), await status({ 'x-trap': '1' })], [200, 503]);
      assert.equal((await answer('traps-on-one-worker')).status, 503);
    });

    await t.test('worker-only lets requests pass without it', async () => {
      const response = await answer('worker-only');
      assert.deepEqual([response.status, response.headers.get('x-worker-only')], [200, null]);
    });

    await t.test('traps-on-request lets requests pass until one traps', async () => {
      assert.equal((await answer('traps-on-request')).status, 200);
      assert.equal((await answer('traps-on-request', '/trap')).status, 503);
    });
  });
}

async function goodPlaces(): Promise<Place[]> {
  const addHeader = await buildPlugin('add-header');
  const refusesByValue = await buildPlugin('faulty/refuses-config-by-value');
  return [
    { name: 'add-header', module: addHeader },
    {
      name: 'add-header-configured',
      module: addHeader,
      configuration: '{"header": "x-greeting", "value": "grüß dich"}',
    },
    { name: 'big', module: await buildBig(3_000_000) },
    { name: 'stamp', module: await buildStamp('build-1'), configuration: '{"stamp": "one"}' },
    {
      name: 'hello-world',
      module: await thirdPartyModule(),
      configuration: 'there',
      rootId: THIRD_PARTY_ROOT_ID,
    },
    { name: 'answers-503', module: await buildPlugin('faulty/answers-503') },
    {
      name: 'traps-on-request',
      module: await buildPlugin('faulty/traps-on-request'),
      configuration: '{"path": "/trap"}',
    },
    {
      name: 'slow-configure',
      module: await buildPlugin('faulty/slow-configure'),
      configuration: '{"ms": 50}',
    },
    {
      name: 'slow-to-load',
      module: await buildPlugin('faulty/slow-to-load'),
      configuration: '{"seconds": 1}',
    },
    { name: 'traps-in-traffic', module: await buildPlugin('faulty/traps-in-traffic') },
    {
      name: 'traps-on-one-worker',
      module: await buildPlugin('faulty/traps-in-traffic'),
      configuration: '{"oneWorker": true}',
    },
    { name: 'worker-only', module: await buildPlugin('faulty/worker-only') },
    { name: 'refuses-by-value-not', module: refusesByValue, configuration: '{"refuse": false}' },
    {
      name: 'refuses-config-elsewhere',
      module: await buildPlugin('faulty/refuses-config'),
      configuration: '{"node": "edge-c"}',
    },
  ];
}

async function badPlaces(): Promise<Place[]> {
  const named = async (name: string) => ({ name, module: await buildPlugin(`faulty/${name}`) });
  return [
    await named('refuses-config'),
    { ...(await named('refuses-config-by-value')), configuration: '{"refuse": true}' },
    await named('unknown-import'),
    await named('no-abi'),
    await named('abi-0-3-0'),
    {
      name: 'add-header-refusing',
      module: await buildPlugin('add-header'),
      configuration: '{"heder": "x-hello"}',
    },
  ];
}

/** An Envoy whose listeners come from a file: a bad one is refused and the good ones serve all the same. */
async function startWithPlugins(t: TestContext, version: string, places: readonly Place[]) {
  const folder = await mkdtemp(join(tmpdir(), 'attache-plugins-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const listeners = await Promise.all(places.map(place => toListener(folder, place)));
  const file = join(folder, 'lds.json');
  await writeFile(file, JSON.stringify({ resources: listeners }));
  const bootstrap = {
    node: { id: NODE_ID, cluster: 'edge' },
    dynamic_resources: { lds_config: { path_config_source: { path: file } } },
  };
  const envoy = stopAfter(t, await startEnvoy({ bootstrap, version, concurrency: 1 }));
  await envoy.waitReady();
  const answer = async (name: string, path = '/') =>
    fetch(`http://127.0.0.1:${await envoy.listenerPort(name)}${path}`, { headers: { connection: 'close' } });
  return { envoy, answer };
}

async function toListener(folder: string, place: Place): Promise<object> {
  const filename = join(folder, `${place.name}.wasm`);
  await writeFile(filename, place.module.bytes);
  const plugin = {
    name: place.name,
    root_id: place.rootId ?? '',
    vm_config: { vm_id: place.name, runtime: 'envoy.wasm.runtime.v8', code: { local: { filename } } },
    configuration: {
      '@type': 'type.googleapis.com/google.protobuf.StringValue',
      value: place.configuration ?? '',
    },
  };
  const manager = {
    '@type': `${EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: place.name,
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
        },
      ],
    },
    http_filters: [
      { name: place.name, typed_config: { '@type': `${EXTENSIONS}.http.wasm.v3.Wasm`, config: plugin } },
      { name: 'router', typed_config: { '@type': `${EXTENSIONS}.http.router.v3.Router` } },
    ],
  };
  return {
    '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
    name: place.name,
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
}

const EXTENSIONS = 'type.googleapis.com/envoy.extensions.filters';

/** Name of a refused listener to Envoy's text. */
async function refusals(envoy: EnvoyProcess): Promise<Map<string, string>> {
  const { configs } = await envoy.configDump();
  const listeners = configs.flatMap(config => (config.dynamic_listeners ?? []) as DynamicListener[]);
  // Each refusal of a new listener stands there a second time without a name.
  const refused = listeners.filter(one => one.error_state !== undefined && one.name !== undefined);
  return new Map(refused.map(one => [one.name ?? '', one.error_state?.details ?? '']));
}

interface DynamicListener {
  readonly name?: string;
  readonly error_state?: { readonly details: string };
}
