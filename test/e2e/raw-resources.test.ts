/** Resources of every type, as a real Envoy uses them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  RUNTIME_TYPE,
  SECRET_TYPE,
} from '../../src/model/type-url.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { type AttacheScene, startAttacheScene } from '../harness/attache-scene.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { DebugClient, type Message } from '../harness/debug-client.ts';
import { takeProtoset } from '../harness/envoy-descriptors.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { freePort } from '../harness/free-port.ts';
import { rawListener } from '../harness/raw-resources.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

const EXT = 'type.googleapis.com/envoy.extensions';
const OVER_ADS = { ads: {}, resource_api_version: 'V3' };
const MCP_PROTO = 'envoy/extensions/filters/http/mcp/v3/mcp.proto';

const injector: JsonObject = {
  name: 'envoy.filters.http.credential_injector',
  typed_config: {
    '@type': `${EXT}.filters.http.credential_injector.v3.CredentialInjector`,
    overwrite: true,
    credential: {
      name: 'envoy.http.injected_credentials.generic',
      typed_config: {
        '@type': `${EXT}.http.injected_credentials.generic.v3.Generic`,
        credential: { name: 'token', sds_config: OVER_ADS },
        header: 'x-token',
        // An overlay has it: the API package is older.
        header_value_prefix: 'Key ',
      },
    },
  },
};

function tokenOf(secret: string): JsonObject {
  return {
    '@type': SECRET_TYPE,
    name: 'token',
    generic_secret: { secret: { inline_string: secret } },
  };
}

/** Everything that a request needs, each part over ADS. */
function documentsFor(upstreamPort: number): readonly (readonly [string, string, JsonObject])[] {
  const address = { socket_address: { address: '127.0.0.1', port_value: upstreamPort } };
  const runtime_fraction = { default_value: { numerator: 0 }, runtime_key: 'try.blue' };
  const routes = [
    {
      match: { prefix: '/', runtime_fraction },
      direct_response: { status: 200, body: { inline_string: 'blue' } },
    },
    { match: { prefix: '/' }, route: { cluster: 'eds-app' } },
  ];
  const manager = {
    '@type': `${EXT}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'web',
    rds: { config_source: OVER_ADS, route_config_name: 'web' },
    http_filters: [
      injector,
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${EXT}.filters.http.router.v3.Router` },
      },
    ],
  };
  const eds_cluster_config = { eds_config: OVER_ADS };
  return [
    ['secrets', 'token', tokenOf('S3CRET-one')],
    [
      'endpoints',
      'eds-app',
      {
        '@type': ENDPOINT_TYPE,
        cluster_name: 'eds-app',
        endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
      },
    ],
    ['clusters', 'eds-app', { '@type': CLUSTER_TYPE, name: 'eds-app', type: 'EDS', eds_cluster_config }],
    [
      'routes',
      'web',
      { '@type': ROUTE_TYPE, name: 'web', virtual_hosts: [{ name: 'v', domains: ['*'], routes }] },
    ],
    [
      'listeners',
      'web',
      {
        '@type': LISTENER_TYPE,
        name: 'web',
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
        filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
      },
    ],
  ];
}

