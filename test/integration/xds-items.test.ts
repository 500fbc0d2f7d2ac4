/**
 * The items of the xDS acceptance list that hold in both forms, over a real gRPC connection; a test is named by its items.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { until } from '../harness/wait.ts';
import { readSlot } from '../xds/model/content.ts';
import { refusalOf } from '../xds/push/slot-story.ts';
import type { Response, XdsStream } from './xds-client.ts';
import { assertQuiet, FORMS, learn, setUpForm } from './xds-forms.ts';
import { CDS, ECDS, EDS, LDS, NODE, RDS, type World } from './xds-scene.ts';
import { readAny } from './xds-wire.ts';

/** A request that holds a type URL and nothing else. */
function typeOnly(form: ProtocolForm, typeUrl: string): Buffer {
  const field = form === 'delta' ? 2 : 4;
  return Buffer.concat([Buffer.from([(field << 3) | 2, typeUrl.length]), Buffer.from(typeUrl)]);
}

async function learnAll(stream: XdsStream, count: number): Promise<string[]> {
  const news: string[] = [];
  while (news.length < count) news.push(await learn(stream));
  return news;
}

for (const form of FORMS) {
  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#client-configuration
  test(`${form}: 1. the node of the first request holds for later ones without a node; repeated it is fine`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1', listeners: 'l@1', endpoints: 'e@1' });
    const stream = open().ask(CDS);
    assert.equal(await learn(stream), 'cds a@1');
    assert.equal(await learn(stream.sendBytes(typeOnly(form, LDS))), 'lds l@1');
    assert.equal(await learn(stream.ask(EDS, ['e'])), 'eds e@1');
  });

  test(`${form}: 1. another node on the same stream ends it with INVALID_ARGUMENT`, async t => {
    const { open } = await setUpForm(t, form, {});
    const { code, details } = await open().ask(CDS).say(LDS, {}, 'edge-2').ended;
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.match(details, /node-changed/);
  });

  test(`${form}: 2. a first request without node id, or without a node, ends with INVALID_ARGUMENT`, async t => {
    const { open } = await setUpForm(t, form, {});
    for (const stream of [open('').ask(CDS), open().sendBytes(typeOnly(form, CDS))]) {
      const { code, details } = await stream.ended;
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.match(details, /node-id-missing/);
    }
  });

  test(`${form}: 3. an ADS request without type URL ends with INVALID_ARGUMENT; on a stream of one type it is implied`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1' });
    const { code, details } = await open().ask('').ended;
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.match(details, /type-url-missing/);
    const stream = open(NODE, { typeUrl: CDS }).ask('');
    assert.equal(await learn(stream), 'cds a@1');
    await assertQuiet(stream);
  });

  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ack-nack-and-resource-type-instance-version
  test(`${form}: 4. every response has a nonce, unique on its stream, and the type URL of its resources`, async t => {
    const { open, set } = await setUpForm(t, form, {
      clusters: 'a@1',
      listeners: 'l@1',
      slots: { s: 'p@1' },
    });
    const stream = open().ask(CDS).ask(LDS).ask(ECDS, ['s']);
    const responses: Response[] = [];
    for (let i = 0; i < 3; i++) responses.push(await stream.accept());
    set({ clusters: 'a@2', listeners: 'l@2', slots: { s: 'p@2' } });
    for (let i = 0; i < 3; i++) responses.push(await stream.accept());
    const nonces = responses.map(it => it.nonce);
    assert.ok(nonces.every(Boolean));
    assert.equal(new Set(nonces).size, 6);
    assert.deepEqual(new Set(responses.map(it => it.typeUrl)), new Set([CDS, LDS, ECDS]));
    for (const { typeUrl, resources } of responses.filter(it => it.typeUrl !== ECDS))
      for (const { any } of resources) assert.equal(readAny(any).typeUrl, typeUrl);
  });

  test(`${form}: 5. one type never acknowledges or alters another`, async t => {
    const { open, set } = await setUpForm(t, form, { clusters: 'a@1', listeners: 'l@1' });
    const stream = open().ask(CDS).ask(LDS);
    await learnAll(stream, 2);
    set({ clusters: 'a@2', listeners: 'l@1' });
    const { nonce } = await stream.next();
    stream.say(LDS, { nonce, error: 'not mine' });
    set({ clusters: 'a@3', listeners: 'l@2' });
    await assertQuiet(stream);
    stream.say(CDS, { nonce });
    assert.deepEqual(await learnAll(stream, 2), ['cds a@3', 'lds l@2']);
  });

  test(`${form}: 6. a nonce of a former stream on a first request is taken for none`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1', slots: { s: 'p@1' } });
    const former = open().ask(CDS);
    const { nonce } = await former.next();
    former.cancel();
    const stream = open()
      .say(CDS, { nonce, error: 'old' })
      .say(ECDS, { ask: ['s'], nonce, error: 'old' });
    assert.deepEqual(await learnAll(stream, 2), ['cds a@1', 'ecds s: verdict p@1']);
  });

  test(`${form}: 7, 8. a NACK is told by error_detail, recorded with its text, and not answered with the same`, async t => {
    const { open, presence } = await setUpForm(t, form, { clusters: 'a@1' });
    const stream = open().ask(CDS);
    stream.answer(await stream.next(), 'Error adding/updating cluster(s) a: bad\n');
    await assertQuiet(stream);
    const nack = await until(async () => (await presence())?.nacks[0], { what: 'the NACK on record' });
    assert.deepEqual(
      [nack.typeUrl, nack.name, nack.version, nack.message],
      [CDS, 'a', '1', 'Error adding/updating cluster(s) a: bad'],
    );
  });

  test(`${form}: 7. a NACK without a text is one as well`, async t => {
    const { open, presence } = await setUpForm(t, form, { clusters: 'a@1' });
    const stream = open().ask(CDS);
    stream.answer(await stream.next(), '');
    await assertQuiet(stream);
    await until(async () => (await presence())?.nacks[0]?.name === 'a', { what: 'the NACK on record' });
  });

  test(`${form}: 8. a removal that is refused is not repeated`, async t => {
    const { open, set, presence } = await setUpForm(t, form, { clusters: 'a@1 b@1' });
    const stream = open().ask(CDS);
    await learn(stream);
    set({ clusters: 'a@1' });
    stream.answer(await stream.next(), 'no');
    await assertQuiet(stream);
    await until(async () => (await presence())?.nacks[0]?.name === 'b', { what: 'the NACK on record' });
  });

  test(`${form}: 9. after a NACK the next version is sent; its ACK clears the record`, async t => {
    const { open, set, presence } = await setUpForm(t, form, { clusters: 'a@1' });
    const stream = open().ask(CDS);
    stream.answer(await stream.next(), 'bad');
    await until(async () => (await presence())?.nacks.length === 1, { what: 'the NACK on record' });
    set({ clusters: 'a@2' });
    assert.equal(await learn(stream), 'cds a@2');
    await until(async () => (await presence())?.nacks.length === 0, { what: 'a clear record' });
  });

  test(`${form}: 10. an ACK or a NACK that changes the names has the name change honoured`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1 b@1', routes: 'r@1 s@1' });
    const stream = open().ask(CDS, ['a']).ask(RDS, ['r']);
    stream.answer(await stream.next(), 'a: bad', { ask: ['b'] });
    assert.equal(await learn(stream), 'cds b@1');
    const routes = await stream.next();
    stream.answer(routes, undefined, { ask: ['s'], drop: ['r'] });
    assert.equal(await learn(stream), 'rds s@1');
  });

  test(`${form}: 11, 12. an ACK with nothing new, and a rewrite with equal bytes, get silence`, async t => {
    const world: World = { clusters: 'a@1', routes: 'r@1', slots: { s: 'p@1' } };
    const { open, set } = await setUpForm(t, form, world);
    const stream = open().ask(CDS).ask(RDS, ['r']).ask(ECDS, ['s']);
    assert.deepEqual((await learnAll(stream, 3)).sort(), ['cds a@1', 'ecds s: verdict p@1', 'rds r@1']);
    await assertQuiet(stream);
    set(world);
    await assertQuiet(stream);
  });

  test(`${form}: 13. no name comes twice in one response, however often it was asked for`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1 b@1', routes: 'r@1' });
    const stream = open();
    const names = ['*', 'a', 'a', '*'];
    if (form === 'delta') stream.send({ typeUrl: CDS, subscribe: names });
    else stream.sendSotw({ typeUrl: CDS, names });
    const { resources } = await stream.accept();
    assert.deepEqual(resources.map(it => it.name).sort(), ['a', 'b']);
    if (form === 'delta') stream.send({ typeUrl: RDS, subscribe: ['r', 'r'] });
    else stream.sendSotw({ typeUrl: RDS, names: ['r', 'r'] });
    assert.equal((await stream.accept()).resources.length, 1);
  });

  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#knowing-when-a-requested-resource-does-not-exist
  test(`${form}: 14. a name that does not exist is sent when it is created, without a new request`, async t => {
    const { open, set } = await setUpForm(t, form, {});
    const stream = open().ask(RDS, ['r']).ask(CDS, ['a']);
    // That there is none is told by a removal, or by a set without it; routes have no sets.
    const told = form === 'delta' ? [CDS, RDS] : [CDS];
    const answers: Response[] = [];
    while (answers.length < told.length) answers.push(await stream.accept());
    assert.deepEqual(answers.map(it => it.typeUrl).sort(), told);
    assert.ok(answers.every(it => it.resources.length === 0));
    await assertQuiet(stream);
    set({ routes: 'r@1', clusters: 'a@1 b@1' });
    assert.deepEqual(await learnAll(stream, 2), ['cds a@1', 'rds r@1']);
  });

  test(`${form}: 14. who asks for less than there is, and for what is not there, gets what there is of it`, async t => {
    const { open, set } = await setUpForm(t, form, { clusters: 'a@1 b@1 c@1', endpoints: 'a@1 b@1 c@1' });
    const stream = open().ask(CDS, ['a', 'missing']).ask(EDS, ['a', 'missing']);
    assert.equal(await learn(stream), 'cds a@1');
    assert.equal(await learn(stream), 'eds a@1');
    set({ clusters: 'a@2 b@2 c@1', endpoints: 'a@2 b@2 c@1' });
    assert.deepEqual(await learnAll(stream, 2), ['cds a@2', 'eds a@2']);
    await assertQuiet(stream);
  });

  test(`${form}: 15. an unknown type URL gets silence; the stream goes on`, async t => {
    const { open } = await setUpForm(t, form, { clusters: 'a@1' });
    const unknown = 'type.googleapis.com/no.such.Type';
    const stream = open().ask(unknown, ['x']).ask(unknown).ask(CDS);
    assert.equal(await learn(stream), 'cds a@1');
    await assertQuiet(stream);
  });

  test(`${form}: 16. rapid updates: every client ends at the newest version, none comes out of order`, async t => {
    const { connect, set } = await setUpForm(t, form, { clusters: 'a@0', slots: { s: 'p@1' } });
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

  test(`${form}: 17. half-close and reset free the stream, also with an answer pending`, async t => {
    const { connect, presence } = await setUpForm(t, form, { clusters: 'a@1' });
    for (const leave of ['halfClose', 'cancel'] as const) {
      const stream = connect().open().ask(CDS);
      await stream.next();
      await until(async () => (await presence())?.connected === true, { what: 'connected' });
      stream[leave]();
      await until(async () => (await presence())?.connected === false, { what: `free after ${leave}` });
      await stream.ended;
    }
  });

  // https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
  test(`${form}: 18. one change goes out as clusters, endpoints, listeners, routes, places; removals last, in reverse`, async t => {
    const all = (it: string, place: string): World => ({
      clusters: it,
      endpoints: it,
      listeners: it,
      routes: it,
      slots: { s: place },
    });
    const { open, set } = await setUpForm(t, form, all('old@1', 'p@1'));
    const stream = open().ask(ECDS, ['s']).ask(RDS, ['*']).ask(LDS).ask(EDS, ['*']).ask(CDS);
    await learnAll(stream, 5);
    set(all('new@1', 'p@2'));
    const added = ['cds new@1', 'eds new@1', 'lds new@1', 'rds new@1'];
    // Routes and endpoints go with who names them, where nothing else tells that they are gone.
    const gone =
      form === 'delta' ? ['rds -old', 'lds -old', 'eds -old', 'cds -old'] : ['lds -old', 'cds -old'];
    const seen = await learnAll(stream, added.length + 1 + gone.length);
    assert.deepEqual(
      seen.filter(it => !it.startsWith('ecds')),
      [...added, ...gone],
    );
    const place = seen.indexOf('ecds s: verdict p@2');
    assert.ok(place > seen.indexOf('lds new@1') && place <= seen.indexOf('rds new@1') + 1, seen.join(', '));
    await assertQuiet(stream);
  });

  test(`${form}: 19. nothing loaded yet: silence, never an empty state, also for one that comes back`, async t => {
    const { open, set } = await setUpForm(t, form);
    const stream = open();
    if (form === 'delta') stream.ask(LDS, [], { l: '1' }).ask(CDS, [], { a: '1' });
    else stream.sendSotw({ typeUrl: LDS, versionInfo: 'x' }).sendSotw({ typeUrl: CDS, versionInfo: 'x' });
    const fresh = open().ask(LDS).ask(CDS);
    await assertQuiet(stream);
    await assertQuiet(fresh);
    set({ listeners: 'l@2', clusters: 'a@1' });
    const news = form === 'delta' ? ['lds l@2'] : ['cds a@1', 'lds l@2'];
    assert.deepEqual(await learnAll(stream, news.length), news);
  });

  test(`${form}: 51. one extension config a response; the next only after the verdict on it, an ACK or a NACK`, async t => {
    const { open } = await setUpForm(t, form, { slots: { s: 'p@1', u: 'q@1', v: 'r@1' } });
    const stream = open().ask(ECDS, ['s', 'u', 'v']);
    const first = await stream.next();
    assert.deepEqual(
      first.resources.map(it => it.name),
      ['s'],
    );
    await assertQuiet(stream);
    stream.answer(first, refusalOf('p'));
    assert.deepEqual(await learnAll(stream, 2), ['ecds u: verdict q@1', 'ecds v: verdict r@1']);
  });
}
