/** A session of a real process on a fake clock; the test is the Envoy. */
import assert from 'node:assert/strict';
import { type Meter, silentMeter } from '../../../src/model/meter.ts';
import type { NodePresence } from '../../../src/model/node.ts';
import { SILENT_AFTER_MS } from '../../../src/model/node.ts';
import type { NodeVerdict } from '../../../src/model/node-verdict.ts';
import { silentLog } from '../../../src/model/ports.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import {
  CLUSTER_TYPE,
  EXTENSION_CONFIG_TYPE,
  LISTENER_TYPE,
  XDS_TYPES,
} from '../../../src/model/type-url.ts';
import { DelayLine } from '../../../src/xds/delay-line.ts';
import { decodeDeltaRequest } from '../../../src/xds/delta/messages.ts';
import { NodeRecorder } from '../../../src/xds/node-recorder.ts';
import { ProcessRegistry } from '../../../src/xds/process-registry.ts';
import { toVersion } from '../../../src/xds/push/attempt.ts';
import { FleetSteps } from '../../../src/xds/push/fleet-steps.ts';
import type { Channel } from '../../../src/xds/stream/channel.ts';
import { Session } from '../../../src/xds/stream/session.ts';
import type { Overdue } from '../../../src/xds/stream/stream-context.ts';
import { readSlot, snapshotOf } from '../model/content.ts';
import { type DeltaMessage, decodeResponse, encodeRequest } from '../model/envoy-model.ts';
import { FakeClock } from '../model/fake-clock.ts';
import { messageOf } from '../model/message-of.ts';
import { toContent, toPart } from '../push/slot-story.ts';

export const NODE = {
  id: 'edge-1',
  cluster: '',
  namespace: 'default',
  labels: {},
  zone: '',
  envoyVersion: '1.40.0',
  capabilities: { filterChain: true, wasm: true, failReload: true },
  bootstrap: {},
};
export const KEY = Buffer.alloc(32, 7);
export const SLOT = 'attache.authn/l1';
export const versionOf = (content: string): string => toVersion(toContent(content).contentHash, 'verdict');

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
export class StreamStory {
  readonly clock = new FakeClock();
  readonly records = new Map<string, unknown>();
  /** What was counted, in words: `ack ecds`, `nack ecds refused`, `converged 2`. */
  readonly counted: string[] = [];
  readonly registry = new ProcessRegistry();
  readonly process = this.registry.attach(NODE, true, () => '00000000000000aa');
  readonly #recorder: NodeRecorder;
  #stream: Session;
  #channel!: Channel;
  #sent: ReturnType<typeof decodeResponse>[] = [];
  #hex = 0;

  constructor() {
    const writer = {
      put: (kind: string, key: string, value: unknown) => this.records.set(`${kind} ${key}`, value),
      delete: () => {},
      afterWrite: (callback: () => void) => callback(),
    };
    this.#recorder = new NodeRecorder(writer, this.clock, bytes => this.#random(bytes), [], []);
    this.#recorder.connected(NODE, this.process, this.clock.now());
    this.#stream = this.#open();
  }

  reconnect(): this {
    this.#stream.close(this.#channel);
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
    this.#stream.close(this.#channel);
    return this;
  }

  exist(world: World): this {
    this.#stream.onSnapshot(toSnapshot(world));
    return this;
  }

  send(message: DeltaMessage): this {
    this.#stream.onRequest(this.#channel, decodeDeltaRequest(encodeRequest(message, NODE.id)));
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

  /** Written, or about to be. */
  verdict(slot = SLOT): NodeVerdict | undefined {
    return this.#recorder.verdict(NODE.id, slot);
  }

  presence(): NodePresence | undefined {
    return this.records.get(`NodePresence ${NODE.id}`) as NodePresence | undefined;
  }

  #open(): Session {
    const context = {
      clock: this.clock,
      steps: new FleetSteps(bytes => this.#random(bytes)),
      silence: new DelayLine<Overdue>(this.clock, SILENT_AFTER_MS, session => session.onOverdue()),
      log: silentLog,
      meter: this.#meter(),
      recorder: this.#recorder,
      moduleKey: KEY,
      mostNames: 1000,
    };
    const session = new Session(this.process, context);
    this.#channel = session.open('delta', undefined, frame =>
      this.#sent.push(decodeResponse(messageOf(frame))),
    );
    return session;
  }

  #meter(): Meter {
    const note = (what: string, typeUrl: string, reason = ''): void => {
      const short = XDS_TYPES.find(type => type.typeUrl === typeUrl)?.short;
      this.counted.push(`${what} ${short} ${reason}`.trim());
    };
    return {
      ...silentMeter,
      pushed: typeUrl => note('push', typeUrl),
      acked: typeUrl => note('ack', typeUrl),
      nacked: (typeUrl, reason) => note('nack', typeUrl, reason),
      converged: seconds => this.counted.push(`converged ${seconds}`),
    };
  }

  #random(bytes: number): string {
    return (++this.#hex).toString(16).padStart(bytes * 2, '0');
  }
}

/** `lds l1@1`, `ecds attache.authn/l1: verdict a@1`, `cds -old` */
export function describe(response: ReturnType<typeof decodeResponse>): string {
  const short = XDS_TYPES.find(type => type.typeUrl === response.typeUrl)?.short ?? response.typeUrl;
  const named = response.resources.map(({ name, version, any }) => {
    if (short !== 'ecds') return `${name}@${version}`;
    const { variant, parts } = readSlot(any);
    const chain = parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`).join(' ');
    return `${name}: ${variant} ${chain || 'pass-through'}`;
  });
  return [short, ...named, ...response.removed.map(name => `-${name}`)].join(' ');
}

export function settled(content = 'a@1'): StreamStory {
  const story = new StreamStory().exist({ slots: { [SLOT]: content }, listeners: { l1: '1' } });
  story.ask(CLUSTER_TYPE).ask(LISTENER_TYPE).settle();
  story.ask(EXTENSION_CONFIG_TYPE, {}, [SLOT]).settle();
  story.clock.run(1100);
  story.settle();
  assert.equal(story.verdict()?.state, 'accepted');
  return story;
}
