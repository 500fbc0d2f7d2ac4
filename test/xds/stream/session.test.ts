import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyCapability } from '../../../src/model/module-fetch.ts';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { readSlot } from '../model/content.ts';
import { refusalOf, toPart } from '../push/slot-story.ts';
import { describe, KEY, SLOT, StreamStory, settled, versionOf } from './session-story.ts';

test('an Envoy that answers nothing is silent after five seconds, and no more when it answers or goes', () => {
  const story = new StreamStory().exist({ listeners: { l1: '1' } }).ask(LISTENER_TYPE);
  const sent = story.one();
  const at = story.clock.now();
  story.clock.run(4_999);
  assert.equal(story.presence()?.silentSince, undefined);
  story.clock.run(2);
  assert.equal(story.presence()?.silentSince, at);
  assert.equal(story.answer(sent).presence()?.silentSince, undefined);
});

test('a new Envoy gets clusters, then listeners, then what it asks for: warming first, then the verdict form', () => {
  const story = new StreamStory().exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '1' } });
  story.ask(CLUSTER_TYPE).ask(LISTENER_TYPE);
  assert.deepEqual(story.settle(), ['cds attache_modules@1', 'lds l1@1']);
  story.ask(EXTENSION_CONFIG_TYPE, {}, [SLOT]);
  assert.deepEqual(story.settle(), [`ecds ${SLOT}: warming a@1`]);
  story.get('a@1', 'started').get('a@1', 'sent');
  assert.deepEqual(story.settle(), [`ecds ${SLOT}: verdict a@1`]);
  assert.equal(story.verdict()?.state, 'accepted');
});

test('19. nothing is sent before a snapshot is there', () => {
  const story = new StreamStory().ask(CLUSTER_TYPE).ask(LISTENER_TYPE).ask(EXTENSION_CONFIG_TYPE, {}, [SLOT]);
  assert.deepEqual(story.take(), []);
  story.exist({ slots: { [SLOT]: 'a@1' } });
  assert.match(story.settle().join('\n'), /^cds attache_modules@1\nlds\necds/);
});

test('3. a request without a type URL ends the stream', () => {
  assert.throws(() => new StreamStory().send({ typeUrl: '' }), { code: 'type-url-missing' });
});

test('15. a type that is not served gets silence, and the stream goes on', () => {
  const story = new StreamStory().exist({});
  story.ask('type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration', {}, ['*']);
  assert.deepEqual(story.take(), []);
  assert.deepEqual(story.ask(CLUSTER_TYPE).settle(), ['cds attache_modules@1']);
});

test('4. nonces are never empty and never the same, over all types of the stream', () => {
  const story = new StreamStory().exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '1' } });
  const nonces: string[] = [];
  story.ask(CLUSTER_TYPE).ask(LISTENER_TYPE).ask(EXTENSION_CONFIG_TYPE, {}, [SLOT]);
  for (let sent = story.take(); sent.length > 0; sent = story.take())
    for (const response of sent) {
      nonces.push(response.nonce);
      story.answer(response);
    }
  assert.equal(nonces.length, 3);
  assert.equal(new Set(nonces).size, 3);
  assert.ok(nonces.every(nonce => nonce !== ''));
});

test('51. an extension config comes alone in its response, and the next after its answer', () => {
  const other = 'attache.stats/l1';
  const story = settled().ask(EXTENSION_CONFIG_TYPE, {}, [other]);
  story.settle();
  story.exist({ slots: { [SLOT]: 'a@2', [other]: 'b@1' }, listeners: { l1: '1' } });
  const first = story.one();
  assert.equal(describe(first), `ecds ${SLOT}: verdict a@2`);
  story.answer(first);
  assert.equal(describe(story.one()), `ecds ${other}: verdict b@1`);
});

test('5. an answer to another type with the nonce of an extension config is not its answer', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  const push = story.one();
  story.answer({ typeUrl: CLUSTER_TYPE, nonce: push.nonce });
  assert.equal(story.verdict()?.state, 'sent');
  story.answer(push);
  assert.equal(story.verdict()?.state, 'accepted');
});

test('6. a nonce of a former stream is no answer', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  const push = story.one();
  story.reconnect().exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  story.send({
    typeUrl: EXTENSION_CONFIG_TYPE,
    subscribe: [SLOT],
    initialVersions: new Map([[SLOT, versionOf('a@1')]]),
    responseNonce: push.nonce,
    errorDetail: refusalOf('a'),
  });
  assert.equal(describe(story.one()), `ecds ${SLOT}: verdict a@2`);
});

test('10. an answer that also changes names has both honoured', () => {
  const other = 'attache.stats/l1';
  const story = settled().exist({ slots: { [SLOT]: 'a@2', [other]: 'b@1' }, listeners: { l1: '1' } });
  const { nonce } = story.one();
  story.send({ typeUrl: EXTENSION_CONFIG_TYPE, subscribe: [other], responseNonce: nonce });
  assert.deepEqual(story.settle(), [`ecds ${other}: warming b@1`]);
  assert.equal(story.verdict()?.state, 'accepted');
});

