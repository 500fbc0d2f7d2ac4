/** The delta items of the xDS acceptance list over a real gRPC connection; a test is named by its items. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { NodePresence } from '../../src/model/node.ts';
import { type Clock, silentLog } from '../../src/model/ports.ts';
import type { EncodedResource } from '../../src/model/resource.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE, XDS_TYPES } from '../../src/model/type-url.ts';
import { createCoalescedWriter } from '../../src/store/coalesced-writer.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { createAdsService } from '../../src/xds/ads-service.ts';
import { toVersion } from '../../src/xds/push/attempt.ts';
import { startXdsServer } from '../../src/xds/xds-server.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { readSlot, snapshotOf } from '../xds/model/content.ts';
import { seeded } from '../xds/model/random-world.ts';
import { refusalOf, toContent, toPart } from '../xds/push/slot-story.ts';
import { type Response, XdsConnection, type XdsStream } from './xds-client.ts';

const [CDS, EDS, LDS, RDS] = XDS_TYPES.map(type => type.typeUrl) as [string, string, string, string];
const ECDS = EXTENSION_CONFIG_TYPE;
const NODE = 'edge-1';

const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

interface World {
  /** `a@1 b@2`: name and version of all there is of a type. */
  readonly clusters?: string;
  readonly endpoints?: string;
  readonly listeners?: string;
  readonly routes?: string;
  /** Slot to its content, `a@1 b@1`. */
  readonly slots?: Record<string, string>;
  /** Size of every resource; default small. */
  readonly sizeBytes?: number;
}

function toSnapshot(world: World): Snapshot {
  const rows = [
    [CDS, world.clusters],
    [EDS, world.endpoints],
    [LDS, world.listeners],
    [RDS, world.routes],
  ] as const;
  const resources = rows.map(([typeUrl, text = '']): [string, Map<string, EncodedResource>] => {
    const named = text
      .split(' ')
      .filter(Boolean)
      .map((it): [string, EncodedResource] => {
        const [name = '', version = ''] = it.split('@');
        return [name, { typeUrl, name, version, any: Buffer.alloc(world.sizeBytes ?? 8, it) }];
      });
    return [typeUrl, new Map(named)];
  });
  const slots = Object.entries(world.slots ?? {}).map(([name, content]) => {
    const parts = content.split(' ').filter(Boolean).map(toPart);
    return [name, { wanted: parts, good: [] }] as const;
  });
  return {
    ...snapshotOf({ slots: new Map(slots), listeners: new Map() }),
    resources: new Map(resources),
    listenerSlots: new Map(),
  };
}

/** The xds stage behind its port; `set` is what compile would do. */
async function setUp(t: TestContext, world?: World) {
  const store = createMemoryStore();
  const snapshots = new LiveTable<Snapshot>();
  const writer = createCoalescedWriter(store, clock, silentLog, { intervalMs: 5 });
  const random = (bytes: number): string => randomBytes(bytes).toString('hex');
  const fetches = { subscribe: () => () => {} };
  const moduleKey = Buffer.alloc(32);
  const ads = await createAdsService({
    store,
    snapshots,
    fetches,
    moduleKey,
    writer,
    clock,
    random,
    log: silentLog,
  });
  const server = await startXdsServer(ads, { host: '127.0.0.1', port: 0 }, silentLog);
  stopAfter(t, {
    async stop() {
      await server.stop();
      await writer.stop();
      await store.close();
    },
  });
  const connect = (): XdsConnection => stopAfter(t, new XdsConnection(server.address.port));
  const connection = connect();
  const set = (next: World, node = NODE): void => snapshots.set(node, toSnapshot(next));
  if (world !== undefined) set(world);
  const presence = async (node = NODE): Promise<NodePresence | undefined> =>
    (await store.get('NodePresence', node))?.value;
  return { server, connect, connection, set, presence, open: (node?: string) => connection.open(node) };
}