test('routes, endpoints, a secret and a runtime over ADS are used by an Envoy, and changes of each reach it', async t => {
  const scene = await startAttacheScene(t, { bootstrapFlags: ['--runtime', 'limits'] });
  const { attache, envoy, upstream } = scene;
  for (const [type, name, resource] of documentsFor(upstream.port)) {
    const { warnings } = await attache.applyResource(type, name, resource);
    assert.deepEqual(warnings, [], `${type} ${name}`);
  }
  const port = await envoy.listenerPort('web');
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/x`)).text();
  const token = async () => JSON.parse(await ask()).headers['x-token'];
  await until(async () => (await token()) === 'Key S3CRET-one', { what: 'the endpoint to get the secret' });

  await attache.applyResource('secrets', 'token', tokenOf('S3CRET-two'));
  await until(async () => (await token()) === 'Key S3CRET-two', { what: 'the new secret' });

  await attache.applyResource('runtimes', 'limits', {
    '@type': RUNTIME_TYPE,
    name: 'limits',
    layer: { 'try.blue': 100 },
  });
  await until(async () => (await ask()) === 'blue', { what: 'the runtime to choose the other route' });
  await attache.must('DELETE', '/v1/resources/runtimes/default/limits');
  await until(async () => (await ask()) !== 'blue', { what: 'the runtime to be gone' });

  await showTraffic(scene, ask);
  await refuseTls(scene);
  await applyInline(scene);
  await assertNothingLeaks(t, scene);
});

/** What a plan says of the listener is what the Envoy counted. */
async function showTraffic({ attache, node }: AttacheScene, ask: () => Promise<string>): Promise<void> {
  const dryRun = async (kind: string, name: string) =>
    (await attache.cli(['delete', kind, name, '--dry-run'])).stdout;
  await until(
    async () => {
      await ask();
      return (await dryRun('listener', 'web')).includes(
        `! listener web: it is removed. It carries traffic on 1 node (${node}): `,
      );
    },
    { what: 'the plan to tell of connections' },
  );
  const broken = await dryRun('cluster', 'eds-app');
  assert.match(broken, /! listener web: no document gives it cluster eds-app then\. It carries traffic/);
  assert.ok((await ask()).length > 0, 'nothing was changed');
}

/** A listener with a secret that Envoy refuses; what it says of it is kept and shown. */
async function refuseTls({ attache, node }: AttacheScene): Promise<void> {
  const tls_certificate = {
    private_key: { inline_string: 'S3CRET-key' },
    // Envoy refuses an empty name, and quotes the whole message in its text.
    certificate_chain: { environment_variable: '' },
  };
  await attache.applyResource('secrets', 'bad', { '@type': SECRET_TYPE, name: 'bad', tls_certificate });
  const common_tls_context = { tls_certificate_sds_secret_configs: [{ name: 'bad', sds_config: OVER_ADS }] };
  const typed_config = {
    '@type': `${EXT}.transport_sockets.tls.v3.DownstreamTlsContext`,
    common_tls_context,
  };
  const listener = rawListener('tls', []);
  const [chain] = listener.filter_chains as readonly JsonObject[];
  await attache.applyResource('listeners', 'tls', {
    ...listener,
    filter_chains: [{ ...chain, transport_socket: { name: 'tls', typed_config } }],
  });
  await until(
    async () => {
      const { body } = await attache.request('GET', '/v1/resources/secrets/default/bad');
      if (body.status.nodes.refused === 1)
        assert.match(body.status.refusals[0].message, /EnvironmentVariable/);
      return body.status.nodes.refused === 1;
    },
    { what: `${node} to refuse the secret` },
  );
}

/** A secret that stands in a cluster, where it does not belong. */
async function applyInline({ attache }: AttacheScene): Promise<void> {
  const tls_certificates = [
    { private_key: { inline_string: 'S3CRET-inline' }, certificate_chain: { filename: '/x' } },
  ];
  const typed_config = {
    '@type': `${EXT}.transport_sockets.tls.v3.UpstreamTlsContext`,
    common_tls_context: { tls_certificates },
  };
  const transport_socket = { name: 'tls', typed_config };
  await attache.applyResource('clusters', 'inline', {
    '@type': CLUSTER_TYPE,
    name: 'inline',
    transport_socket,
  });
}

/** Every place where somebody may look. */
async function assertNothingLeaks(t: TestContext, { attache, envoy, node }: AttacheScene): Promise<void> {
  const paths = [
    '/v1/resources',
    '/v1/resources/secrets',
    '/v1/resources/secrets/default/token',
    '/v1/resources/secrets/default/bad',
    `/v1/nodes/${node}`,
    `/v1/nodes/${node}/config`,
    `/v1/nodes/${node}/bundle`,
    '/metrics',
  ];
  for (const path of paths) {
    const { status, body } = await attache.request('GET', path);
    assert.ok(status === 200 || status === 404, `${path}: ${status}`);
    assert.doesNotMatch(JSON.stringify(body), /.{0,400}S3CRET.{0,80}/, path);
  }
  const out = [];
  for (const verb of [
    ['get', 'secrets', '-o', 'yaml'],
    ['events'],
    ['describe', 'secret', 'bad'],
    ['describe', 'node', node],
    ['config', 'dump', node],
  ])
    out.push(JSON.stringify(await attache.cli(verb).catch((error: unknown) => error)));
  assert.ok(!out.join('').includes('S3CRET'), out.join('\n'));
  const log = await attache.log();
  assert.ok(!log.includes('S3CRET'), log);
  for (const file of ['attache.db', 'attache.db-wal']) {
    const bytes = await readFile(join(attache.folder, 'data', file));
    assert.ok(!bytes.includes('S3CRET'), file);
  }
  const csds = stopAfter(t, new DebugClient(Number(attache.addresses.xds.split(':').at(-1))));
  const [told] = await csds.status();
  const whole = (name: string) =>
    Boolean(told.generic_xds_configs.find((it: Message) => it.name === name)?.xds_config);
  assert.deepEqual(['eds-app', 'inline', 'token', 'bad'].map(whole), [true, false, false, false]);
  // Envoy's own dump has it blotted out too, and shows that it has it at all.
  assert.match(await envoy.admin('/config_dump?resource=dynamic_active_secrets'), /"token"/);
}

async function writeProtoset(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'attache-protoset-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'mcp.binpb');
  await writeFile(path, await takeProtoset('1.40.0', [MCP_PROTO]));
  return path;
}

test('a filter that only a protoset knows runs in an Envoy', async t => {
  const path = await writeProtoset(t);
  const scene = await startAttacheScene(t, { attache: { flags: ['--protoset', path] } });
  const { attache, envoy } = scene;
  const mcp = (config: JsonObject): JsonObject => ({
    name: 'envoy.filters.http.mcp',
    typed_config: { '@type': `${EXT}.filters.http.mcp.v3.Mcp`, ...config },
  });
  await attache.applyResource(
    'listeners',
    'main',
    rawListener('main', [mcp({ traffic_mode: 'REJECT_NO_MCP' })]),
  );
  const port = await envoy.listenerPort('main');
  const headers = { 'content-type': 'application/json' };
  const post = { method: 'POST', headers, body: '{"no": "MCP"}' };
  const status = async () => (await fetch(`http://127.0.0.1:${port}/`, post)).status;
  await until(async () => (await status()) === 400, { what: 'the filter to refuse what is no MCP' });

  const wrong = await attache.request('PUT', '/v1/resources/listeners/default/main', {
    ...rawListener('main', [mcp({ traffic_mode: 'REJECT_ALL' })]),
  });
  assert.deepEqual([wrong.status, wrong.body.code], [422, 'wrong-type']);
  assert.match(wrong.body.errors[0].pointer, /\/http_filters\/0\/typed_config\/traffic_mode$/);
  assert.equal(await status(), 400, 'nothing was stored');

  await attache.end();
  const ports = ['xds', 'modules', 'api'].flatMap(name => [`--${name}-listen`, '127.0.0.1:0']);
  const again = await runAttache(['serve', '--data', join(attache.folder, 'data'), ...ports]);
  assert.equal(again.code, 1);
  assert.match(again.err, /listeners\/default\/main .*Mcp[\s\S]*--protoset FILE/);
  assert.equal(await status(), 400, 'the Envoy goes on');
});

