/**
 * Clients on other stacks against a running Attaché: gRPC's C core (Python) with types that the server's reflection
 * tells, the xDS client inside it (proxyless gRPC), and Go's (grpcurl).
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE } from '../../src/model/type-url.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { endChild, spawnChild } from '../harness/child-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { execute, findGoTool, GRPCURL, runTool } from './go-tools.ts';
import { findPythonGrpc, PythonClient, pythonScript } from './python-grpc.ts';

const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
const CSDS = 'envoy.service.status.v3.ClientStatusDiscoveryService';
const start = async (t: TestContext): Promise<AttacheProcess> => stopAfter(t, await AttacheProcess.start());

function makeCluster(name: string, timeout = '1s'): JsonObject {
  return { '@type': CLUSTER_TYPE, name, connect_timeout: timeout, type: 'STATIC' };
}

for (const form of ['delta', 'sotw'] as const)
  test(`grpcio, ${form}: subscribes, ACKs, is told of changes, refuses, and CSDS says so`, async t => {
    const attache = await start(t);
    const client = await PythonClient.start(t, attache.addresses.xds);
    if (client === undefined) return;
    await attache.applyResource('clusters', 'one', makeCluster('one'));
    const send = (request: JsonObject): Promise<string> => client.do('send', { as: 'a', request });
    const answer = (
      { nonce, version_info }: { nonce: string; version_info: string },
      more: JsonObject = {},
    ): Promise<string> =>
      send({
        type_url: CLUSTER_TYPE,
        response_nonce: nonce,
        ...(form === 'sotw' && !('error_detail' in more) ? { version_info } : {}),
        ...more,
      });
    await client.do('open', { as: 'a', form });
    await send({ node: { id: 'py-1', cluster: 'interop' }, type_url: CLUSTER_TYPE });
    const first = await client.do('next', { as: 'a' });
    assert.equal(first.type_url, CLUSTER_TYPE);
    assert.ok(first.all_of_type);
    assert.deepEqual(first.names, ['attache_modules', 'one']);
    await answer(first);
    await attache.applyResource('clusters', 'two', makeCluster('two'));
    const second = await client.do('next', { as: 'a' });
    assert.deepEqual(second.names, form === 'delta' ? ['two'] : ['attache_modules', 'one', 'two']);
    await answer(second, { error_detail: { code: 13, message: 'Error adding/updating cluster(s) two: no' } });
    const says = async (wanted: string): Promise<void> => {
      await until(
        async () => {
          const [config] = await client.do('csds', {
            request: { node_matchers: [{ node_id: { exact: 'py-1' } }] },
          });
          return config?.resources.includes(wanted);
        },
        { what: `CSDS to say ${wanted}` },
      );
    };
    await says('two ERROR');
    await says('one SYNCED');
    await attache.must('DELETE', '/v1/resources/clusters/default/two');
    await attache.must('DELETE', '/v1/resources/clusters/default/one');
    let held = ['attache_modules', 'one'];
    while (held.length > 1) {
      const next = await client.do('next', { as: 'a' });
      held = form === 'sotw' ? next.names : held.filter(name => !next.removed.includes(name));
      await answer(next);
    }
    assert.deepEqual(held, ['attache_modules']);
    assert.equal((await client.do('end', { as: 'a' })).code, 'OK');
  });

test('grpcio: reflection lists and describes every service, and health says SERVING of each', async t => {
  const attache = await start(t);
  const client = await PythonClient.start(t, attache.addresses.xds);
  if (client === undefined) return;
  const services: string[] = await client.do('services');
  assert.ok(services.includes(ADS) && services.includes(CSDS) && services.length >= 10);
  for (const service of services) assert.equal(await client.do('health', { service }), 'SERVING', service);
});

test('grpcio: a limit that was hit is a status that says which', async t => {
  const attache = stopAfter(t, await AttacheProcess.start({ flags: ['--xds-limit', 'names=3'] }));
  const client = await PythonClient.start(t, attache.addresses.xds);
  if (client === undefined) return;
  await client.do('open', { as: 'a', form: 'delta' });
  const request = {
    node: { id: 'py-1' },
    type_url: ENDPOINT_TYPE,
    resource_names_subscribe: ['a', 'b', 'c', 'd'],
  };
  await client.do('send', { as: 'a', request });
  await assert.rejects(
    client.do('next', { as: 'a' }),
    /RESOURCE_EXHAUSTED: too-many-names: .*--xds-limit names=/,
  );
  const { items } = await attache.must('GET', '/v1/limits');
  assert.equal(items.find(({ name }: { name: string }) => name === 'names').hits, 1);
});

test('proxyless gRPC: the xDS client in the C core resolves a target by Attaché and calls it', async t => {
  const attache = await start(t);
  const env = await findPythonGrpc(t);
  if (env === undefined) return;
  const port = await startBackend(t);
  await applyTarget(attache, 'health.example', port);
  const bootstrap = join(attache.folder, 'grpc-bootstrap.json');
  const xds = {
    server_uri: attache.addresses.xds,
    channel_creds: [{ type: 'insecure' }],
    server_features: ['xds_v3'],
  };
  await writeFile(
    bootstrap,
    JSON.stringify({ xds_servers: [xds], node: { id: 'grpc-1', locality: { zone: 'a' } } }),
  );
  const said = await runWithPython(['xds_target.py', 'xds:///health.example'], {
    ...env,
    GRPC_XDS_BOOTSTRAP: bootstrap,
  });
  assert.equal(said.trim(), 'SERVING');
  const { status } = await attache.must('GET', '/v1/nodes/grpc-1');
  assert.deepEqual(status.refusedResources, []);
});

test('grpcurl: lists, describes and streams in both forms, and reads CSDS', async t => {
  const program = await findGoTool(t, GRPCURL);
  if (program === undefined) return;
  const attache = await start(t);
  await attache.applyResource('clusters', 'one', makeCluster('one'));
  const grpcurl = (...args: string[]): Promise<string> =>
    runTool(program, ['-plaintext', '-max-time', '5', ...args], attache.folder);
  const { xds } = attache.addresses;
  assert.match(await grpcurl(xds, 'list'), new RegExp(ADS));
  assert.match(
    await grpcurl(xds, 'describe', `${ADS}.StreamAggregatedResources`),
    /stream \.envoy.*DiscoveryRequest/,
  );
  for (const method of ['DeltaAggregatedResources', 'StreamAggregatedResources']) {
    const request = JSON.stringify({ node: { id: 'go-1' }, type_url: CLUSTER_TYPE });
    const args = ['-plaintext', '-max-time', '20', '-d', '@', xds, `${ADS}/${method}`];
    const out = await talk(program, args, request, said => said.includes('"nonce"'));
    assert.match(out, /"name": "one"/);
    assert.match(out, /"connectTimeout": "1s"/, 'reflection told what a cluster is');
  }
  const status = JSON.parse(await grpcurl(xds, `${CSDS}/FetchClientStatus`));
  assert.deepEqual(
    status.config.map(({ node }: { node: { id: string } }) => node.id),
    ['go-1'],
  );
});

/** Writes a line to a program and lets it go once it said what was waited for. */
async function talk(
  program: string,
  args: readonly string[],
  line: string,
  isEnough: (said: string) => boolean,
): Promise<string> {
  const running = spawnChild(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  running.child.stdout?.on('data', (data: Buffer) => (said += data));
  running.child.stdin?.write(`${line}\n`);
  try {
    await until(() => isEnough(said), { what: `${program} to say more` });
    return said;
  } finally {
    running.child.stdin?.end();
    await endChild(running);
  }
}

/** A gRPC server that is healthy. */
async function startBackend(t: TestContext): Promise<number> {
  const server = new grpc.Server();
  new HealthImplementation({ '': 'SERVING' }).addToServer(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  return port;
}

/** What a gRPC client needs to find one server by the name. */
async function applyTarget(attache: AttacheProcess, name: string, port: number): Promise<void> {
  const ads = { ads: {}, resource_api_version: 'V3' };
  await attache.applyResource('endpoints', 'backend', {
    '@type': ENDPOINT_TYPE,
    cluster_name: 'backend',
    endpoints: [
      {
        locality: { zone: 'a' },
        load_balancing_weight: 1,
        lb_endpoints: [
          { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
        ],
      },
    ],
  });
  await attache.applyResource('clusters', 'backend', {
    '@type': CLUSTER_TYPE,
    name: 'backend',
    type: 'EDS',
    eds_cluster_config: { eds_config: ads },
  });
  await attache.applyResource('routes', 'backend', {
    '@type': 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
    name: 'backend',
    virtual_hosts: [
      { name: 'all', domains: ['*'], routes: [{ match: { prefix: '' }, route: { cluster: 'backend' } }] },
    ],
  });
  await attache.applyResource('listeners', name, {
    '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
    name,
    api_listener: {
      api_listener: {
        '@type':
          'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
        stat_prefix: 'x',
        rds: { route_config_name: 'backend', config_source: ads },
        http_filters: [
          {
            name: 'router',
            typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
          },
        ],
      },
    },
  });
}

async function runWithPython(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const [script = '', ...rest] = args;
  const { code, out, err } = await execute('python3', [pythonScript(script), ...rest], '/', env);
  assert.equal(code, 0, err);
  return out;
}