/** `cds a@1 b@2 -c`; extension configs as `ecds slot: verdict a@1`. */
function describe({ typeUrl, resources, removed }: Response): string {
  const short = XDS_TYPES.find(type => type.typeUrl === typeUrl)?.short ?? typeUrl;
  const named = resources.map(({ name, version, any }) => {
    if (short !== 'ecds') return `${name}@${version}`;
    const { variant, parts } = readSlot(any);
    const chain = parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`).join(' ');
    return `${name}: ${variant} ${chain || 'pass-through'}`;
  });
  return [short, ...named, ...removed.map(name => `-${name}`)].join(' ');
}

/** The next response, ACKed, in words. */
const accept = async (stream: XdsStream): Promise<string> => describe(await stream.accept());

/** That nothing was due before: what is asked for now is the next that comes. */
async function assertSilent(stream: XdsStream): Promise<void> {
  const fence = `fence-${randomBytes(4).toString('hex')}`;
  stream.send({ typeUrl: RDS, subscribe: [fence] });
  assert.equal(await accept(stream), `rds -${fence}`);
}

test('1. the node of the first request holds for later ones without a node; repeated it is fine', async t => {
  const { open } = await setUp(t, { clusters: 'a@1', listeners: 'l@1' });
  const stream = open().ask(CDS);
  assert.equal(await accept(stream), 'cds a@1');
  // type_url and nothing else.
  stream.sendBytes(Buffer.concat([Buffer.from([0x12, LDS.length]), Buffer.from(LDS)]));
  assert.equal(await accept(stream), 'lds l@1');
  assert.equal(await accept(stream.ask(EDS, ['*'])), 'eds');
});

test('1. another node on the same stream ends it with INVALID_ARGUMENT', async t => {
  const { open } = await setUp(t, {});
  const stream = open().ask(CDS).send({ typeUrl: LDS }, 'edge-2');
  assert.equal((await stream.ended).code, status.INVALID_ARGUMENT);
});

test('2. a first request without node id ends with INVALID_ARGUMENT', async t => {
  const { open } = await setUp(t, {});
  const { code, details } = await open('').ask(CDS).ended;
  assert.equal(code, status.INVALID_ARGUMENT);
  assert.match(details, /node-id-missing/);
});

test('3. a request without type URL ends with INVALID_ARGUMENT', async t => {
  const { open } = await setUp(t, {});
  const { code, details } = await open().ask('').ended;
  assert.equal(code, status.INVALID_ARGUMENT);
  assert.match(details, /type-url-missing/);
});

test('a malformed request ends with INVALID_ARGUMENT, and only its own stream', async t => {
  const { open } = await setUp(t, { clusters: 'a@1' });
  const other = open().ask(CDS);
  const { code, details } = await open().sendBytes(Buffer.from('ffff', 'hex')).ended;
  assert.equal(code, status.INVALID_ARGUMENT);
  assert.match(details, /malformed-message/);
  assert.equal(await accept(other), 'cds a@1');
});

test('4. every response has a non-empty nonce, unique on its stream, and the type URL of its type', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1', listeners: 'l@1', slots: { s: 'p@1' } });
  const stream = open().ask(CDS).ask(LDS).ask(ECDS, ['s']);
  const responses: Response[] = [];
  for (let i = 0; i < 3; i++) responses.push(await stream.accept());
  set({ clusters: 'a@2', listeners: 'l@2', slots: { s: 'p@2' } });
  for (let i = 0; i < 3; i++) responses.push(await stream.accept());
  const nonces = responses.map(it => it.nonce);
  assert.ok(nonces.every(Boolean));
  assert.equal(new Set(nonces).size, 6);
  assert.deepEqual(new Set(responses.map(it => it.typeUrl)), new Set([CDS, LDS, ECDS]));
});

test('5. one type never acknowledges or alters another', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1', listeners: 'l@1' });
  const stream = open().ask(CDS).ask(LDS);
  await accept(stream);
  await accept(stream);
  set({ clusters: 'a@2', listeners: 'l@1' });
  const { nonce } = await stream.next();
  stream.send({ typeUrl: LDS, responseNonce: nonce, errorDetail: 'not mine' });
  set({ clusters: 'a@3', listeners: 'l@2' });
  stream.send({ typeUrl: CDS, responseNonce: nonce });
  assert.deepEqual([await accept(stream), await accept(stream)], ['cds a@3', 'lds l@2']);
});

test('6. a nonce of a former stream on a first request is taken for none', async t => {
  const { open } = await setUp(t, { clusters: 'a@1' });
  const { nonce } = await open().ask(CDS).next();
  const stream = open().send({ typeUrl: CDS, responseNonce: nonce, errorDetail: 'old' });
  assert.equal(await accept(stream), 'cds a@1');
});

test('7, 8. a NACK is told by error_detail, recorded with its text, and not answered with the same', async t => {
  const { open, presence } = await setUp(t, { clusters: 'a@1' });
  const stream = open().ask(CDS);
  stream.answer(await stream.next(), 'Error adding/updating cluster(s) a: bad\n');
  await assertSilent(stream);
  const nack = await until(async () => (await presence())?.nacks[0], { what: 'the NACK on record' });
  assert.deepEqual(
    [nack.typeUrl, nack.name, nack.version, nack.message],
    [CDS, 'a', '1', 'Error adding/updating cluster(s) a: bad'],
  );
});

test('9. after a NACK the next version is sent; its ACK clears the record', async t => {
  const { open, set, presence } = await setUp(t, { clusters: 'a@1' });
  const stream = open().ask(CDS);
  stream.answer(await stream.next(), 'bad');
  await until(async () => (await presence())?.nacks.length === 1, { what: 'the NACK on record' });
  set({ clusters: 'a@2' });
  assert.equal(await accept(stream), 'cds a@2');
  await until(async () => (await presence())?.nacks.length === 0, { what: 'a clear record' });
});

test('10. a NACK that changes the names has the name change honoured', async t => {
  const { open } = await setUp(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS, ['a']);
  const { nonce } = await stream.next();
  stream.send({ typeUrl: CDS, subscribe: ['b'], responseNonce: nonce, errorDetail: 'a: bad' });
  assert.equal(await accept(stream), 'cds b@1');
});

test('11, 12. an ACK with nothing new, and a rewrite with equal bytes, get silence', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1', slots: { s: 'p@1' } });
  const stream = open().ask(CDS).ask(ECDS, ['s']);
  assert.deepEqual([await accept(stream), await accept(stream)], ['cds a@1', 'ecds s: verdict p@1']);
  await assertSilent(stream);
  set({ clusters: 'a@1', slots: { s: 'p@1' } });
  await assertSilent(stream);
});

test('13. no name comes twice in one response, however often it was asked for', async t => {
  const { open } = await setUp(t, { clusters: 'a@1 b@1' });
  assert.equal(await accept(open().ask(CDS, ['*', 'a', 'a', '*'])), 'cds a@1 b@1');
});

test('14, 42. a name that does not exist is removed once, and sent when it is created', async t => {
  const { open, set } = await setUp(t, {});
  const stream = open().ask(RDS, ['r']);
  assert.equal(await accept(stream), 'rds -r');
  await assertSilent(stream);
  set({ routes: 'r@1' });
  assert.equal(await accept(stream), 'rds r@1');
});

test('15. an unknown type URL gets silence; the stream goes on', async t => {
  const { open } = await setUp(t, { clusters: 'a@1' });
  const stream = open().ask('type.googleapis.com/no.such.Type', ['x']).ask(CDS);
  assert.equal(await accept(stream), 'cds a@1');
});

test('16. rapid updates: every client ends at the newest version, none comes out of order', async t => {
  const { connect, set } = await setUp(t, { clusters: 'a@0', slots: { s: 'p@1' } });
  const streams = [1, 2, 3].map(() => connect().open().ask(CDS).ask(ECDS, ['s']));
  const drained = streams.map(async stream => {
    const versions: number[] = [];
    const revisions: number[] = [];
    while (versions.at(-1) !== 200 || revisions.at(-1) !== 200) {
      const { typeUrl, resources } = await stream.accept();
      if (typeUrl === CDS) versions.push(Number(resources[0]?.version));
      else revisions.push(readSlot(resources[0]?.any ?? new Uint8Array()).parts[0]?.revision ?? 0);
    }
    return [versions, revisions];
  });
  for (let i = 1; i <= 200; i++) {
    set({ clusters: `a@${i}`, slots: { s: `p@${i}` } });
    if (i % 20 === 0) await new Promise(setImmediate);
  }
  for (const seen of (await Promise.all(drained)).flat())
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => a - b),
    );
});

test('17. half-close and reset free the stream, also with an answer pending', async t => {
  const { connect, presence } = await setUp(t, { clusters: 'a@1' });
  for (const leave of ['halfClose', 'cancel'] as const) {
    const stream = connect().open().ask(CDS);
    await stream.next();
    await until(async () => (await presence())?.connected === true, { what: 'connected' });
    stream[leave]();
    await until(async () => (await presence())?.connected === false, { what: `free after ${leave}` });
    await stream.ended;
  }
});

test('18. one change goes out as clusters, endpoints, listeners, routes; removals last, in reverse', async t => {
  const all = (it: string): World => ({ clusters: it, endpoints: it, listeners: it, routes: it });
  const { open, set } = await setUp(t, all('old@1'));
  const stream = open().ask(RDS, ['*']).ask(LDS).ask(EDS, ['*']).ask(CDS);
  const take = async (count: number): Promise<string[]> => {
    const taken: string[] = [];
    while (taken.length < count) taken.push(await accept(stream));
    return taken;
  };
  await take(4);
  set(all('new@1'));
  assert.deepEqual(await take(8), [
    'cds new@1',
    'eds new@1',
    'lds new@1',
    'rds new@1',
    'rds -old',
    'lds -old',
    'eds -old',
    'cds -old',
  ]);
});

test('19. nothing loaded yet: silence, never an empty state', async t => {
  const { open, set } = await setUp(t);
  const stream = open().ask(LDS, [], { l: '1' }).ask(CDS, [], { a: '1' });
  set({ listeners: 'l@2', clusters: 'a@1' });
  assert.equal(await accept(stream), 'lds l@2');
});

test('32. only what changed is sent, each with name and version; removals are told as such', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1 b@1 c@1' });
  const stream = open().ask(CDS);
  await accept(stream);
  set({ clusters: 'a@1 b@2' });
  assert.deepEqual([await accept(stream), await accept(stream)], ['cds b@2', 'cds -c']);
});

test('33. the first wildcard request is answered even when there is nothing', async t => {
  const { open } = await setUp(t, {});
  const stream = open().ask(CDS).ask(LDS);
  assert.deepEqual([await accept(stream), await accept(stream)], ['cds', 'lds']);
});

test('34. versions that a reconnect brings are not sent again; others are, and what is gone is removed', async t => {
  const { open } = await setUp(t, { clusters: 'a@1 b@2', slots: { s: 'p@1', u: 'q@1' } });
  const accepted = toVersion(toContent('p@1').contentHash, 'verdict');
  const stream = open().ask(CDS, [], { a: '1', b: '1', c: '1' });
  assert.deepEqual([await accept(stream), await accept(stream)], ['cds b@2', 'cds -c']);
  stream.ask(ECDS, ['s', 'u'], { s: accepted, u: accepted });
  assert.equal(await accept(stream), 'ecds u: verdict q@1');
  await assertSilent(stream);
});

test('35. versions alone are no subscription, unless everything is subscribed', async t => {
  const { open } = await setUp(t, { clusters: 'a@1 b@2', listeners: 'l@2' });
  const stream = open().ask(CDS, ['a'], { b: '1' });
  assert.equal(await accept(stream), 'cds a@1');
  assert.equal(await accept(stream.ask(LDS, [], { l: '1' })), 'lds l@2');
});

test('36. a name subscribed again is sent again', async t => {
  const { open } = await setUp(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS, ['a', 'b']);
  assert.equal(await accept(stream), 'cds a@1 b@1');
  assert.equal(await accept(stream.send({ typeUrl: CDS, subscribe: ['a'] })), 'cds a@1');
});

test('37. unsubscribing, also from an unknown name, needs no answer; later changes are not sent', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS, ['a', 'b']);
  await accept(stream);
  stream.send({ typeUrl: CDS, unsubscribe: ['a', 'never'] });
  await assertSilent(stream);
  set({ clusters: 'a@2 b@2' });
  assert.equal(await accept(stream), 'cds b@2');
});

test('38. everything and a name, then without the name: answered with the resource, or as removed', async t => {
  const { open } = await setUp(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS, ['*', 'a', 'x']);
  assert.deepEqual([await accept(stream), await accept(stream)], ['cds a@1 b@1', 'cds -x']);
  assert.equal(await accept(stream.send({ typeUrl: CDS, unsubscribe: ['a'] })), 'cds a@1');
  assert.equal(await accept(stream.send({ typeUrl: CDS, unsubscribe: ['x'] })), 'cds -x');
});

test('39. the star can be unsubscribed alone; the names stay', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS, ['*', 'a']);
  await accept(stream);
  stream.send({ typeUrl: CDS, unsubscribe: ['*'] });
  await assertSilent(stream);
  set({ clusters: 'a@2 b@2' });
  assert.equal(await accept(stream), 'cds a@2');
});

test('40. an empty first request and names later mean everything and the names', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1' });
  const stream = open().ask(CDS);
  await accept(stream);
  stream.send({ typeUrl: CDS, subscribe: ['b'] });
  assert.equal(await accept(stream), 'cds -b');
  set({ clusters: 'a@2 b@1' });
  assert.equal(await accept(stream), 'cds a@2 b@1');
});

test('41. names on a request with a stale nonce are honoured', async t => {
  const { open, set } = await setUp(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS, ['a']);
  const first = await stream.accept();
  set({ clusters: 'a@2 b@1' });
  const second = await stream.next();
  stream.send({ typeUrl: CDS, subscribe: ['b'], unsubscribe: ['a'], responseNonce: first.nonce });
  stream.answer(second);
  assert.equal(await accept(stream), 'cds b@1');
});

test('43. an extension config is never removed: unknown it is a pass-through, gone as well', async t => {
  const { open, set } = await setUp(t, { slots: { s: 'p@1' } });
  const stream = open().ask(ECDS, ['s', 'nobody'], { gone: 'old.v' });
  const first = [await accept(stream), await accept(stream), await accept(stream)];
  assert.deepEqual(first.sort(), [
    'ecds gone: verdict pass-through',
    'ecds nobody: verdict pass-through',
    'ecds s: verdict p@1',
  ]);
  set({});
  assert.equal(await accept(stream), 'ecds s: verdict pass-through');
});

test('44. a NACKed delta is not sent again unchanged; other changed resources still flow', async t => {
  const { open, set } = await setUp(t, { listeners: 'alpha@1 beta@1' });
  const stream = open().ask(LDS);
  stream.answer(await stream.next(), 'Error adding/updating listener(s) beta: bad');
  set({ listeners: 'alpha@2 beta@1' });
  assert.equal(await accept(stream), 'lds alpha@2');
});

test('45. answers applied in sequence equal, at every quiet point, what a newcomer gets at once', async t => {
  const { connect, set } = await setUp(t);
  const random = seeded(7);
  const stream = connect().open().ask(CDS);
  const has = new Map<string, string>();
  let world: string[] = [];
  for (let round = 0; round < 30; round++) {
    world = ['a', 'b', 'c', 'd'].flatMap(name =>
      random() < 0.6 ? [`${name}@${Math.floor(random() * 3)}`] : [],
    );
    // Always there, and new each time: the quiet point is when it has come and all else with it.
    world.push(`round@${round}`);
    set({ clusters: world.join(' ') });
    for (
      const isQuiet = (): boolean =>
        [...has]
          .map(it => it.join('@'))
          .sort()
          .join() === [...world].sort().join();
      !isQuiet();
    ) {
      const { resources, removed } = await stream.accept();
      for (const { name, version } of resources) has.set(name, version);
      for (const name of removed) has.delete(name);
    }
  }
  const newcomer = await connect().open('edge-1').ask(CDS).next();
  const all = newcomer.resources.map(({ name, version }) => `${name}@${version}`);
  assert.deepEqual(all.sort(), [...has].map(it => it.join('@')).sort());
});

test('48. messages far above 4 MiB go both ways', async t => {
  const { open } = await setUp(t, { clusters: 'a@1', sizeBytes: 12 * 1024 * 1024 });
  const names = Array.from({ length: 6 }, (_, i) => `${i}${'x'.repeat(1024 * 1024)}`);
  const stream = open().ask(CDS, ['a', ...names]);
  const { resources } = await stream.accept();
  assert.equal(resources[0]?.any.length, 12 * 1024 * 1024);
  assert.equal((await stream.next()).removed.length, 6);
});

test('47. a client that does not read keeps no other waiting', async t => {
  const { connect, set, server } = await setUp(t, { clusters: 'a@1', sizeBytes: 4 * 1024 * 1024 });
  const slow = http2.connect(`http://127.0.0.1:${server.address.port}`);
  t.after(() => slow.destroy());
  const call = slow.request({
    ':method': 'POST',
    ':path': '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  // No reader: the windows of stream and connection fill up.
  const message = Buffer.concat([
    Buffer.from([0x0a, 8, 0x0a, 6]),
    Buffer.from(NODE),
    Buffer.from([0x12, CDS.length]),
    Buffer.from(CDS),
  ]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  call.write(Buffer.concat([frame, message]));
  const quick = connect().open('edge-2').ask(CDS);
  for (let i = 1; i <= 5; i++) {
    set({ clusters: `a@${i}`, sizeBytes: 4 * 1024 * 1024 });
    set({ clusters: `b@${i}` }, 'edge-2');
    while (!(await accept(quick)).includes(`b@${i}`));
  }
});

test('49. keepalive pings are answered', async t => {
  const { server } = await setUp(t, {});
  const session = http2.connect(`http://127.0.0.1:${server.address.port}`);
  t.after(() => session.destroy());
  await once(session, 'connect');
  await new Promise<void>((resolve, reject) => {
    session.ping(error => (error === null ? resolve() : reject(error)));
  });
});

test('50. a stop says GOAWAY and ends every stream with OK, so that Envoys keep what they run', async t => {
  const { server, open } = await setUp(t, { clusters: 'a@1' });
  const session = http2.connect(`http://127.0.0.1:${server.address.port}`);
  t.after(() => session.destroy());
  await once(session, 'connect');
  const goaway = once(session, 'goaway', { signal: AbortSignal.timeout(10_000) });
  const stream = open().ask(CDS);
  await accept(stream);
  await server.stop();
  assert.equal((await stream.ended).code, status.OK);
  await goaway;
  await assert.rejects(stream.next(), /the stream ended/);
});

test('50. the port is free after a stop, and one that is taken is an error with its code', async t => {
  const { server } = await setUp(t, {});
  const other = await setUp(t, {});
  assert.notEqual(other.server.address.port, server.address.port);
  await assert.rejects(
    startXdsServer({ open: () => assert.fail(), stop() {} }, { ...server.address }, silentLog),
    { code: 'xds-listen-failed' },
  );
  await server.stop();
  const again = await startXdsServer(
    { open: () => assert.fail(), stop() {} },
    { ...server.address },
    silentLog,
  );
  await again.stop();
});

test('51. one extension config a response; the next only after the verdict on it, an ACK or a NACK', async t => {
  const { open } = await setUp(t, { slots: { s: 'p@1', u: 'q@1', v: 'r@1' } });
  const stream = open().ask(ECDS, ['s', 'u', 'v']);
  const first = await stream.next();
  assert.equal(describe(first), 'ecds s: verdict p@1');
  await assertSilent(stream);
  stream.answer(first, refusalOf('p'));
  assert.equal(await accept(stream), 'ecds u: verdict q@1');
  assert.equal(await accept(stream), 'ecds v: verdict r@1');
});

test('state-of-the-world ADS is answered UNIMPLEMENTED, with what to write instead', async t => {
  const { connection } = await setUp(t, {});
  const { code, details } = await connection.open(NODE, 'StreamAggregatedResources').ask(CDS).ended;
  assert.equal(code, status.UNIMPLEMENTED);
  assert.match(details, /api_type: DELTA_GRPC/);
});

test('a metrics stream is read to its end, however much comes', async t => {
  const { connection } = await setUp(t, {});
  const sink = connection.sink('/envoy.service.metrics.v3.MetricsService/StreamMetrics');
  sink.on('error', () => {});
  const chunk = Buffer.alloc(256 * 1024);
  // Far beyond every window: it is only taken if somebody reads.
  for (let i = 0; i < 80; i++)
    await new Promise<void>((resolve, reject) => {
      sink.write(chunk, (error: Error | null | undefined) => (error ? reject(error) : resolve()));
    });
  sink.cancel();
});
