/** The xDS port as a gRPC server: bounds, pings, the stop, and what it does not serve. Numbers as in the list. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { AdsService } from '../../src/xds/ads-service.ts';
import { XDS_PATIENCE } from '../../src/xds/limits/patience.ts';
import { startXdsServer } from '../../src/xds/xds-server.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { encodeMetrics } from '../xds/metrics/metrics-writer.ts';
import type { Response } from './xds-client.ts';
import { assertQuiet, FORMS, learn, setUpForm } from './xds-forms.ts';
import { accept, CDS, ECDS, LDS, NODE, setUp, type World } from './xds-scene.ts';
import { SlowClient } from './xds-slow-client.ts';

const registry = new ProtoRegistry();
const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
const NO_SERVICE: AdsService = {
  open: () => assert.fail(),
  openMetrics: () => assert.fail(),
  configs: { nodes: () => [], read: () => undefined },
  stop() {},
};

test('a malformed request ends with INVALID_ARGUMENT, and only its own stream', async t => {
  const { open } = await setUp(t, { clusters: 'a@1' });
  const other = open().ask(CDS);
  const { code, details } = await open().sendBytes(Buffer.from('ffff', 'hex')).ended;
  assert.equal(code, status.INVALID_ARGUMENT);
  assert.match(details, /malformed-message/);
  assert.equal(await accept(other), 'cds a@1');
});

/** Of resources that are bare text, over and over. */
const versionsOf = ({ resources }: Response): string =>
  resources.map(({ any }) => /^a@\d+(?=a@)/.exec(Buffer.from(any.subarray(0, 20)).toString())?.[0]).join(' ');

for (const form of FORMS) {
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ttl
  test(`${form}: 46. nothing has a time to live: resources are bare, or without one`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1', slots: { s: 'p@1' } });
    const stream = open().ask(CDS).ask(ECDS, ['s']);
    const message = form === 'delta' ? 'DeltaDiscoveryResponse' : 'DiscoveryResponse';
    const { raw } = await stream.accept();
    const read = registry.lookup(`envoy.service.discovery.v3.${message}`).decode(raw).toJSON();
    const [resource] = read.resources as Record<string, unknown>[];
    assert.deepEqual(
      Object.keys(resource ?? {}).sort(),
      form === 'delta' ? ['name', 'resource', 'version'] : ['type_url', 'value'],
    );
  });

  test(`${form}: 47. a client that does not read keeps no other waiting, and one response waits for it at most`, async t => {
    const large = (version: number): World => ({ clusters: `a@${version}`, sizeBytes: 4 * 1024 * 1024 });
    const { connect, set, server } = await setUpForm(t, form, large(0));
    const slow = stopAfter(t, new SlowClient(server.address.port, form, NODE)).ask(CDS);
    const quick = connect().open('edge-2').ask(CDS);
    for (let i = 1; i <= 10; i++) {
      set(large(i));
      set({ clusters: `b@${i}` }, 'edge-2');
      while (!(await learn(quick)).includes(`b@${i}`));
    }
    const first = await slow.read().next();
    assert.notEqual(versionsOf(first), 'a@10');
    // The newest wins: nothing was queued behind it.
    assert.equal(versionsOf(await slow.ask(CDS, first.nonce).next()), 'a@10');
  });

  test(`${form}: 48. messages far above 4 MiB go both ways`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1 b@1', sizeBytes: 12 * 1024 * 1024 });
    const names = Array.from({ length: 6 }, (_, i) => `${i}${'x'.repeat(1024 * 1024)}`);
    const stream = open().ask(CDS, ['a', ...names]);
    const { resources } = await stream.accept();
    assert.deepEqual(
      resources.map(it => [it.name, it.any.length]),
      [['a', 12 * 1024 * 1024]],
    );
  });

  test(`${form}: 50. a stop says GOAWAY and ends every stream with OK, so that Envoys keep what they run`, async t => {
    const { server, open } = await setUpForm(t, form, { clusters: 'a@1' });
    const session = http2.connect(`http://127.0.0.1:${server.address.port}`);
    t.after(() => session.destroy());
    await once(session, 'connect');
    const goaway = once(session, 'goaway', { signal: AbortSignal.timeout(10_000) });
    const stream = open().ask(CDS);
    const single = open(NODE, { typeUrl: LDS }).ask(LDS);
    await learn(stream);
    await learn(single);
    await server.stop();
    for (const it of [stream, single]) assert.equal((await it.ended).code, status.OK);
    await goaway;
    await assert.rejects(stream.next(), /the stream ended/);
  });

  test(`${form}: 50. who comes back to the next server with what it has gets nothing`, async t => {
    const world: World = { clusters: 'a@1', listeners: 'l@1', slots: { s: 'p@1' } };
    const [one, two] = [await setUpForm(t, form, world), await setUpForm(t, form, world)];
    const former = one.open().ask(CDS).ask(LDS);
    await learn(former);
    await learn(former);
    await one.server.stop();
    const stream = two.open().resume(CDS, former).resume(LDS, former).ask(ECDS, ['s']);
    assert.equal(await learn(stream), 'ecds s: verdict p@1', 'nothing before it');
    await assertQuiet(stream);
  });
}

