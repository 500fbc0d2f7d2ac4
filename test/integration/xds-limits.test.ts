/** What a client of the xDS port may take, over real connections. Numbers as in the acceptance list. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Client, compressionAlgorithms, credentials, status } from '@grpc/grpc-js';
import { stopAfter } from '../harness/cleanup.ts';
import { DebugClient } from '../harness/debug-client.ts';
import { until } from '../harness/wait.ts';
import { FakeClock } from '../store/fake-clock.ts';
import { encodeMetrics } from '../xds/metrics/metrics-writer.ts';
import { encodeRequest } from '../xds/model/envoy-model.ts';
import type { End, XdsStream } from './xds-client.ts';
import { accept, CDS, EDS, RDS, type SceneOptions, setUp as setUpScene, type World } from './xds-scene.ts';

const CSDS = 'envoy.service.status.v3.ClientStatusDiscoveryService';
const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
const WORLD = { clusters: 'a@1' };

/** As setUpScene, with the same configuration for ten nodes. */
async function setUp(t: TestContext, world: World, options: SceneOptions) {
  const scene = await setUpScene(t, undefined, options);
  for (let i = 0; i < 10; i++) scene.set(world, `edge-${i}`);
  return scene;
}

/** The end of a stream that was refused: its text names the limit and the setting. */
async function assertRefused(stream: { ended: Promise<End> }, code: string, limit: string): Promise<void> {
  const end = await stream.ended;
  const isLate = code === 'first-request-missing';
  assert.equal(end.code, isLate ? status.DEADLINE_EXCEEDED : status.RESOURCE_EXHAUSTED, end.details);
  assert.ok(end.details.startsWith(`${code}: `), end.details);
  assert.match(end.details, new RegExp(`--xds-limit ${limit}=`));
}

test('limit message-size: a larger message ends its stream alone', async t => {
  const { open, guard } = await setUp(t, WORLD, { limits: { 'message-size': 100_000 } });
  const other = open().ask(CDS);
  assert.equal(await accept(other), 'cds a@1');
  // It comes in pieces, and counts once.
  const greedy = open().ask(EDS, ['x'.repeat(1_000_000)]);
  await assertRefused(greedy, 'message-too-large', 'message-size');
  other.ask(EDS, ['x'.repeat(99_000)]);
  assert.equal((await other.accept()).typeUrl, EDS);
  assert.equal(guard.usage().hits['message-size'].count, 1);
});

