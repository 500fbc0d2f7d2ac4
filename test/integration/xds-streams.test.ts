/**
 * A stream of its own for each type, or for each resource, instead of one for all: in both forms, over real connections.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#four-variants
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { RUNTIME_TYPE, SECRET_TYPE, XDS_TYPES } from '../../src/model/type-url.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { until } from '../harness/wait.ts';
import { readSlot } from '../xds/model/content.ts';
import { refusalOf } from '../xds/push/slot-story.ts';
import type { XdsConnection, XdsStream } from './xds-client.ts';
import { assertQuiet, FORMS, learn, newsOf, setUpForm } from './xds-forms.ts';
import { CDS, ECDS, EDS, LDS, NODE, RDS, type World } from './xds-scene.ts';

const EVERYTHING: World = {
  clusters: 'c@1',
  endpoints: 'e@1',
  listeners: 'l@1',
  routes: 'r@1',
  secrets: 'k@1',
  runtimes: 'layer@1',
  slots: { s: 'p@1' },
};

/** Type to the name that is asked for (LDS and CDS: all), and what comes. */
const STREAMS: readonly (readonly [string, readonly string[], string])[] = [
  [CDS, [], 'cds c@1'],
  [EDS, ['e'], 'eds e@1'],
  [LDS, [], 'lds l@1'],
  [RDS, ['r'], 'rds r@1'],
  [SECRET_TYPE, ['k'], 'sds k@1'],
  [RUNTIME_TYPE, ['layer'], 'rtds layer@1'],
  [ECDS, ['s'], 'ecds s: verdict p@1'],
];

/** The process by which we know the Envoy that holds this place. */
async function processOf(stream: XdsStream): Promise<string> {
  const { resources } = await stream.accept();
  return readSlot(resources[0]?.any ?? assert.fail()).capability.slice(16, 32);
}

async function setUpStreams(t: TestContext, form: ProtocolForm, world?: World) {
  const scene = await setUpForm(t, form, world);
  const open = (typeUrl: string, names?: readonly string[], connection: XdsConnection = scene.connection) =>
    connection.open(NODE, { typeUrl }).ask(typeUrl, names);
  return { ...scene, open };
}

test('every type has its service', () => {
  assert.deepEqual(STREAMS.map(([typeUrl]) => typeUrl).sort(), XDS_TYPES.map(it => it.typeUrl).sort());
});