test('49. keepalive pings are answered', async t => {
  const { server } = await setUp(t, {});
  const session = http2.connect(`http://127.0.0.1:${server.address.port}`);
  t.after(() => session.destroy());
  await once(session, 'connect');
  await new Promise<void>((resolve, reject) => {
    session.ping(error => (error === null ? resolve() : reject(error)));
  });
});

test('50. a stop ends streams of stats, and cuts a client that does not let go', async t => {
  const { server, connection, open, metrics } = await setUp(t, {});
  await accept(open().ask(CDS));
  const sink = connection.sink(METRICS);
  const said = once(sink, 'status', { signal: AbortSignal.timeout(10_000) });
  sink.on('error', () => {});
  const families = [{ name: 'server.concurrency', gauge: 3 }];
  sink.write(encodeMetrics({ node: NODE, families }));
  await until(() => metrics.get(NODE)?.samples[0]?.workers === 3, { what: 'the sample' });
  const session = http2.connect(`http://127.0.0.1:${server.address.port}`);
  t.after(() => session.destroy());
  const stubborn = session.request({
    ':method': 'POST',
    ':path': METRICS,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stubborn.on('error', () => {});
  stubborn.write(Buffer.alloc(5));
  await once(session, 'remoteSettings');
  const cut = once(session, 'close', { signal: AbortSignal.timeout(10_000) });
  await server.stop();
  const [end] = (await said) as [{ code: number }];
  assert.equal(end.code, status.UNAVAILABLE);
  await cut;
});

test('50. the port is free after a stop, and one that is taken is an error with its code', async t => {
  const { server, guard, gate } = await setUp(t, {});
  const options = {
    ads: NO_SERVICE,
    listen: { ...server.address, tls: undefined },
    guard,
    gate,
    patience: XDS_PATIENCE,
    log: silentLog,
  };
  const other = await setUp(t, {});
  assert.notEqual(other.server.address.port, server.address.port);
  await assert.rejects(startXdsServer(options), { code: 'xds-listen-failed' });
  await server.stop();
  const again = await startXdsServer(options);
  await again.stop();
});

test('a metrics message far above 4 MiB is read', async t => {
  const { connection, open, metrics } = await setUp(t, {});
  await accept(open().ask(CDS));
  const others = Array.from({ length: 60_000 }, (_, i) => ({
    name: `cluster.${'x'.repeat(100)}${i}.upstream_rq_total`,
    counter: 1,
  }));
  const message = encodeMetrics({
    node: NODE,
    families: [...others, { name: 'http.in.downstream_rq_2xx', counter: 7 }],
  });
  assert.ok(message.length > 8 * 1024 * 1024);
  const sink = connection.sink(METRICS);
  sink.on('error', () => {});
  sink.write(message);
  await until(() => metrics.get(NODE)?.samples[0]?.byClass[1] === 7, { what: 'the sample' });
  sink.cancel();
});

test('a metrics stream that is no protobuf, or names no node, ends alone', async t => {
  const { connection, open, metrics } = await setUp(t, {});
  await accept(open().ask(CDS));
  for (const [bytes, code] of [
    [Buffer.from('ffff', 'hex'), 'malformed-message'],
    [encodeMetrics({ families: [{ name: 'server.concurrency', gauge: 1 }] }), 'node-id-missing'],
  ] as const) {
    const sink = connection.sink(METRICS);
    const said = once(sink, 'status');
    sink.on('error', () => {});
    sink.write(bytes);
    const [end] = (await said) as [{ code: number; details: string }];
    assert.equal(end.code, status.INVALID_ARGUMENT);
    assert.match(end.details, new RegExp(code));
  }
  const good = connection.sink(METRICS);
  good.on('error', () => {});
  good.write(encodeMetrics({ node: NODE, families: [{ name: 'server.concurrency', gauge: 3 }] }));
  await until(() => metrics.get(NODE)?.samples[0]?.workers === 3, { what: 'the sample' });
  good.cancel();
});