test('limit message-size: what is compressed is read, and counts as what it is', async t => {
  const { server, guard } = await setUp(t, WORLD, { limits: { 'message-size': 100_000 } });
  const client = new Client(`127.0.0.1:${server.address.port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  });
  t.after(() => client.close());
  const call = client.makeBidiStreamRequest(
    '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
  );
  call.on('error', () => {});
  call.on('data', () => {});
  const ended = new Promise<End>(resolve => call.on('status', resolve));
  const answered = once(call, 'data', { signal: AbortSignal.timeout(10_000) });
  call.write(Buffer.from(encodeRequest({ typeUrl: CDS, subscribe: [] }, 'edge-1')));
  await answered;
  call.write(Buffer.from(encodeRequest({ typeUrl: CDS, subscribe: ['x'.repeat(5_000_000)] }, 'edge-1')));
  await assertRefused({ ended }, 'message-too-large', 'message-size');
  assert.equal(guard.usage().hits['message-size'].count, 1);
});

test('requests in many pieces are told apart, those that come with the call and those that wait for their pace', async t => {
  const { connect } = await setUp(t, WORLD, { limits: { 'requests-per-second': 10 } });
  const streams = Array.from({ length: 5 }, (_, i) => connect().open(`edge-${i}`));
  // 10 seconds' worth are taken at once.
  const asked = (i: number): string[] =>
    Array.from({ length: 115 }, (_, k) => `${i}-${k}-`.padEnd(40_000, `${i}`));
  for (const [i, stream] of streams.entries()) for (const name of asked(i)) stream.ask(RDS, [name]);
  for (const [i, stream] of streams.entries()) {
    const taken = new Set<string>();
    while (taken.size < 115) for (const name of (await stream.accept()).removed) taken.add(name);
    assert.deepEqual([...taken], asked(i));
  }
});

test('limit connections: one too many is told why and closed, and one that ends makes room', async t => {
  const { connect, guard } = await setUp(t, WORLD, { limits: { connections: 2 } });
  const first = connect();
  const one = first.open('edge-1').ask(CDS);
  assert.equal(await accept(one), 'cds a@1');
  const two = connect().open('edge-2').ask(RDS, ['r']);
  await two.accept();
  const refused = connect();
  await assertRefused(refused.open('edge-3').ask(CDS), 'too-many-connections', 'connections');
  await refused.stop();
  assert.ok(guard.usage().hits.connections.count >= 1);
  one.cancel();
  await first.stop();
  await until(() => guard.usage().connections === 1, { what: 'room' });
  const late = connect().open('edge-1').ask(CDS);
  assert.equal(await accept(late), 'cds a@1');
  two.ask(RDS, ['s']);
  await two.accept();
});

test('limit streams-per-connection: one too many is refused, the others go on', async t => {
  const { open, guard } = await setUp(t, WORLD, { limits: { 'streams-per-connection': 3 } });
  const streams = [1, 2, 3].map(() => open());
  for (const stream of streams) await stream.ask(RDS, ['r']).accept();
  await assertRefused(open().ask(CDS), 'too-many-streams', 'streams-per-connection');
  streams[0]?.cancel();
  await until(() => guard.usage().streams === 2, { what: 'room' });
  await open().ask(RDS, ['s']).accept();
});

test('limit streams: one too many over all connections is refused; calls of every kind count', async t => {
  const { connect, connection, server, guard } = await setUp(t, WORLD, { limits: { streams: 2 } });
  await connect().open().ask(RDS, ['r']).accept();
  const sink = connection.sink(METRICS);
  sink.on('error', () => {});
  sink.write(encodeMetrics({ node: 'edge-1', families: [{ name: 'server.concurrency', gauge: 1 }] }));
  await until(() => guard.usage().streams === 2, { what: 'both streams' });
  await assertRefused(connect().open().ask(CDS), 'too-many-streams', 'streams');
  const client = stopAfter(t, new DebugClient(server.address.port));
  await assert.rejects(client.status(), { code: status.RESOURCE_EXHAUSTED });
  sink.cancel();
  await until(() => guard.usage().streams === 1, { what: 'room' });
  await client.status();
});

test('52. limit new-streams-per-second: streams wait for a second at most, and are refused then', async t => {
  const limitClock = new FakeClock();
  const scene = await setUp(t, WORLD, { limitClock, limits: { 'new-streams-per-second': 4 } });
  const streams = Array.from({ length: 9 }, (_, i) => scene.connect().open(`edge-${i}`).ask(RDS, ['r']));
  const { guard } = scene;
  await until(() => guard.usage().hits['new-streams-per-second'].count === 1, { what: 'a refusal' });
  const ends = await Promise.all(streams.map(stream => Promise.race([stream.ended, soon(stream)])));
  assert.deepEqual(ends.map(end => (typeof end === 'string' ? end : 'refused')).sort(), [
    ...Array(4).fill('answered'),
    'refused',
    ...Array(4).fill('waits'),
  ]);
  const refused = streams[ends.findIndex(end => typeof end !== 'string')];
  assert.ok(refused);
  await assertRefused(refused, 'too-many-new-streams', 'new-streams-per-second');
  limitClock.advance(1000);
  for (const stream of streams.filter((_, i) => ends[i] === 'waits')) await stream.accept();
  // Whoever is served asks on, whatever comes in.
  assert.equal(guard.usage().streams, 8);
});

/** Whether it was answered by the time that a stream which was let in would be. */
async function soon(stream: XdsStream): Promise<'answered' | 'waits'> {
  try {
    await until(() => stream.responses.length > 0, { what: 'an answer', deadlineMs: 1500 });
    return 'answered';
  } catch {
    return 'waits';
  }
}

test('limit new-streams-per-second: one that goes while it waits leaves nothing behind', async t => {
  const limitClock = new FakeClock();
  const scene = await setUp(t, WORLD, { limitClock, limits: { 'new-streams-per-second': 4 } });
  const { open, guard } = scene;
  await open().ask(RDS, ['r']).accept();
  const waiting = open().ask(RDS, ['r']);
  await until(() => guard.usage().streams === 2, { what: 'the one that waits' });
  const pending = limitClock.pending;
  waiting.cancel();
  await until(() => guard.usage().streams === 1, { what: 'it to be gone' });
  assert.equal(limitClock.pending, pending - 1);
});

test('limit first-request: a stream of any kind that never asks is ended', async t => {
  const limitClock = new FakeClock();
  const { open, connection, guard } = await setUp(t, WORLD, { limitClock });
  const asked = open();
  assert.equal(await accept(asked.ask(CDS)), 'cds a@1');
  const mute = open();
  const sink = connection.sink(METRICS);
  const sinkEnded = once(sink, 'status') as Promise<[End]>;
  sink.on('error', () => {});
  await until(() => guard.usage().streams === 3, { what: 'the streams' });
  limitClock.advance(30_000);
  await assertRefused(mute, 'first-request-missing', 'first-request');
  await assertRefused({ ended: sinkEnded.then(([end]) => end) }, 'first-request-missing', 'first-request');
  assert.equal(guard.usage().hits['first-request'].count, 2);
  // One that has asked may be silent for as long as it likes.
  limitClock.advance(30 * 24 * 3_600_000);
  await asked.ask(RDS, ['r']).accept();
});

test('limit names: one name too many ends the stream, and nothing of the request was taken', async t => {
  const { open, connect, guard } = await setUp(t, { routes: 'r1@1 r2@1 r3@1' }, { limits: { names: 4 } });
  const other = connect().open('edge-2').ask(RDS, ['x']);
  await other.accept();
  const stream = open().ask(RDS, ['r1', 'r2']);
  await stream.accept();
  stream.ask(EDS, ['e1', 'e2']);
  await stream.accept();
  await assertRefused(stream.ask(RDS, ['r3']), 'too-many-names', 'names');
  assert.equal(guard.usage().hits.names.count, 1);
  const sotw = connect().open('edge-3', { form: 'sotw' });
  await assertRefused(sotw.ask(RDS, ['1', '2', '3', '4', '5']), 'too-many-names', 'names');
  await other.ask(RDS, ['y']).accept();
});

test('limit requests-per-second: a flood is read slowly, and the others keep their turn', async t => {
  const limitClock = new FakeClock();
  const limits = { 'requests-per-second': 5 };
  const { connect, open, guard } = await setUp(t, WORLD, { limitClock, limits });
  const flood = open('edge-1');
  await flood.ask(RDS, ['r0']).next();
  // Each request that is taken is answered, and the next one ACKs that.
  for (let i = 1; i < 5000; i++)
    flood.send({ typeUrl: RDS, subscribe: [`r${i}`], responseNonce: i.toString(16) });
  await until(() => guard.usage().hits['requests-per-second'].count === 1, {
    what: 'the flood to be noticed',
  });
  // By order: all of this is done while not one more request of the flood is.
  const other = connect().open('edge-2');
  for (let i = 0; i < 40; i++) {
    const answered = i === 0 ? {} : { responseNonce: i.toString(16) };
    const { removed } = await other.send({ typeUrl: RDS, subscribe: [`o${i}`], ...answered }).next();
    assert.deepEqual(removed, [`o${i}`]);
  }
  await until(() => flood.responses.length >= 49, { what: 'its burst' });
  assert.equal(flood.responses.length, 49);
  // Noticed once more, it is ended; it is cut by the same clock if it does not let go.
  const isEnded = (): boolean => guard.usage().hits['requests-per-second'].count > 1;
  while (!isEnded()) {
    await until(() => isEnded() || limitClock.pending > 0, { what: 'its next request', everyMs: 1 });
    if (!isEnded()) limitClock.advance(200);
  }
  await assertRefused(flood, 'requests-too-fast', 'requests-per-second');
  assert.ok(flood.responses.length <= 50 + 5 * 61, `${flood.responses.length} of its requests were taken`);
  const last = { typeUrl: RDS, subscribe: ['last'], responseNonce: (40).toString(16) };
  assert.deepEqual((await other.send(last).next()).removed, ['last']);
});

test('limit requests-per-second: who asks in bursts is answered in full, only later', async t => {
  const { open } = await setUp(t, WORLD, { limits: { 'requests-per-second': 100 } });
  const stream = open();
  for (let i = 0; i < 1050; i++) stream.ask(RDS, [`r${i}`]);
  const taken = new Set<string>();
  while (taken.size < 1050) for (const name of (await stream.accept()).removed) taken.add(name);
});

test('a client that is refused and does not let go is cut', async t => {
  const limitClock = new FakeClock();
  const { guard, server } = await setUp(t, WORLD, { limitClock, limits: { connections: 1 } });
  const served = connectSocket(server.address.port, '127.0.0.1');
  t.after(() => served.destroy());
  await until(() => guard.usage().connections === 1, { what: 'the first' });
  const told = connectSocket(server.address.port, '127.0.0.1');
  t.after(() => told.destroy());
  told.on('error', () => {});
  await until(() => guard.usage().connections === 2, { what: 'the second' });
  const closed = once(told, 'close', { signal: AbortSignal.timeout(10_000) });
  told.resume();
  limitClock.advance(5_000);
  await closed;
  await until(() => guard.usage().connections === 1, { what: 'it to be gone' });
});

test('status calls beyond their rate are refused, and keep no Envoy from its configuration', async t => {
  const limitClock = new FakeClock();
  const scene = await setUp(t, WORLD, { limitClock, limits: { 'new-streams-per-second': 4 } });
  const client = stopAfter(t, new DebugClient(scene.server.address.port));
  await client.status();
  const calls = Array.from({ length: 50 }, () => client.unary(`${CSDS}.FetchClientStatus`, {}));
  const outcomes = Promise.allSettled(calls);
  await until(() => scene.guard.usage().hits['new-streams-per-second'].count >= 49, { what: 'refusals' });
  assert.equal(await accept(scene.open().ask(CDS)), 'cds a@1');
  limitClock.advance(1000);
  const refused = (await outcomes).filter(it => it.status === 'rejected');
  assert.equal(refused.length, 49);
});

test('two Envoys with one node id: both are served and told of, and the one that stays is told of alone', async t => {
  const { connect, set, presence } = await setUp(t, WORLD, {});
  const first = connect().open('edge-1').ask(CDS);
  assert.equal(await accept(first), 'cds a@1');
  assert.equal((await presence('edge-1'))?.envoys, undefined);
  const second = connect().open('edge-1').ask(CDS);
  assert.equal(await accept(second), 'cds a@1');
  const both = await until(async () => (await presence('edge-1'))?.envoys, { what: 'both' });
  assert.equal(both.length, 2);
  for (const { address } of both) assert.match(address, /^127\.0\.0\.1:\d+$/);
  const newer = (await presence('edge-1'))?.process;
  set({ clusters: 'a@2' }, 'edge-1');
  assert.equal(await accept(first), 'cds a@2');
  assert.equal(await accept(second), 'cds a@2');
  second.cancel();
  const left = await until(
    async () => {
      const now = await presence('edge-1');
      return now?.envoys === undefined && now?.process !== newer && now;
    },
    { what: 'the records to be about the first' },
  );
  assert.equal(left.connected, true);
  set({ clusters: 'a@3' }, 'edge-1');
  assert.equal(await accept(first), 'cds a@3');
  first.cancel();
  await until(async () => (await presence('edge-1'))?.connected === false, { what: 'nobody to be there' });
});