for (const form of FORMS) {
  test(`${form}: 3. each type on a stream of its own, on one connection; the type need not be said`, async t => {
    const { connection, presence } = await setUpStreams(t, form, EVERYTHING);
    for (const [typeUrl, names, news] of STREAMS) {
      const stream = connection.open(NODE, { typeUrl }).ask('', names);
      const response = await stream.next();
      assert.equal(newsOf(stream, response), news);
      stream.say('', { nonce: response.nonce });
      await assertQuiet(stream);
    }
    assert.equal((await presence())?.connected, true);
  });

  for (const where of ['one connection', 'several connections'])
    test(`${form}: streams on ${where} belong to one Envoy: its resources come in order, under one process`, async t => {
      const { open, connect, connection, set, presence } = await setUpStreams(t, form);
      const at = (): XdsConnection => (where === 'one connection' ? connection : connect());
      const streams = [...STREAMS].reverse().map(([typeUrl, names, news]) => ({
        news,
        stream: open(typeUrl, names, at()),
      }));
      for (const { stream } of streams) await assertQuiet(stream);
      const order: string[] = [];
      const taken = streams.map(async ({ stream, news }) => {
        assert.equal(await learn(stream), news);
        order.push(news.split(' ')[0] ?? '');
      });
      set(EVERYTHING);
      await Promise.all(taken);
      // Endpoints do not wait for the answer to clusters, and on streams of their own one may overtake the other.
      assert.deepEqual(
        order.filter(short => short === 'lds' || short === 'rds'),
        ['lds', 'rds'],
      );
      assert.ok(order.indexOf('lds') > Math.max(order.indexOf('cds'), order.indexOf('eds')), order.join());
      const process = (await presence())?.process;
      const place = open(ECDS, ['t'], at());
      set({ ...EVERYTHING, slots: { s: 'p@1', t: 'q@1' } });
      const news = await place.next();
      // Unknown at first, it is a pass-through.
      if (readSlot(news.resources[0]?.any ?? assert.fail()).parts.length === 0) place.answer(news);
      else place.responses.unshift(news);
      assert.equal(await processOf(place), process);
    });

  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
  test(`${form}: 18. make before break, across streams: what is gone goes after what is new was answered`, async t => {
    const { open, set } = await setUpStreams(t, form, { clusters: 'old@1', listeners: 'old@1' });
    const [lds, cds] = [open(LDS), open(CDS)];
    await learn(cds);
    await learn(lds);
    set({ clusters: 'new@1', listeners: 'new@1' });
    const added = await cds.next();
    assert.ok(added.resources.some(it => it.name === 'new'));
    await assertQuiet(lds);
    cds.answer(added);
    assert.equal(await learn(lds), 'lds new@1');
    assert.equal(await learn(lds), 'lds -old');
    assert.equal(await learn(cds), 'cds -old');
  });

  test(`${form}: 51. a stream for each place: one push at a time over all of them`, async t => {
    const { open } = await setUpStreams(t, form, { slots: { s: 'p@1', u: 'q@1', v: 'r@1' } });
    const streams = ['s', 'u', 'v'].map(name => open(ECDS, [name]));
    const [one, two, three] = streams as [XdsStream, XdsStream, XdsStream];
    const first = await one.next();
    await assertQuiet(two);
    await assertQuiet(three);
    one.answer(first, refusalOf('p'));
    assert.equal(await learn(two), 'ecds u: verdict q@1');
    assert.equal(await learn(three), 'ecds v: verdict r@1');
  });

  test(`${form}: 17. a stream that ends leaves the others; with the last one the Envoy is gone`, async t => {
    const { open, set, presence } = await setUpStreams(t, form, EVERYTHING);
    const [lds, cds, place] = [open(LDS), open(CDS), open(ECDS, ['s'])];
    for (const stream of [cds, lds, place]) await learn(stream);
    place.halfClose();
    await place.ended;
    cds.cancel();
    await cds.ended;
    await assertQuiet(lds);
    assert.equal((await presence())?.connected, true);
    set({ ...EVERYTHING, listeners: 'l@2' });
    assert.equal(await learn(lds), 'lds l@2');
    lds.cancel();
    await until(async () => (await presence())?.connected === false, { what: 'gone' });
  });

  test(`${form}: 17. with an answer pending on a stream that ends, the others go on`, async t => {
    const { open, set } = await setUpStreams(t, form, {
      clusters: 'c@1',
      listeners: 'l@1',
      slots: { s: 'p@1', u: 'q@1' },
    });
    const [cds, lds] = [open(CDS), open(LDS)];
    await cds.next();
    await assertQuiet(lds);
    cds.cancel();
    assert.equal(await learn(lds), 'lds l@1');
    const [one, two] = [open(ECDS, ['s']), open(ECDS, ['u'])];
    await one.next();
    one.cancel();
    assert.equal(await learn(two), 'ecds u: verdict q@1');
    set({ slots: { u: 'q@2' }, listeners: 'l@1' });
    assert.equal(await learn(two), 'ecds u: verdict q@2');
  });

  test(`${form}: a foreign type URL on a stream of one type ends it with INVALID_ARGUMENT, and no other`, async t => {
    const { open } = await setUpStreams(t, form, EVERYTHING);
    const [cds, lds] = [open(CDS), open(LDS)];
    await learn(cds);
    const { code, details } = await lds.ask(RDS, ['r']).ended;
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.match(details, /type-url-foreign/);
    await assertQuiet(cds);
    assert.equal(await learn(open(LDS)), 'lds l@1');
  });

  test(`${form}: one that comes back is known by what its streams bring, each in its turn`, async t => {
    const { open, connect, presence } = await setUpStreams(t, form, EVERYTHING);
    const former = STREAMS.map(([typeUrl, names]) => ({ typeUrl, stream: open(typeUrl, names) }));
    for (const { stream } of former) await learn(stream);
    const process = (await presence())?.process;
    for (const { stream } of former) stream.cancel();
    await until(async () => (await presence())?.connected === false, { what: 'gone' });
    const back = connect();
    for (const { typeUrl, stream } of former) {
      const again = back.open(NODE, { typeUrl }).resume(typeUrl, stream);
      // In the state of the world names are answered whatever the version is; places and sets are not.
      const isNamed = form === 'sotw' && ![CDS, LDS, ECDS].includes(typeUrl);
      if (isNamed) assert.match(await learn(again), /^[a-z]+$/, 'nothing new');
      await assertQuiet(again);
    }
    assert.equal((await presence())?.process, process);
  });

  test(`${form}: a second stream for listeners is another Envoy of the same name: both are served`, async t => {
    const { open, set } = await setUpStreams(t, form, { listeners: 'l@1' });
    const [one, two] = [open(LDS), open(LDS)];
    assert.deepEqual([await learn(one), await learn(two)], ['lds l@1', 'lds l@1']);
    set({ listeners: 'l@2' });
    assert.deepEqual([await learn(one), await learn(two)], ['lds l@2', 'lds l@2']);
  });

  test(`${form}: some types on the stream for all, others on their own`, async t => {
    const { open, connection, set } = await setUpStreams(t, form, EVERYTHING);
    const ads = connection.open().ask(CDS).ask(LDS).ask(ECDS, ['s']);
    const eds = open(EDS, ['e']);
    assert.equal(await learn(ads), 'cds c@1');
    assert.equal(await learn(eds), 'eds e@1');
    assert.deepEqual([await learn(ads), await learn(ads)].sort(), ['ecds s: verdict p@1', 'lds l@1']);
    set({ ...EVERYTHING, endpoints: 'e@2', listeners: 'l@2' });
    assert.equal(await learn(eds), 'eds e@2');
    assert.equal(await learn(ads), 'lds l@2');
  });
}

test('the forms may differ from stream to stream', async t => {
  const { connection, set } = await setUpForm(t, 'delta', { clusters: 'c@1', listeners: 'l@1' });
  const cds = connection.open(NODE, { form: 'sotw', typeUrl: CDS }).ask(CDS);
  const lds = connection.open(NODE, { form: 'delta', typeUrl: LDS }).ask(LDS);
  assert.deepEqual([await learn(cds), await learn(lds)], ['cds c@1', 'lds l@1']);
  set({ clusters: 'd@1', listeners: 'm@1' });
  assert.equal(await learn(cds), 'cds d@1');
  assert.deepEqual([await learn(lds), await learn(lds), await learn(cds)], ['lds m@1', 'lds -l', 'cds -c']);
});
