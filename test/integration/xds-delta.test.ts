/** The delta items of the xDS acceptance list over a real gRPC connection; a test is named by its items. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { toVersion } from '../../src/xds/push/attempt.ts';
import { until } from '../harness/wait.ts';
import { readSlot } from '../xds/model/content.ts';
import { seeded } from '../xds/model/random-world.ts';
import { refusalOf, toContent } from '../xds/push/slot-story.ts';
import type { Response } from './xds-client.ts';
import { accept, assertSilent, CDS, describe, ECDS, EDS, LDS, RDS, setUp, type World } from './xds-scene.ts';

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
