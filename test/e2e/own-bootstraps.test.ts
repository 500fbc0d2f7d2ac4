/** Envoys of people's own bootstraps, completed by `attache bootstrap --from`: their traffic, and a plugin in it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CLUSTER_TYPE } from '../../src/model/type-url.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { layShapeWorld } from '../harness/bootstrap-shapes.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { buildStamp } from '../harness/fixture-modules.ts';
import { freePort } from '../harness/free-port.ts';
import { rawCluster } from '../harness/raw-resources.ts';
import { RawXdsServer } from '../harness/raw-xds-server.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { startUpstream } from '../harness/upstream.ts';
import { until } from '../harness/wait.ts';

/** The file of a shape with ports of this machine, an application behind it, and a control plane. */
async function startShape(t: TestContext, shape: string, more: Readonly<Record<number, number>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'attache-own-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const upstream = stopAfter(t, await startUpstream());
  const attache = stopAfter(t, await AttacheProcess.start());
  const world = await layShapeWorld(folder);
  const ports = {
    10000: await freePort(),
    10001: await freePort(),
    10002: await freePort(),
    10003: await freePort(),
  };
  const file = join(folder, shape);
  writeFileSync(file, world.read(shape, { ...ports, 3000: upstream.port, ...more }));
  const start = async (bootstrap: string, version = '1.40.0') => {
    const envoy = stopAfter(t, await startEnvoy({ bootstrap, version }));
    await envoy.waitReady();
    return envoy;
  };
  return { folder, file, attache, ports, start };
}

async function applyStamp(attache: AttacheProcess, node: string, name: string, stamp: string): Promise<void> {
  const url = await attache.offer(await buildStamp(randomBytes(8).toString('hex')));
  await attache.applyPlugin(name, { url, pluginConfig: { stamp }, phase: 'AUTHN' });
  await attache.waitAccepted(node, name, 1);
}

async function get(port: number): Promise<{ status: number; stamp: string | null }> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  return { status: response.status, stamp: response.headers.get('x-stamp') };
}

test('a sidecar of several listeners: plugins in each HTTP listener, TCP beside them as before', async t => {
  const { file, attache, ports, start } = await startShape(t, 'listeners.yaml');
  await start(await attache.bootstrap(['--from', file]));
  for (const port of Object.values(ports)) assert.deepEqual(await get(port), { status: 200, stamp: null });
  await applyStamp(attache, 'orders-7f9c', 'first', 'a');
  for (const port of [ports[10000], ports[10001], ports[10003]])
    assert.deepEqual(await get(port), { status: 200, stamp: 'a' });
  assert.deepEqual(await get(ports[10002]), { status: 200, stamp: null }, 'TCP has no place for plugins');
});

test('TLS by server name: a plugin in the connection managers of two filter chains', async t => {
  const { file, attache, ports, start } = await startShape(t, 'tls-sni.yaml');
  await start(await attache.bootstrap(['--from', file]));
  await applyStamp(attache, 'gateway', 'first', 'a');
  for (const servername of ['api.example.com', 'elsewhere.example.com'])
    assert.deepEqual(await getTls(ports[10000], servername), { status: 200, stamp: 'a' });
});

function getTls(port: number, servername: string): Promise<{ status?: number; stamp: unknown }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername, rejectUnauthorized: false, agent: false };
    request(options, response => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, stamp: response.headers['x-stamp'] }),
      );
    })
      .on('error', reject)
      .end();
  });
}

test('anchors, on an Envoy before filter chains: the plugin that was named has its place', async t => {
  const { file, attache, ports, start } = await startShape(t, 'anchors.yaml');
  await start(await attache.bootstrap(['--from', file, '--plugins', 'first']), '1.36.2');
  assert.deepEqual(await get(ports[10000]), { status: 200, stamp: null });
  await applyStamp(attache, 'anchored', 'first', 'a');
  assert.deepEqual(await get(ports[10000]), { status: 200, stamp: 'a' });
  assert.deepEqual(await getTls(ports[10001], 'localhost'), { status: 200, stamp: 'a' });
});

test('an Envoy with another control plane: that goes on with its clusters, and Attaché with plugins', async t => {
  const other = stopAfter(t, await RawXdsServer.start());
  const { file, attache, ports, start } = await startShape(t, 'other-ads.yaml', { 15010: other.port });
  const application = stopAfter(t, await startUpstream());
  const modules = stopAfter(t, await startTcpProxy(Number(attache.addresses.modules.split(':').at(-1))));
  const modulesAt = ['--modules-address', `127.0.0.1:${modules.port}`];
  const bootstrap = await attache.bootstrap(['--from', file, ...modulesAt]);
  const run = async () => {
    const from = other.requests.length;
    const starting = start(bootstrap);
    await other.waitRequest(one => one.typeUrl === CLUSTER_TYPE, 'the Envoy to ask for clusters', from);
    const json = { '@type': CLUSTER_TYPE, ...rawCluster('app', application.port) };
    assert.equal((await other.pushAndWait(CLUSTER_TYPE, [{ name: 'app', version: '1', json }])).ok, true);
    return starting;
  };
  const envoy = await run();
  assert.deepEqual(await get(ports[10000]), { status: 200, stamp: null });
  await applyStamp(attache, 'meshed', 'first', 'a');
  assert.deepEqual(await get(ports[10000]), { status: 200, stamp: 'a' });
  await envoy.stop();
  // Longer than all else that the listener waits for.
  modules.behave({ delayMs: 1_000 });
  await run();
  assert.deepEqual(await get(ports[10000]), { status: 200, stamp: 'a' }, 'from the first request on');
});

test('listeners that are moved: the same traffic before and after, and plugins in it', async t => {
  const { folder, file, attache, ports, start } = await startShape(t, 'listeners.yaml');
  const before = await start(readFileSync(file, 'utf8'));
  for (const port of Object.values(ports)) assert.equal((await get(port)).status, 200);
  const documents = join(folder, 'listeners');
  const bootstrap = await attache.bootstrap([
    '--from',
    file,
    '--label',
    'role=orders',
    '--move-listeners',
    documents,
  ]);
  assert.deepEqual(readdirSync(documents).sort(), [
    'database.yaml',
    'inbound.yaml',
    `listener-${ports[10003]}.yaml`,
    'outbound.yaml',
  ]);
  await assert.rejects(
    attache.bootstrap(['--from', file, '--move-listeners', documents]),
    /is there already/,
  );
  const dry = await attache.cli(['apply', '--dry-run', '-f', documents]);
  assert.match(dry.stdout + dry.stderr, /inbound/);
  await attache.cli(['apply', '-f', documents]);
  await before.stop();
  const after = await start(bootstrap);
  await until(async () => Object.keys(await after.listenerPorts()).length === 4, { what: 'four listeners' });
  for (const port of Object.values(ports)) assert.deepEqual(await get(port), { status: 200, stamp: null });
  await applyStamp(attache, 'orders-7f9c', 'first', 'a');
  for (const port of [ports[10000], ports[10001], ports[10003]])
    assert.deepEqual(await get(port), { status: 200, stamp: 'a' });
});
