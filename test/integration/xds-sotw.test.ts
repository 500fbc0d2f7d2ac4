/**
 * The items of the xDS acceptance list on the state of the world, over a real gRPC connection; a test is named by its items.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#how-the-client-specifies-what-resources-to-return
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { NodePresence } from '../../src/model/node.ts';
import { SECRET_TYPE } from '../../src/model/type-url.ts';
import { until } from '../harness/wait.ts';
import { refusalOf } from '../xds/push/slot-story.ts';
import type { XdsStream } from './xds-client.ts';
import { assertQuiet, learn, setUpForm } from './xds-forms.ts';
import { CDS, ECDS, EDS, LDS, RDS, type World } from './xds-scene.ts';
import { versionOf } from './xds-wire.ts';

const setUpSotw = (t: TestContext, world?: World) => setUpForm(t, 'sotw', world);

/** The next response, ACKed: all that is in it, `a@1 b@2`; empty: nothing. */
async function take(stream: XdsStream): Promise<string> {
  const { resources, typeUrl } = await stream.accept();
  return resources.map(it => `${it.name}@${versionOf(typeUrl, it)}`).join(' ');
}

/** Ends the stream once its last ACK was heard. */
async function leave(stream: XdsStream, presence: () => Promise<NodePresence | undefined>): Promise<void> {
  await assertQuiet(stream);
  stream.cancel();
  await until(async () => (await presence())?.connected === false, { what: 'the end of the stream' });
}

test('20. an empty first request of LDS and CDS means everything, in one response; so do later ones', async t => {
  const { open, set } = await setUpSotw(t, { clusters: 'a@1 b@1', listeners: 'l@1 m@1' });
  const stream = open().ask(CDS).ask(LDS);
  assert.deepEqual([await take(stream), await take(stream)], ['a@1 b@1', 'l@1 m@1']);
  stream.ask(CDS);
  await assertQuiet(stream);
  set({ clusters: 'a@1 b@1 c@1', listeners: 'l@1 m@1' });
  assert.equal(await take(stream), 'a@1 b@1 c@1');
});

test('20. with nothing there, it is answered with nothing', async t => {
  const { open } = await setUpSotw(t, {});
  const stream = open().ask(CDS).ask(LDS);
  assert.deepEqual([await take(stream), await take(stream)], ['', '']);
});

test('21. a star means everything, with names too; without it the names remain', async t => {
  const { open, set } = await setUpSotw(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS, ['*', 'a']);
  assert.equal(await take(stream), 'a@1 b@1');
  set({ clusters: 'a@1 b@2' });
  assert.equal(await take(stream), 'a@1 b@2');
  stream.drop(CDS, '*');
  await assertQuiet(stream);
  set({ clusters: 'a@2 b@3' });
  assert.equal(await take(stream), 'a@2');
  assert.equal(await take(stream.ask(CDS, ['*'])), 'a@2 b@3');
});

test('21. an empty first request and names later: only the names', async t => {
  const { open, set } = await setUpSotw(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS);
  await take(stream);
  assert.equal(await take(stream.ask(CDS, ['a'])), 'a@1');
  set({ clusters: 'a@1 b@2' });
  await assertQuiet(stream);
});

test('22. once a name was given, an empty list unsubscribes from all: nothing more is sent', async t => {
  const { open, set } = await setUpSotw(t, { clusters: 'a@1', routes: 'r@1', slots: { s: 'p@1' } });
  const stream = open().ask(CDS, ['*', 'a']).ask(RDS, ['r']).ask(ECDS, ['s']);
  for (let i = 0; i < 3; i++) await take(stream);
  stream.drop(CDS, '*', 'a').drop(RDS, 'r').drop(ECDS, 's');
  await assertQuiet(stream);
  set({ clusters: 'a@2 b@1', routes: 'r@2', slots: { s: 'p@2' } });
  await assertQuiet(stream);
  set({});
  await assertQuiet(stream);
});

test('23. for ECDS, RDS, EDS and SDS an empty list on the first request subscribes to nothing', async t => {
  const world: World = { endpoints: 'e@1', routes: 'r@1', secrets: 'k@1', slots: { s: 'p@1' } };
  const { open } = await setUpSotw(t, world);
  const stream = open().ask(EDS).ask(RDS).ask(SECRET_TYPE).ask(ECDS);
  await assertQuiet(stream);
  assert.equal(await take(stream.ask(RDS, ['r'])), 'r@1');
});

