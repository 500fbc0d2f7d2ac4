/** What CSDS says of a real Envoy is what its own config dump says. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { DebugClient, describeConfigs, type Message } from '../harness/debug-client.ts';
import { rawCluster, rawListener } from '../harness/raw-resources.ts';
import { until } from '../harness/wait.ts';

/** A port of loopback that somebody else has. */
async function takePort(t: TestContext): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise(resolve => server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : assert.fail();
}

test('CSDS tells of a real Envoy: SYNCED, NOT_SENT, STALE, ERROR with its text, UNKNOWN', async t => {
  const scene = await startAttacheScene(t);
  const { attache, envoy, node } = scene;
  const client = stopAfter(t, new DebugClient(Number(attache.addresses.xds.split(':').at(-1))));
  const config = async (): Promise<Message> => {
    const [found] = await client.status({ node_id: { exact: node } });
    return found ?? assert.fail('the node is not known');
  };
  const resource = async (type: string, name: string): Promise<Message> =>
    (await config()).generic_xds_configs.find(
      (it: Message) => it.type_url.endsWith(`.${type}`) && it.name === name,
    );
  const untilStatus = (type: string, name: string, wanted: string): Promise<Message> =>
    until(
      async () => {
        const found = await resource(type, name);
        assert.equal(found?.config_status ?? 'UNKNOWN', wanted, describeConfigs(await config()).join(', '));
        return found;
      },
      { what: `${name} ${wanted}` },
    );

  await serveMain(scene);
  await untilStatus('Cluster', 'upstream', 'SYNCED');
  const main = await untilStatus('Listener', 'main', 'SYNCED');
  const place = await untilStatus('TypedExtensionConfig', 'attache.authn/main', 'SYNCED');
  const { id, user_agent_build_version: build, metadata } = (await config()).node;
  assert.equal(id, node);
  assert.equal(build.version.major_number, 1);
  assert.equal(metadata.fields.NAMESPACE.stringValue, 'default');

  // Envoy says the same of itself.
  const dump = JSON.stringify(await envoy.configDump());
  for (const { version_info: version } of [main, place]) assert.ok(dump.includes(version), version);

  // A plugin changes its place and nothing else.
  await attache.applyPlugin('hello', {
    url: await attache.offer(await buildPlugin('add-header')),
    phase: 'AUTHN',
    pluginConfig: { value: 'x' },
  });
  await attache.waitAccepted(node, 'hello', 1);
  const after = await untilStatus('TypedExtensionConfig', 'attache.authn/main', 'SYNCED');
  assert.notEqual(after.version_info, place.version_info);
  assert.equal((await resource('Listener', 'main')).version_info, main.version_info);
  const url = Buffer.from(after.xds_config.value).toString('latin1');
  assert.match(url, /cap=0{64}/, 'a capability is for its own Envoy');

  // Nobody asks for the endpoints of a cluster that has its own.
  await attache.applyResource('endpoints', 'upstream', {
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: 'upstream',
  });
  await untilStatus('ClusterLoadAssignment', 'upstream', 'NOT_SENT');

  // An Envoy that stands still answers nothing.
  process.kill(envoy.pid, 'SIGSTOP');
  try {
    await attache.applyResource('clusters', 'late', rawCluster('late', scene.upstream.port));
    await untilStatus('Cluster', 'late', 'STALE');
  } finally {
    process.kill(envoy.pid, 'SIGCONT');
  }
  await untilStatus('Cluster', 'late', 'SYNCED');

  // A listener that cannot be opened is refused, and the others stay.
  const address = { socket_address: { address: '127.0.0.1', port_value: await takePort(t) } };
  await attache.applyResource('listeners', 'taken', rawListener('taken', [], { address }));
  const taken = await untilStatus('Listener', 'taken', 'ERROR');
  assert.match(taken.error_state.details, /taken.*(bind|in use)/s);
  assert.equal(taken.error_state.version_info, taken.version_info);
  assert.match(taken.xds_config.type_url, /Listener$/);
  assert.equal((await resource('Listener', 'main')).config_status, 'SYNCED');

  await envoy.kill9();
  await untilStatus('Listener', 'main', 'UNKNOWN');
  await scene.startEnvoyAgain();
  await untilStatus('Listener', 'main', 'SYNCED');
});
