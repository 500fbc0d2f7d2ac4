/** The xds stage with its metrics service: which process stats are of, what they prove, and nodes that go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE } from '../../src/model/type-url.ts';
import { createCoalescedWriter } from '../../src/store/coalesced-writer.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { verdictKey } from '../../src/store/record-kinds.ts';
import { createAdsService, type DiscoveryStream } from '../../src/xds/ads-service.ts';
import { ANY_NODE } from '../../src/xds/identity/node-right.ts';
import { encodeMetrics } from './metrics/metrics-writer.ts';
import { snapshotOf } from './model/content.ts';
import { type DeltaMessage, decodeResponse, encodeRequest } from './model/envoy-model.ts';
import { atOnce, FakeClock } from './model/fake-clock.ts';
import { messageOf } from './model/message-of.ts';
import { toPart } from './push/slot-story.ts';

const SLOT = 'attache.authn/l1';
const NODE = 'edge-1';

/** The stage on a fake clock; started again, it is another one on the same store. */
async function setUp() {
  const clock = new FakeClock();
  const store = createMemoryStore();
  let random = 0;
  const start = async () => {
    const metrics = new LiveTable<NodeMetrics>();
    const snapshots = new LiveTable<Snapshot>();
    const writer = createCoalescedWriter(store, clock, silentLog);
    const ads = await createAdsService({
      meter: silentMeter,
      ...{
        store,
        snapshots,
        metrics,
        writer,
        clock,
        log: silentLog,
        moduleKey: Buffer.alloc(32),
        mostNames: 1000,
      },
      fetches: { subscribe: () => () => {} },
      nextTurn: atOnce,
      random: bytes => (++random).toString(16).padStart(bytes * 2, '0'),
    });
    return { ads, metrics, snapshots, writer };
  };
  const pass = async (ms: number): Promise<void> => {
    clock.run(ms);
    for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve));
  };
  const verdict = async (): Promise<NodeVerdict | undefined> =>
    (await store.get('NodeVerdict', verdictKey(NODE, SLOT)))?.value;
  const presence = async () => (await store.get('NodePresence', NODE))?.value;
  return { clock, store, start, pass, verdict, presence };
}

type Stage = Awaited<ReturnType<Awaited<ReturnType<typeof setUp>>['start']>>;

function want({ snapshots }: Stage, content: string): void {
  const parts = content.split(' ').filter(Boolean).map(toPart);
  snapshots.set(
    NODE,
    snapshotOf({ slots: new Map([[SLOT, { wanted: parts, good: [] }]]), listeners: new Map() }),
  );
}

/** An Envoy that ACKs whatever comes, and flushes its stats. */
class Envoy {
  readonly #stream: DiscoveryStream;
  readonly #metrics: ReturnType<Stage['ads']['openMetrics']>;
  #flushes = 0;

  constructor({ ads }: Stage, metricsPeer = '10.0.0.1:5000') {
    this.#stream = ads.open({ form: 'delta', peer: '10.0.0.1:5000', right: ANY_NODE }, frame => {
      const { typeUrl, nonce } = decodeResponse(messageOf(frame));
      queueMicrotask(() => this.#send({ typeUrl, responseNonce: nonce }));
    });
    this.#metrics = ads.openMetrics(metricsPeer, ANY_NODE);
  }

  ask(versions: Record<string, string> = {}): this {
    this.#send({
      typeUrl: EXTENSION_CONFIG_TYPE,
      subscribe: [SLOT],
      initialVersions: new Map(Object.entries(versions)),
    });
    return this;
  }

  flush(created: number, active: number): this {
    const families = [
      { name: 'wasm.envoy.wasm.runtime.v8.created', counter: created },
      { name: 'wasm.envoy.wasm.runtime.v8.active', gauge: active },
      { name: 'server.concurrency', gauge: 2 },
      { name: 'server.total_connections', gauge: 0 },
    ];
    this.#metrics.onMessage(encodeMetrics({ node: NODE, at: ++this.#flushes, families }));
    return this;
  }

  leave(): void {
    this.#stream.close();
  }

  #send(message: DeltaMessage): void {
    this.#stream.onMessage(encodeRequest(message, NODE));
  }
}

test('stats are of the process whose connection they come over, and prove what it runs', async () => {
  const { start, pass, verdict, presence } = await setUp();
  const stage = await start();
  want(stage, 'a@1');
  const envoy = new Envoy(stage).ask();
  await pass(200);
  await pass(200);
  for (let i = 0; i < 2; i++) envoy.flush(5, 4);
  await pass(200);
  assert.equal(stage.metrics.get(NODE)?.process, (await presence())?.process);
  assert.equal(stage.metrics.get(NODE)?.samples.at(-1)?.vmActive, 4);
  assert.deepEqual((await verdict())?.accepted?.loaded, ['default/a']);
});

test('stats of another connection make samples, and prove nothing', async () => {
  const { start, pass, verdict } = await setUp();
  const stage = await start();
  want(stage, 'a@1');
  const envoy = new Envoy(stage, '10.0.0.1:5001').ask();
  await pass(200);
  for (let i = 0; i < 5; i++) envoy.flush(5, 4);
  await pass(200);
  assert.ok((stage.metrics.get(NODE)?.samples.length ?? 0) > 0);
  assert.equal((await verdict())?.accepted?.loaded, undefined);
});

test('what is proven outlives the stream and our own restart, with the same process', async () => {
  const { start, pass, verdict } = await setUp();
  const first = await start();
  want(first, 'a@1');
  const envoy = new Envoy(first).ask();
  await pass(200);
  for (let i = 0; i < 2; i++) envoy.flush(5, 4);
  await pass(200);
  envoy.leave();
  await pass(200);
  const contentHash = (await verdict())?.accepted?.contentHash ?? assert.fail();
  const second = await start();
  want(second, 'a@1');
  new Envoy(second).ask({ [SLOT]: `${contentHash}.v` });
  await pass(200);
  assert.deepEqual((await verdict())?.accepted?.loaded, ['default/a']);
  // A process that begins anew has proven nothing.
  new Envoy(second).ask();
  await pass(200);
  await pass(200);
  assert.equal((await verdict())?.accepted?.loaded, undefined);
});

test('a node that is forgotten leaves nothing, unless it is connected, and comes back as new', async () => {
  const { store, clock, start, pass, verdict, presence } = await setUp();
  const stage = await start();
  want(stage, 'a@1');
  const envoy = new Envoy(stage).ask();
  await pass(200);
  envoy.flush(5, 4);
  await pass(200);
  const forget = () =>
    store.put('NodePolicy', NODE, { node: NODE, forget: { by: 'admin', message: null, at: clock.now() } });
  await forget();
  await pass(200);
  assert.equal((await presence())?.connected, true);
  envoy.leave();
  await pass(200);
  const old = await presence();
  assert.equal(old?.connected, false);
  await forget();
  await pass(200);
  await pass(200);
  assert.deepEqual(
    [await presence(), await verdict(), stage.metrics.get(NODE)],
    [undefined, undefined, undefined],
  );
  new Envoy(stage).ask({ [SLOT]: 'x.v' });
  await pass(200);
  const back = await presence();
  assert.notEqual(back?.process, old?.process);
  assert.ok((back?.firstSeenAt ?? 0) > (old?.firstSeenAt ?? 0));
});