test('24. LDS and CDS responses hold the whole set; what is removed is absent; all removed is an empty one', async t => {
  const { open, set } = await setUpSotw(t, { clusters: 'a@1 b@1', listeners: 'l@1' });
  const stream = open().ask(CDS).ask(LDS);
  assert.deepEqual([await take(stream), await take(stream)], ['a@1 b@1', 'l@1']);
  set({ clusters: 'a@2 b@1', listeners: 'l@1' });
  assert.equal(await take(stream), 'a@2 b@1');
  set({ clusters: 'b@1', listeners: 'l@1' });
  assert.equal(await take(stream), 'b@1');
  set({});
  assert.deepEqual([await take(stream), await take(stream)], ['', '']);
  assert.equal(stream.held(CDS).size, 0);
});

test('24. what was refused stays in the set as the client has it; deleted, it is gone', async t => {
  const { open, set } = await setUpSotw(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS);
  await take(stream);
  set({ clusters: 'a@2 b@2' });
  stream.answer(await stream.next(), 'Error adding/updating cluster(s) b: bad\n');
  await assertQuiet(stream);
  set({ clusters: 'a@3 b@2' });
  assert.equal(await take(stream), 'a@3 b@1');
  set({ clusters: 'a@3' });
  assert.equal(await take(stream), 'a@3');
  await assertQuiet(stream);
});

test('25. other types send only what changed; what is gone is not told, and nothing empty is sent', async t => {
  const { open, set } = await setUpSotw(t, { endpoints: 'a@1 b@1', routes: 'r@1' });
  const stream = open().ask(EDS, ['a', 'b']).ask(RDS, ['*']);
  assert.deepEqual([await take(stream), await take(stream)], ['a@1 b@1', 'r@1']);
  set({ endpoints: 'a@1 b@2', routes: 'r@1' });
  assert.equal(await take(stream), 'b@2');
  set({ endpoints: 'b@2' });
  await assertQuiet(stream);
  set({});
  await assertQuiet(stream);
});

test('26. names on a request with a stale nonce count at once, and are answered once it is current', async t => {
  const { open, set } = await setUpSotw(t, { endpoints: 'a@1 b@1' });
  const stream = open().ask(EDS, ['a']);
  await take(stream);
  set({ endpoints: 'a@2 b@1' });
  const out = await stream.next();
  // It has not seen the response yet.
  stream.ask(EDS, ['b']);
  await assertQuiet(stream);
  stream.answer(out);
  assert.equal(await take(stream), 'b@1');
  await assertQuiet(stream);
});

test('26. also when the refusal of what is out brings them', async t => {
  const { open, set } = await setUpSotw(t, { endpoints: 'a@1 b@1' });
  const stream = open().ask(EDS, ['a']);
  await take(stream);
  set({ endpoints: 'a@2 b@1' });
  stream.answer(await stream.next(), 'a: bad', { ask: ['b'] });
  assert.equal(await take(stream), 'b@1');
});

test('27. a request with the current nonce and new names is answered with them, unchanged as they are', async t => {
  const { open } = await setUpSotw(t, {
    clusters: 'a@1 b@1',
    endpoints: 'a@1 b@1',
    slots: { s: 'p@1', u: 'q@1' },
  });
  const stream = open().ask(EDS, ['a']).ask(CDS, ['a']).ask(ECDS, ['s']);
  for (let i = 0; i < 3; i++) await take(stream);
  const version = stream.versionInfo(EDS);
  assert.equal(await take(stream.ask(EDS, ['b'])), 'b@1');
  assert.equal(stream.versionInfo(EDS), version);
  assert.equal(await take(stream.ask(CDS, ['b'])), 'a@1 b@1');
  assert.equal(await take(stream.ask(ECDS, ['u'])), 'u@verdict q@1');
});

test('28. a name dropped and given again is sent again, even if unchanged', async t => {
  const { open } = await setUpSotw(t, { clusters: 'a@1', routes: 'r@1', slots: { s: 'p@1' } });
  const stream = open().ask(CDS, ['a']).ask(RDS, ['r']).ask(ECDS, ['s']);
  for (let i = 0; i < 3; i++) await take(stream);
  for (const [typeUrl, name, text] of [
    [CDS, 'a', 'a@1'],
    [RDS, 'r', 'r@1'],
    [ECDS, 's', 's@verdict p@1'],
  ] as const) {
    stream.drop(typeUrl, name);
    await assertQuiet(stream);
    assert.equal(await take(stream.ask(typeUrl, [name])), text);
  }
});

test('29. of several requests before any response only the newest of the type counts', async t => {
  const { open, set } = await setUpSotw(t);
  const stream = open().ask(RDS, ['a']).ask(RDS, ['b']).drop(RDS, 'a').ask(RDS, ['c']);
  await assertQuiet(stream);
  set({ routes: 'a@1 b@1 c@1' });
  assert.equal(await take(stream), 'b@1 c@1');
  await assertQuiet(stream);
});

