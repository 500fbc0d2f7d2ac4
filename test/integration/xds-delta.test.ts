/**
 * The incremental items of the xDS acceptance list over a real gRPC connection; a test is named by its items.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toVersion } from '../../src/xds/push/attempt.ts';
import { toContent } from '../xds/push/slot-story.ts';
import { accept, assertSilent, CDS, ECDS, LDS, RDS, setUp } from './xds-scene.ts';

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
  assert.equal(await accept(stream), 'cds a@1 b@1 -x');
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

test('42. a name that does not exist is removed once, and sent when it is created', async t => {
  const { open, set } = await setUp(t, {});
  const stream = open().ask(RDS, ['r']);
  assert.equal(await accept(stream), 'rds -r');
  await assertSilent(stream);
  set({ routes: 'r@1' });
  assert.equal(await accept(stream), 'rds r@1');
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
