/** Whatever a client leaves behind, its connection and its streams are gone soon. Numbers as in the acceptance list. */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { FakeClock } from '../store/fake-clock.ts';
import { connectRaw, raw } from './raw-peer.ts';
import { XdsConnection } from './xds-client.ts';
import { accept, CDS, NODE, type SceneOptions, setUp } from './xds-scene.ts';

/** Far more than the buffers of a connection on loopback take. */
const LARGE = { clusters: Array.from({ length: 60 }, (_, i) => `c${i}@1`).join(' '), sizeBytes: 500_000 };
const FLOOD = Array.from({ length: 300 }, () => raw.ask(CDS, NODE));

type Scene = Awaited<ReturnType<typeof setUp>>;

/** Open sockets of this process. */
const sockets = (): number => process.getActiveResourcesInfo().filter(it => it === 'TCPSocketWrap').length;

async function assertGone({ guard }: Scene, what: string, deadlineMs = 5_000): Promise<void> {
  const isGone = (): boolean => guard.usage().connections === 0 && guard.usage().streams === 0;
  await until(isGone, { what: `nothing to be counted: ${what}`, deadlineMs, everyMs: 1 });
}

/** Stages of a connection: what was sent, and how many streams the server has then. */
const STAGES: readonly (readonly [string, readonly Buffer[], number])[] = [
  ['connected', [], 0],
  ['half of the preface', [raw.preface.subarray(0, 10)], 0],
  ['the preface', [raw.preface], 0],
  ['the settings', [raw.hello], 0],
  ['in the middle of the headers', [raw.hello, raw.headers.subarray(0, 20)], 0],
  ['the headers', [raw.hello, raw.headers], 1],
  ['in the middle of a request', [raw.hello, raw.headers, raw.ask(CDS, NODE).subarray(0, 30)], 1],
  ['a request', [raw.hello, raw.headers, raw.ask(CDS, NODE)], 1],
  ['a flood that is read slowly', [raw.hello, raw.headers, ...FLOOD], 1],
  ['a response that is too much', [raw.greedyHello, raw.headers, raw.ask(CDS, 'large')], 1],
];

const WAYS: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['closes', socket => socket.destroy()],
  ['resets', socket => socket.resetAndDestroy()],
  ['ends its side only, and reads on', socket => socket.resume().end()],
];

test('a client that goes at any time leaves nothing behind, without any ping', async t => {
  const scene = await setUp(t, { clusters: 'a@1' }, { limits: { 'requests-per-second': 5 } });
  scene.set(LARGE, 'large');
  const before = sockets();
  for (const [stage, parts, streams] of STAGES)
    for (const [way, go] of WAYS) {
      const what = `${stage}, ${way}`;
      const floods = scene.guard.usage().hits['requests-per-second'].count;
      const socket = await connectRaw(t, scene.server.address.port);
      socket.write(Buffer.concat(parts));
      await until(() => scene.guard.usage().connections === 1 && scene.guard.usage().streams === streams, {
        what,
        everyMs: 1,
      });
      if (parts.length > FLOOD.length)
        await until(() => scene.guard.usage().hits['requests-per-second'].count > floods, { what });
      go(socket);
      await assertGone(scene, what);
      socket.destroy();
    }
  await until(() => sockets() === before, { what: 'every socket to be closed' });
});

test('limit first-request: a client that keeps a stream that was ended loses it, and the connection when unused', async t => {
  const limitClock = new FakeClock();
  const scene = await setUp(t, { clusters: 'a@1' }, { limitClock, patience: { unusedMs: 100 } });
  const socket = await connectRaw(t, scene.server.address.port);
  let isEnded = false;
  socket.resume().on('end', () => (isEnded = true));
  socket.write(Buffer.concat([raw.hello, raw.headers]));
  await until(() => scene.guard.usage().streams === 1, { what: 'its stream' });
  limitClock.advance(30_000);
  await until(() => scene.guard.usage().streams === 0, { what: 'the status' });
  // The half of the stream that is the client's is still open, and holds the connection.
  limitClock.advance(5_000);
  await until(() => isEnded, { what: 'the server to end the connection' });
  // The client does not end its side.
  assert.equal(scene.guard.usage().connections, 1);
  limitClock.advance(5_000);
  await assertGone(scene, 'a client that keeps all it can');
  await until(() => limitClock.pending === 0, { what: 'no timer to be left' });
});

