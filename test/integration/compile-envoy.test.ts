/** What the compiler writes, judged by real Envoys: in binary form, so that field numbers count and not names. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { NodeCapabilities } from '../../src/model/node.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { CLUSTER_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import {
  assign,
  makeCompiler,
  makeInputs,
  makeListener,
  makePlugin,
  makeResource,
  ROUTER,
  registry,
  SINGLE,
} from '../compile/compile-samples.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { envoyBinary } from '../harness/envoy-binary.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { until } from '../harness/wait.ts';

const CHAIN = { filterChain: true, wasm: true, failReload: true };
const BOOTSTRAP = 'envoy.config.bootstrap.v3.Bootstrap';

/** An ADS cluster that nobody answers on: places show their default. */
const ads = {
  api_type: 'DELTA_GRPC',
  transport_api_version: 'V3',
  grpc_services: [{ envoy_grpc: { cluster_name: 'attache_xds' } }],
};
const adsCluster = {
  name: 'attache_xds',
  type: 'STATIC',
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
  load_assignment: { cluster_name: 'attache_xds' },
};

function toBootstrap(listeners: readonly JsonObject[], clusters: readonly JsonObject[]): JsonObject {
  return {
    node: { id: 'edge-1', cluster: 'edge' },
    dynamic_resources: { ads_config: ads },
    static_resources: { listeners, clusters: [adsCluster, ...clusters] },
  };
}

/** Envoy's verdict about a bootstrap in binary form: empty, or what it printed. */
async function validate(version: string, bootstrap: JsonObject): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'attache-validate-'));
  const path = join(folder, 'envoy.pb');
  await writeFile(path, registry.encode(BOOTSTRAP, bootstrap));
  const program = await envoyBinary(version);
  const args = ['--mode', 'validate', '-c', path, '-l', 'error', '--disable-hot-restart'];
  return new Promise<string>(resolve => {
    execFile(program, args, { timeout: 60_000 }, (error, stdout, stderr) =>
      resolve(error === null ? '' : `${error.message}\n${stdout}${stderr}`),
    );
  }).finally(() => rm(folder, { recursive: true, force: true }));
}

function compileSample(capabilities: NodeCapabilities, unanswered: 'deny' | 'allow' = 'deny'): Snapshot {
  const plugins = assign([
    makePlugin('auth', {
      pluginConfig: { realm: 'example' },
      env: [
        { name: 'LEVEL', value: 'info' },
        { name: 'HOSTNAME', valueFrom: 'HOST' },
      ],
    }),
    makePlugin('quota', { failStrategy: 'FAIL_OPEN' }),
    makePlugin('stats', { phase: 'STATS', failStrategy: 'FAIL_CLOSE', pluginName: 'root' }),
  ]);
  const resource = { ...makeResource(makeListener({ port: 0 })), unanswered };
  return makeCompiler().compile(makeInputs({ plugins, resources: [resource], capabilities }));
}

/** A compiled resource as it stands in a bootstrap: without its `@type`. */
function readResource(snapshot: Snapshot, typeUrl: string, name: string): JsonObject {
  const any = snapshot.resources.get(typeUrl)?.get(name)?.any;
  assert.ok(any, name);
  const { '@type': _, ...json } = registry.decodeAny(any);
  return json;
}

/** The content of slots as filters in a listener of its own, in place of the subscriptions. */
function inlineSlots(snapshot: Snapshot, slots: readonly string[]): JsonObject {
  const filters = slots.map(slot => {
    const { '@type': _, ...config } = registry.decodeAny(snapshot.slot(slot).wanted.warming.bytes);
    return { name: String(config.name), typed_config: config.typedConfig as JsonObject };
  });
  const router = { name: 'router', typed_config: { '@type': ROUTER } };
  const { '@type': _, ...listener } = makeListener({
    name: 'inline',
    port: 0,
    filters: [...filters, router],
  });
  return listener;
}

const CASES: readonly [string, NodeCapabilities, readonly string[]][] = [
  ['1.40.0', CHAIN, ['attache.authn/ingress', 'attache.stats/ingress', 'attache.last/ingress']],
  ['1.39.3', CHAIN, ['attache.authn/ingress', 'attache.stats/ingress', 'attache.last/ingress']],
  ['1.36.2', SINGLE, ['default/auth', 'default/quota', 'default/stats', 'attache.last']],
];

for (const [version, capabilities, slots] of CASES)
  test(`Envoy ${version} accepts the listener with its places, the slots' content and the module cluster`, async () => {
    const snapshot = compileSample(capabilities);
    const listeners = [readResource(snapshot, LISTENER_TYPE, 'ingress'), inlineSlots(snapshot, slots)];
    const clusters = [readResource(snapshot, CLUSTER_TYPE, 'attache_modules')];
    assert.equal(await validate(version, toBootstrap(listeners, clusters)), '');
  });

test('Envoy judges the binary form: a filter chain is no filter on 1.36.2, and an unknown field is told', async () => {
  const snapshot = compileSample(CHAIN);
  const listeners = [inlineSlots(snapshot, ['attache.authn/ingress'])];
  assert.match(await validate('1.36.2', toBootstrap(listeners, [])), /filter_chain/);
  const newer = toBootstrap([], [{ name: 'c', stats_matcher: { reject_all: true } }]);
  assert.match(await validate('1.36.2', newer), /unknown field/i);
  assert.equal(await validate('1.40.0', newer), '');
});

/** Where nothing answers, the default shows: the fetch timeout is cut short, all else is as compiled. */
async function requestUnanswered(t: TestContext, version: string, unanswered: 'deny' | 'allow') {
  const snapshot = compileSample(version === '1.36.2' ? SINGLE : CHAIN, unanswered);
  const text = JSON.stringify(readResource(snapshot, LISTENER_TYPE, 'ingress'));
  const listener = JSON.parse(
    text.replaceAll(/"initialFetchTimeout":"\d+s"/g, '"initialFetchTimeout":"0.050s"'),
  );
  const envoy = stopAfter(t, await startEnvoy({ bootstrap: toBootstrap([listener], []), version }));
  await envoy.waitReady();
  const answer = await fetch(`http://127.0.0.1:${await envoy.listenerPort('ingress')}/`);
  return { status: answer.status, body: await answer.text(), envoy };
}

for (const version of ['1.40.0', '1.36.2']) {
  test(`Envoy ${version}: an unanswered place is closed, 403, and our stat prefix shows it`, async t => {
    const { status, envoy } = await requestUnanswered(t, version, 'deny');
    assert.equal(status, 403);
    const stat =
      version === '1.36.2' ? 'extension_config_discovery.http_filter.default/auth' : 'http.ingress';
    const denied = () => envoy.stat(`${stat}.rbac.attache_closed.denied`);
    await until(async () => (await denied()) === 1, { what: 'the counter of the closed place' });
  });

  test(`Envoy ${version}: with unanswered: allow it lets requests through`, async t => {
    const { status, body } = await requestUnanswered(t, version, 'allow');
    assert.deepEqual([status, body], [200, 'ok']);
  });
}