test('43. a slot that nobody wants gets a pass-through; no response ever removes an extension config', () => {
  const story = settled();
  story.exist({ listeners: { l1: '1' } });
  assert.deepEqual(story.settle(), [`ecds ${SLOT}: verdict pass-through`]);
  story.send({ typeUrl: EXTENSION_CONFIG_TYPE, unsubscribe: [SLOT] });
  assert.deepEqual(story.take(), []);
});

test('every module URL carries the capability of this process for this module, and a tag', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  const { capability } = readSlot(story.one().resources[0]!.any);
  const proven = verifyCapability([KEY], capability, toPart('a@2').module);
  assert.equal(proven?.process, story.process.id);
  assert.equal(verifyCapability([KEY], capability, toPart('a@1').module), undefined);
});

test('3. miss: NACK and a GET, the same content again after the download', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  const push = story.one();
  story.get('a@2', 'started').answer(push, refusalOf('a'));
  assert.equal(story.verdict()?.state, 'fetching');
  assert.deepEqual(story.take(), []);
  story.get('a@2', 'sent');
  const again = story.one();
  assert.equal(describe(again), `ecds ${SLOT}: verdict a@2`);
  assert.notDeepEqual(again.resources[0]!.any, push.resources[0]!.any);
  assert.equal(story.answer(again).verdict()?.state, 'accepted');
});

test('3. refusal: probed, confirmed, recorded with the text of Envoy, and the last good comes back', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  story.answer(story.one(), `${refusalOf('a')}\n`);
  story.clock.run(1002);
  const probe = story.one();
  assert.equal(describe(probe), `ecds ${SLOT}: verdict probe@0`);
  story.get('probe@0', 'started', 5).get('probe@0', 'failed', 5).answer(probe, refusalOf('probe'));
  story.answer(story.one(), refusalOf('a'));
  story.clock.run(1002);
  assert.equal(story.verdict()?.state, 'refused');
  assert.equal(story.verdict()?.refused?.message, refusalOf('a'));
  assert.deepEqual(story.settle(), [`ecds ${SLOT}: verdict a@1`]);
  assert.equal(story.verdict()?.refused?.healed, true);
});

test('7. a listener that Envoy has is not changed while a slot of it is un-ACKed; clusters and others are', () => {
  const story = settled();
  story.exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  const push = story.one();
  story.exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '2', l2: '1' } });
  assert.deepEqual(story.settle(), ['lds l2@1']);
  story.answer(push);
  assert.deepEqual(story.settle(), ['lds l1@2']);
});

test('7. a listener refused over a plugin, with a GET: the same bytes after the download', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '2' } });
  const push = story.one();
  story.get('a@1', 'started', 9);
  story.answer(push, `Error adding/updating listener(s) l1: ${refusalOf('a')}\n`);
  assert.deepEqual(story.take(), []);
  assert.equal(story.presence()?.nacks[0]?.name, 'l1');
  story.get('a@1', 'sent', 9);
  const again = story.one();
  assert.deepEqual(again.resources, push.resources);
  story.answer(again);
  assert.deepEqual(story.presence()?.nacks, []);
});

test('7. a listener refused over a plugin, without a GET: its slots are healed, then the same bytes', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '2' } });
  story.answer(story.one(), `Error adding/updating listener(s) l1: ${refusalOf('a')}`);
  story.clock.run(1002);
  assert.deepEqual(story.settle(), [`ecds ${SLOT}: verdict a@1`, 'lds l1@2']);
});

test('8. a listener refused for its own fault is recorded and not sent again', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '2' } });
  const text = 'Error adding/updating listener(s) l1: error adding listener: no such cluster';
  story.answer(story.one(), `${text}\n`);
  story.clock.run(120_000);
  assert.deepEqual(story.take(), []);
  const [nack, ...more] = story.presence()?.nacks ?? [];
  assert.deepEqual(
    [nack?.typeUrl, nack?.name, nack?.version, nack?.message],
    [LISTENER_TYPE, 'l1', '2', text],
  );
  assert.equal(more.length, 0);
});

test('9. the next version of a refused listener is sent, and its ACK clears the record', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '2' } });
  story.answer(story.one(), 'Error adding/updating listener(s) l1: bad');
  story.exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '3' } });
  assert.deepEqual(story.settle(), ['lds l1@3']);
  assert.deepEqual(story.presence()?.nacks, []);
});

test('5. a reconnect that brings what is wanted gets no response that carries resources', () => {
  const story = settled()
    .reconnect()
    .exist({ slots: { [SLOT]: 'a@1' }, listeners: { l1: '1' } });
  story.ask(CLUSTER_TYPE, { attache_modules: '1' }).ask(LISTENER_TYPE, { l1: '1' });
  story.ask(EXTENSION_CONFIG_TYPE, { [SLOT]: versionOf('a@1') }, [SLOT]);
  assert.deepEqual(story.take(), []);
});

test('17. after its end a stream sends nothing and keeps no timer, whatever comes', () => {
  const story = settled().exist({ slots: { [SLOT]: 'a@2' }, listeners: { l1: '1' } });
  story.answer(story.one(), refusalOf('a')).close().close();
  story.exist({ slots: { [SLOT]: 'a@3' }, listeners: { l1: '2' } });
  story.clock.run(120_000);
  assert.deepEqual(story.take(), []);
  assert.equal(story.verdict()?.refused, null);
});