test('an Envoy that two listeners of one address are for gets the older one, which goes on serving, and says so', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const port = await freePort();
  const answering = (name: string): JsonObject => {
    const routes = [
      { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: name } } },
    ];
    const text = JSON.stringify(rawListener(name, [], at(port)));
    const route_config = { virtual_hosts: [{ name: 'v', domains: ['*'], routes }] };
    return JSON.parse(text, (key, value) => (key === 'route_config' ? route_config : value)) as JsonObject;
  };
  await attache.applyResource('listeners', 'old', answering('old'), { matchLabels: { app: 'gateway' } });
  // No node that is known has both, and none has to.
  await attache.applyResource('listeners', 'young', answering('young'), { matchLabels: { tier: 'new' } });
  const labels = ['--label', 'app=gateway', '--label', 'tier=new'];
  const bootstrap = await attache.bootstrap(['--id', 'late', ...labels]);
  const envoy = stopAfter(t, await startEnvoy({ bootstrap }));
  await envoy.listenerPort('old');
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();
  await until(async () => (await ask()) === 'old', { what: 'the older listener to serve' });
  assert.deepEqual(Object.keys(await envoy.listenerPorts()), ['old']);
  const { status } = (await attache.request('GET', '/v1/nodes/late')).body;
  assert.match(status.warnings.join(), /listeners\/default\/young is left out here: .*\/old listens on tcp/);
  assert.deepEqual(status.refusedResources, [], 'nothing was sent that Envoy would refuse');

  await attache.must('DELETE', '/v1/resources/listeners/default/old');
  await until(async () => (await ask().catch(() => '')) === 'young', {
    what: 'the other one to take its place',
  });
});

function at(port: number): JsonObject {
  return { address: { socket_address: { address: '127.0.0.1', port_value: port } } };
}