test('a connection without any stream, or without a word, is closed', async t => {
  const patience = { pingEveryMs: 50, pingAnswerMs: 50 };
  const scene = await setUp(t, { clusters: 'a@1' }, { patience });
  for (const parts of [[], [raw.preface.subarray(0, 10)], [raw.hello]]) {
    const socket = await connectRaw(t, scene.server.address.port);
    socket.write(Buffer.concat(parts));
    await until(() => scene.guard.usage().connections === 1, { what: 'the connection', everyMs: 1 });
    await assertGone(scene, `${parts.length} parts, then silence`);
  }
});

test('49. a peer that is silently gone is found within the configured time, and its stream is freed', async t => {
  const patience = { pingEveryMs: 200, pingAnswerMs: 300 };
  const { scene, link } = await setUpLink(t, { patience });
  const stream = stopAfter(t, new XdsConnection(link.port)).open(NODE).ask(CDS);
  assert.equal(await accept(stream), 'cds a@1');
  // It answers pings: it stays for longer than the time that a dead one has.
  const twice = performance.now() + 2 * (patience.pingEveryMs + patience.pingAnswerMs);
  await until(() => performance.now() > twice, { what: 'some pings' });
  assert.equal(scene.guard.usage().streams, 1);
  assert.equal((await scene.presence())?.connected, true);
  const cutAt = performance.now();
  link.cut();
  await assertGone(scene, 'the peer that is gone');
  const tookMs = performance.now() - cutAt;
  assert.ok(tookMs > patience.pingAnswerMs - 50, `it had ${tookMs} ms to answer`);
  await until(async () => (await scene.presence())?.connected === false, { what: 'the node to be away' });
  link.heal();
  assert.equal((await stream.ended).code, status.UNAVAILABLE);
});

test('49. so is one that is gone in the middle of a response', async t => {
  const limitClock = new FakeClock();
  const scene = await setUp(t, LARGE, { limitClock, patience: { pingEveryMs: 200, pingAnswerMs: 300 } });
  const socket = await connectRaw(t, scene.server.address.port);
  socket.write(Buffer.concat([raw.greedyHello, raw.headers, raw.ask(CDS, NODE)]));
  await until(() => scene.guard.usage().streams === 1, { what: 'its stream' });
  // Nothing more of the response is read than its beginning, and so its end is not seen either.
  await until(() => socket.bytesRead > 10_000, { what: 'the beginning of the response' });
  socket.end();
  await until(() => scene.guard.usage().streams === 0, { what: 'its stream to be freed' });
  // node:http2 waits for the rest of the response to be taken.
  assert.equal(scene.guard.usage().connections, 1);
  limitClock.advance(5_000);
  await assertGone(scene, 'the peer that is gone');
});

test('50. a stop waits for no peer that is gone in the middle of a response', async t => {
  const scene = await setUp(t, LARGE, { patience: { pingEveryMs: 200, pingAnswerMs: 300 } });
  const socket = await connectRaw(t, scene.server.address.port);
  socket.write(Buffer.concat([raw.greedyHello, raw.headers, raw.ask(CDS, NODE)]));
  await until(() => scene.guard.usage().streams === 1, { what: 'its stream' });
  await until(() => scene.guard.usage().streams === 0, { what: 'its stream to be freed' });
  await scene.server.stop();
  await assertGone(scene, 'the peer that is gone', 0);
});

/** A scene behind a proxy that can stop to forward, as a network that fails does: no end, no reset. */
async function setUpLink(t: TestContext, options: SceneOptions) {
  const scene = await setUp(t, { clusters: 'a@1' }, options);
  const all = new Set<Socket>();
  let isCut = false;
  const held: (() => void)[] = [];
  const pass = (from: Socket, to: Socket): void => {
    const now = (act: () => void): void => void (isCut ? held.push(act) : act());
    all.add(from);
    from.on('data', chunk => now(() => to.write(chunk)));
    from.on('close', () => now(() => to.destroy()));
    from.on('error', () => {});
  };
  const proxy = createServer(near => {
    const far = connect(scene.server.address.port, '127.0.0.1');
    pass(near, far);
    pass(far, near);
  });
  stopAfter(t, {
    async stop() {
      for (const socket of all) socket.destroy();
      proxy.close();
    },
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cut = (): void => {
    isCut = true;
  };
  const heal = (): void => {
    isCut = false;
    for (const act of held.splice(0)) act();
  };
  return { scene, link: { port, cut, heal } };
}
