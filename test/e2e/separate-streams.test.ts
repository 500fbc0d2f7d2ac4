/** An Envoy without ADS: a stream of its own for clusters, listeners, routes, endpoints, and for each place. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { buildPlugin } from '../../plugins/build.ts';
import { type JsonObject, PHASES } from '../../src/model/plugin-spec.ts';
import { ENDPOINT_TYPE, ROUTE_TYPE } from '../../src/model/type-url.ts';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { freePort } from '../harness/free-port.ts';
import { rawCluster, rawListener, rawSlot } from '../harness/raw-resources.ts';
import { startUpstream } from '../harness/upstream.ts';
import { holds, until } from '../harness/wait.ts';
import { toApiType } from '../harness/xds-form.ts';
import { startXdsSpy } from '../harness/xds-spy.ts';
import { applyStamp, offerStamp, untilOn, untilRefused } from './lifecycle/stamp-plugin.ts';
import { BARE, startStampedLoad } from './lifecycle/stamped-load.ts';

const NODE = 'edge-1';
const LISTENER = 'main';

for (const form of ['delta', 'sotw'] as const)
  test(`an Envoy with a stream for each type, ${form}: plugins come, are refused, and stay over restarts`, t =>
    serveOverSeparateStreams(t, form));

async function serveOverSeparateStreams(t: TestContext, form: ProtocolForm): Promise<void> {
  const scene = await startScene(t, form);
  const { attache, spy } = scene;
  const [first, second] = [await offerStamp(scene, 'first'), await offerStamp(scene, 'second')];
  const refused = await attache.offer(await buildPlugin('faulty/refuses-config'));
  const stamped = startStampedLoad(t, scene.port, BARE, { envoyGoes: true });
  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { phase: 'AUTHN' });
    await untilOn(scene, 'first', 1);
  });
  await stamped.change('b, a', async () => {
    await applyStamp(scene, second, 'b');
    await untilOn(scene, 'second', 1);
  });
  await stamped.unmoved(async () => {
    await attache.applyPlugin('second', { url: refused });
    await untilRefused(scene, 'second', 2, 1);
  });

  const wanted = DISCOVERY_METHODS.filter(
    method =>
      method.form === form && /Clusters|Listeners|Routes|Endpoints|ExtensionConfigs/.test(method.path),
  );
  assert.deepEqual([...new Set(spy.methods)].sort(), wanted.map(({ path }) => path).sort());
  assert.equal(spy.methods.length, 4 + PHASES.length, 'each place has its own');
  const { body } = await attache.request('GET', '/v1/nodes');
  assert.equal(body.items.length, 1);

  // Named routes and endpoints are answered again in the state of the world; nothing else is to come.
  const isRepeat = (typeUrl: string) =>
    form === 'sotw' && (typeUrl === ROUTE_TYPE || typeUrl === ENDPOINT_TYPE);
  const carrying = () => spy.carrying().filter(({ typeUrl }) => !isRepeat(typeUrl)).length;
  const before = carrying();
  await stamped.unmoved(async () => {
    const streams = spy.methods.length;
    await attache.end();
    await attache.startAgain();
    const back = () => new Set(spy.methods.slice(streams)).size === wanted.length;
    await until(back, { what: 'every stream to come back', deadlineMs: 40_000 });
  });
  await holds(() => carrying() === before, { what: 'nothing new to the Envoy', forMs: 1_500 });

  await stamped.unmoved(() => scene.restartEnvoy());
  await stamped.change('b, A', async () => {
    await applyStamp(scene, first, 'A', { phase: 'AUTHN' });
    await untilOn(scene, 'first', 2);
  });
  await stamped.assertClean();
}

async function startScene(t: TestContext, form: ProtocolForm) {
  const upstream = stopAfter(t, await startUpstream());
  const attache = stopAfter(t, await AttacheProcess.start());
  const spy = stopAfter(t, await startXdsSpy(attache.addresses.xds));
  const printed = await attache.bootstrap(['--id', NODE, '--xds-address', `127.0.0.1:${spy.port}`]);
  const port = await freePort();
  const { bootstrap, source } = separate(printed, form);
  await attache.applyResource('endpoints', 'upstream', toEndpoints(upstream.port));
  await attache.applyResource('clusters', 'upstream', toCluster(source));
  await attache.applyResource('routes', 'all', ROUTES);
  await attache.applyResource('listeners', LISTENER, toListener(source, port));
  const start = async () => stopAfter(t, await startEnvoy({ bootstrap, drainTimeS: 2 }));
  let envoy = await start();
  await envoy.waitReady();
  return {
    ...{ attache, spy, port, node: NODE },
    get envoy() {
      return envoy;
    },
    async restartEnvoy() {
      await envoy.stop();
      envoy = await start();
    },
  };
}

/** The bootstrap with streams of their own in place of ADS, and what says so in a resource. */
function separate(printed: string, form: ProtocolForm): { bootstrap: string; source: JsonObject } {
  const bootstrap = parse(printed);
  const { ads_config: ads } = bootstrap.dynamic_resources;
  const source = {
    resource_api_version: 'V3',
    api_config_source: { ...ads, api_type: toApiType(form) },
  };
  bootstrap.dynamic_resources = { cds_config: source, lds_config: source };
  return { bootstrap: stringify(bootstrap, { aliasDuplicateObjects: false }), source };
}

const V3 = 'type.googleapis.com/envoy.config';
const ROUTES: JsonObject = {
  '@type': `${V3}.route.v3.RouteConfiguration`,
  name: 'all',
  virtual_hosts: [
    { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }] },
  ],
};

function toEndpoints(port: number): JsonObject {
  const { load_assignment: endpoints } = rawCluster('upstream', port) as { load_assignment: JsonObject };
  return { '@type': `${V3}.endpoint.v3.ClusterLoadAssignment`, ...endpoints };
}

function toCluster(source: JsonObject): JsonObject {
  const { load_assignment: _, ...cluster } = rawCluster('upstream', 0);
  return { ...cluster, type: 'EDS', eds_cluster_config: { eds_config: source } };
}

/** Places over ADS would be added where it has none of its own. */
function toListener(source: JsonObject, port: number): JsonObject {
  const places = PHASES.map(({ slot }) => {
    const { config_discovery: discovery, ...place } = rawSlot({
      name: `${slot}/${LISTENER}`,
      unanswered: 'deny',
    }) as { config_discovery: JsonObject };
    const config_source = { ...source, initial_fetch_timeout: '0s' };
    return { ...place, config_discovery: { ...discovery, config_source } };
  });
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  const text = JSON.stringify(rawListener(LISTENER, places, { address }));
  const listener = JSON.parse(text);
  const manager = listener.filter_chains[0].filters[0].typed_config;
  delete manager.route_config;
  manager.rds = { route_config_name: 'all', config_source: source };
  return listener;
}
