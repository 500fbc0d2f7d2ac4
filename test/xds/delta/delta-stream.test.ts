import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyCapability } from '../../../src/model/module-fetch.ts';
import type { NodePresence } from '../../../src/model/node.ts';
import type { NodeVerdict } from '../../../src/model/node-verdict.ts';
import { silentLog } from '../../../src/model/ports.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import {
  CLUSTER_TYPE,
  EXTENSION_CONFIG_TYPE,
  LISTENER_TYPE,
  XDS_TYPES,
} from '../../../src/model/type-url.ts';
import { DeltaStream } from '../../../src/xds/delta/delta-stream.ts';
import { decodeDeltaRequest } from '../../../src/xds/discovery-codec.ts';
import { NodeRecorder } from '../../../src/xds/node-recorder.ts';
import { ProcessRegistry } from '../../../src/xds/process-registry.ts';
import { toVersion } from '../../../src/xds/push/attempt.ts';
import { readSlot, snapshotOf } from '../model/content.ts';
import { type DeltaMessage, decodeResponse, encodeRequest } from '../model/envoy-model.ts';
import { FakeClock } from '../model/fake-clock.ts';
import { refusalOf, toContent, toPart } from '../push/slot-story.ts';

const NODE = {
  id: 'edge-1',
  cluster: '',
  namespace: 'default',
  labels: {},
  zone: '',
  envoyVersion: '1.40.0',
  capabilities: { filterChain: true, wasm: true, failReload: true },
  bootstrap: {},
};
const KEY = Buffer.alloc(32, 7);
const SLOT = 'attache.authn/l1';
const versionOf = (content: string): string => toVersion(toContent(content).contentHash, 'verdict');

interface World {
  /** Slot to content; listeners with their version. */
  readonly slots?: Record<string, string>;
  readonly listeners?: Record<string, string>;
}

function toSnapshot({ slots = {}, listeners = {} }: World): Snapshot {
  return snapshotOf({
    slots: new Map(
      Object.entries(slots).map(([slot, content]) => {
        const parts = content.split(' ').filter(Boolean).map(toPart);
        return [slot, { wanted: parts, good: [] }];
      }),
    ),
    listeners: new Map(
      Object.entries(listeners).map(([name, version]) => {
        const own = Object.keys(slots).filter(slot => slot.endsWith(`/${name}`));
        return [name, { version, slots: own }];
      }),
    ),
  });
}

/** A real stream of a real process; the test is the Envoy. */
class StreamStory {
  readonly clock = new FakeClock();
  readonly records = new Map<string, unknown>();
  readonly registry = new ProcessRegistry();
  readonly process = this.registry.attach(NODE, true, () => '00000000000000aa');
  readonly #recorder: NodeRecorder;
  #stream: DeltaStream;
  #sent: ReturnType<typeof decodeResponse>[] = [];
  #hex = 0;

  constructor() {
    const writer = {
      put: (kind: string, key: string, value: unknown) => this.records.set(`${kind} ${key}`, value),
      delete: () => {},
      afterWrite: (callback: () => void) => callback(),
    };
    this.#recorder = new NodeRecorder(writer, bytes => this.#random(bytes), [], []);
    this.#recorder.connected(NODE, this.process, this.clock.now());
    this.#stream = this.#open();
  }

  reconnect(): this {
    this.#stream.close();
    this.registry.detach(this.process);
    assert.equal(
      this.registry.attach(NODE, false, () => 'never'),
      this.process,
    );
    this.#recorder.connected(NODE, this.process, this.clock.now());
    this.#stream = this.#open();
    return this;
  }

  close(): this {
    this.#stream.close();
    return this;
  }

  exist(world: World): this {
    this.#stream.onSnapshot(toSnapshot(world));
    return this;
  }

  send(message: DeltaMessage): this {
    this.#stream.onRequest(decodeDeltaRequest(encodeRequest(message, NODE.id)));
    return this;
  }

  ask(typeUrl: string, versions: Record<string, string> = {}, subscribe: readonly string[] = []): this {
    return this.send({ typeUrl, subscribe, initialVersions: new Map(Object.entries(versions)) });
  }

  /** All responses since the last call. */
  take(): ReturnType<typeof decodeResponse>[] {
    return this.#sent.splice(0);
  }

  /** The one response since the last call. */
  one(): ReturnType<typeof decodeResponse> {
    const sent = this.take();
    assert.equal(sent.length, 1, `responses: ${sent.map(it => it.typeUrl).join(' ')}`);
    return sent[0]!;
  }

  answer(response: { typeUrl: string; nonce: string }, nack?: string): this {
    const { typeUrl, nonce } = response;
    return this.send({ typeUrl, responseNonce: nonce, ...(nack === undefined ? {} : { errorDetail: nack }) });
  }

  /** ACKs everything until it is quiet; what came, in words. */
  settle(): string[] {
    const story: string[] = [];
    for (let sent = this.take(); sent.length > 0; sent = this.take())
      for (const response of sent) {
        story.push(describe(response));
        this.answer(response);
      }
    return story;
  }

  get(part: string, state: 'started' | 'sent' | 'failed', id = 1): this {
    const moduleSha256 = toPart(part).module;
    this.#stream.onFetch({
      process: this.process.id,
      moduleSha256,
      tag: '',
      id,
      state,
      at: this.clock.now(),
    });
    return this;
  }

  verdict(slot = SLOT): NodeVerdict | undefined {
    return this.records.get(`NodeVerdict ${NODE.id}\n${slot}`) as NodeVerdict | undefined;
  }

  presence(): NodePresence | undefined {
    return this.records.get(`NodePresence ${NODE.id}`) as NodePresence | undefined;
  }

  #open(): DeltaStream {
    const context = {
      clock: this.clock,
      random: (bytes: number) => this.#random(bytes),
      log: silentLog,
      recorder: this.#recorder,
      moduleKey: KEY,
    };
    return new DeltaStream(this.process, context, bytes => this.#sent.push(decodeResponse(bytes)));
  }

  #random(bytes: number): string {
    return (++this.#hex).toString(16).padStart(bytes * 2, '0');
  }
}

/** `lds l1@1`, `ecds attache.authn/l1: verdict a@1`, `cds -old` */
function describe(response: ReturnType<typeof decodeResponse>): string {
  const short = XDS_TYPES.find(type => type.typeUrl === response.typeUrl)?.short ?? response.typeUrl;
  const named = response.resources.map(({ name, version, any }) => {
    if (short !== 'ecds') return `${name}@${version}`;
    const { variant, parts } = readSlot(any);
    const chain = parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`).join(' ');
    return `${name}: ${variant} ${chain || 'pass-through'}`;
  });
  return [short, ...named, ...response.removed.map(name => `-${name}`)].join(' ');
}

function settled(content = 'a@1'): StreamStory {
  const story = new StreamStory().exist({ slots: { [SLOT]: content }, listeners: { l1: '1' } });
  story.ask(CLUSTER_TYPE).ask(LISTENER_TYPE).settle();
  story.ask(EXTENSION_CONFIG_TYPE, {}, [SLOT]).settle();
  story.clock.run(1100);
  story.settle();
  assert.equal(story.verdict()?.state, 'accepted');
  return story;
}

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