test('30. version_info is per type, changes with any resource of it, and is equal on every stream and server', async t => {
  const world: World = { clusters: 'a@1 b@1', listeners: 'l@1', routes: 'r@1 s@1', slots: { s: 'p@1' } };
  const [one, two] = [await setUpSotw(t, world), await setUpSotw(t, world)];
  const versions = async (stream: XdsStream): Promise<Record<string, string>> => {
    stream.ask(CDS).ask(LDS).ask(RDS, ['r']).ask(ECDS, ['s']);
    for (let i = 0; i < 4; i++) await take(stream);
    return Object.fromEntries([CDS, LDS, RDS, ECDS].map(type => [type, stream.versionInfo(type)]));
  };
  const stream = one.open();
  const before = await versions(stream);
  assert.equal(new Set(Object.values(before)).size, 4);
  assert.ok(Object.values(before).every(Boolean));
  assert.deepEqual(await versions(two.open()), before);
  one.set({ ...world, clusters: 'a@1 b@2' });
  await take(stream);
  assert.notEqual(stream.versionInfo(CDS), before[CDS]);
  assert.equal(stream.versionInfo(LDS), before[LDS]);
  one.set(world);
  await take(stream);
  assert.equal(stream.versionInfo(CDS), before[CDS]);
});

test('31. who comes back with the current version: names are answered, the star and places get silence', async t => {
  const world: World = { clusters: 'a@1', listeners: 'l@1', routes: 'r@1', slots: { s: 'p@1', u: 'q@1' } };
  const { open, connect, presence } = await setUpSotw(t, world);
  const former = open().ask(CDS).ask(LDS).ask(RDS, ['r']).ask(ECDS, ['s', 'u']);
  for (let i = 0; i < 5; i++) await take(former);
  await leave(former, presence);
  const stream = connect().open();
  for (const typeUrl of [CDS, LDS, RDS, ECDS]) stream.resume(typeUrl, former);
  assert.equal(await take(stream), 'r@1');
  await assertQuiet(stream);
});

test('31. with another version it gets the whole set, and of the places those that changed', async t => {
  const { open, set, connect, presence } = await setUpSotw(t, {
    clusters: 'a@1 b@1',
    slots: { s: 'p@1', u: 'q@1' },
  });
  const former = open().ask(CDS).ask(ECDS, ['s', 'u']);
  for (let i = 0; i < 3; i++) await take(former);
  await leave(former, presence);
  set({ clusters: 'a@1', slots: { s: 'p@1', u: 'q@2' } });
  const stream = connect().open().resume(CDS, former).resume(ECDS, former);
  assert.deepEqual([await take(stream), await take(stream)], ['a@1', 'u@verdict q@2']);
  await assertQuiet(stream);
});

test('18, 31. what is gone meanwhile goes last, also for who comes back', async t => {
  const { open, set, connect, presence } = await setUpSotw(t, { clusters: 'a@1 old@1', listeners: 'l@1' });
  const former = open().ask(CDS).ask(LDS);
  assert.deepEqual([await take(former), await take(former)], ['a@1 old@1', 'l@1']);
  await leave(former, presence);
  set({ clusters: 'a@1 new@1', listeners: 'l@2' });
  const stream = connect().open().resume(CDS, former).resume(LDS, former);
  const told = [await take(stream), await take(stream), await take(stream)];
  assert.deepEqual(told, ['a@1 new@1 old@1', 'l@2', 'a@1 new@1']);
});

test('31. a place whose push was refused is pushed again to who comes back; the others stand', async t => {
  const { open, set, connect, presence } = await setUpSotw(t, { slots: { s: 'p@1', u: 'q@1' } });
  const former = open().ask(ECDS, ['s', 'u']);
  for (let i = 0; i < 2; i++) await take(former);
  set({ slots: { s: 'p@2', u: 'q@1' } });
  former.answer(await former.next(), refusalOf('p'));
  await leave(former, presence);
  const stream = connect().open().resume(ECDS, former);
  assert.match(await take(stream), /^s@verdict /);
});

test('31. with a version of places that nobody knows, each is sent', async t => {
  const { open } = await setUpSotw(t, { slots: { s: 'p@1', u: 'q@1' } });
  const stream = open().sendSotw({ typeUrl: ECDS, names: ['s', 'u'], versionInfo: 'of another server' });
  stream.ask(ECDS, ['s', 'u']);
  assert.equal(await learn(stream), 'ecds s: verdict p@1');
  assert.equal(await learn(stream), 'ecds u: verdict q@1');
});

test('an extension config is never absent by intent: unknown it is a pass-through, gone as well', async t => {
  const { open, set } = await setUpSotw(t, { slots: { s: 'p@1' } });
  const stream = open().ask(ECDS, ['s', 'nobody']);
  const first = [await learn(stream), await learn(stream)];
  assert.deepEqual(first.sort(), ['ecds nobody: verdict pass-through', 'ecds s: verdict p@1']);
  set({});
  assert.equal(await learn(stream), 'ecds s: verdict pass-through');
});
