/** A process with any number of streams, each in its form and for one type or all; the test is the Envoy. */
import assert from 'node:assert/strict';
import protobuf from 'protobufjs/minimal.js';
import { silentMeter } from '../../../src/model/meter.ts';
import { SILENT_AFTER_MS } from '../../../src/model/node.ts';
import { silentLog } from '../../../src/model/ports.ts';
import type { EncodedResource } from '../../../src/model/resource.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE, XDS_TYPES } from '../../../src/model/type-url.ts';
import { DelayLine } from '../../../src/xds/delay-line.ts';
import { decodeDeltaRequest } from '../../../src/xds/delta/messages.ts';
import { NodeRecorder } from '../../../src/xds/node-recorder.ts';
import { type Process, ProcessRegistry } from '../../../src/xds/process-registry.ts';
import { FleetSteps } from '../../../src/xds/push/fleet-steps.ts';
import { decodeSotwRequest } from '../../../src/xds/sotw/messages.ts';
import type { Channel, ProtocolForm } from '../../../src/xds/stream/channel.ts';
import { Session } from '../../../src/xds/stream/session.ts';
import type { Overdue } from '../../../src/xds/stream/stream-context.ts';
import { readSlot, snapshotOf } from '../model/content.ts';
import { type DeltaMessage, decodeResponse, encodeRequest } from '../model/envoy-model.ts';
import { FakeClock } from '../model/fake-clock.ts';
import { messageOf } from '../model/message-of.ts';
import { decodeSotwResponse, encodeSotwRequest, type SotwMessage } from '../model/sotw-wire.ts';
import { toPart } from '../push/slot-story.ts';
import { toResources } from '../sotw/type-story.ts';
import { NODE } from './session-story.ts';

export interface World {
  /** By the short name of its type: `{cds: 'a@1 b@1'}`. */
  readonly resources?: Readonly<Record<string, string>>;
  /** Clusters among them whose endpoints come by EDS. */
  readonly eds?: readonly string[];
  /** Slot to content. */
  readonly slots?: Readonly<Record<string, string>>;
  /** Listener to the slots that it holds. */
  readonly holds?: Readonly<Record<string, readonly string[]>>;
}

export const typeUrlOf = (short: string): string =>
  XDS_TYPES.find(type => type.short === short)?.typeUrl ?? assert.fail(short);

function toSnapshot({ resources = {}, eds = [], slots = {}, holds = {} }: World): Snapshot {
  const parts = Object.entries(slots).map(([slot, content]) => {
    const wanted = content.split(' ').filter(Boolean).map(toPart);
    return [slot, { wanted, good: [] }] as const;
  });
  return {
    ...snapshotOf({ slots: new Map(parts), listeners: new Map() }),
    resources: new Map(
      Object.entries(resources).map(([short, text]) => [
        typeUrlOf(short),
        withEndpoints(toResources(text, typeUrlOf(short)), short === 'cds' ? eds : []),
      ]),
    ),
    listenerSlots: new Map(
      Object.entries(holds).map(([name, held]) => [name, { slots: held, fetchTimeoutMs: 0 }]),
    ),
  };
}

function withEndpoints(
  resources: ReadonlyMap<string, EncodedResource>,
  eds: readonly string[],
): ReadonlyMap<string, EncodedResource> {
  return new Map(
    [...resources].map(([name, it]) => {
      const any = eds.includes(name) ? toEdsCluster(name, it.version) : it.any;
      return [name, { ...it, any }];
    }),
  );
}

/** A google.protobuf.Any with a Cluster of type EDS; alt_stat_name says what it is. */
export function toEdsCluster(name: string, version: string, serviceName?: string): Uint8Array {
  const cluster = protobuf.Writer.create().uint32(10).string(name).uint32(16).int32(3);
  if (serviceName !== undefined) cluster.uint32(26).fork().uint32(18).string(serviceName).ldelim();
  cluster.uint32(226).string(`${name}@${version}`);
  return protobuf.Writer.create()
    .uint32(10)
    .string(typeUrlOf('cds'))
    .uint32(18)
    .bytes(cluster.finish())
    .finish();
}

export class ManyStreamsStory {
  readonly clock = new FakeClock();
  readonly process: Process;
  readonly #session: Session;
  #hex = 0;

  constructor({ fresh = true, denies = false }: { fresh?: boolean; denies?: boolean } = {}) {
    const node = { ...NODE, bootstrap: denies ? ({ unanswered: 'deny' } as const) : {} };
    this.process = new ProcessRegistry().attach(node, fresh, () => '00000000000000aa');
    const writer = { put: () => {}, delete: () => {}, afterWrite: (callback: () => void) => callback() };
    const random = (bytes: number): string => (++this.#hex).toString(16).padStart(bytes * 2, '0');
    const recorder = new NodeRecorder(writer, this.clock, random, [], []);
    recorder.connected(node, this.process, this.clock.now());
    const steps = new FleetSteps(random);
    const silence = new DelayLine<Overdue>(this.clock, SILENT_AFTER_MS, session => session.onOverdue());
    const parts = { clock: this.clock, log: silentLog, meter: silentMeter, recorder, steps, silence };
    const context = { ...parts, moduleKey: Buffer.alloc(32, 7), mostNames: 1000 };
    this.#session = new Session(this.process, context);
  }

  /** A stream for one type, by its short name; without one, for all types. */
  open(form: ProtocolForm, short?: string): OneStream {
    return new OneStream(this.#session, form, short === undefined ? undefined : typeUrlOf(short));
  }

  /** One that ACKs what comes before whoever sent it can do anything else. */
  openInstant(form: ProtocolForm): OneStream {
    return new OneStream(this.#session, form, undefined, true);
  }

  exist(world: World): this {
    this.#session.onSnapshot(toSnapshot(world));
    return this;
  }
}

interface Answerable {
  readonly typeUrl: string;
  readonly nonce: string;
  /** What it brings, as `cds a@1 -b`. */
  readonly text: string;
}

export class OneStream {
  readonly #session: Session;
  readonly #channel: Channel;
  readonly #form: ProtocolForm;
  readonly #sent: Answerable[] = [];
  /** Of the last response of each type, and what a client of the state of the world says in each request. */
  readonly #names = new Map<string, readonly string[]>();
  versionInfo = '';

  constructor(session: Session, form: ProtocolForm, typeUrl: string | undefined, instant = false) {
    this.#session = session;
    this.#form = form;
    this.#channel = session.open(form, typeUrl, frame => {
      const response = this.#read(messageOf(frame));
      this.#sent.push(response);
      if (instant) this.answer(response);
    });
  }

  /** In the state of the world the names are all that are asked for. */
  ask(short: string, names: readonly string[] = [], says: { version?: string; nonce?: string } = {}): this {
    this.#names.set(typeUrlOf(short), names);
    return this.#form === 'delta'
      ? this.delta({ typeUrl: typeUrlOf(short), subscribe: names })
      : this.sotw({
          typeUrl: typeUrlOf(short),
          names,
          versionInfo: says.version ?? '',
          responseNonce: says.nonce ?? '',
        });
  }

  delta(message: DeltaMessage): this {
    this.#session.onRequest(this.#channel, decodeDeltaRequest(encodeRequest(message, NODE.id)));
    return this;
  }

  sotw(message: SotwMessage): this {
    this.#session.onRequest(this.#channel, decodeSotwRequest(encodeSotwRequest(message, NODE.id)));
    return this;
  }

  /** What came since the last call, unanswered. */
  take(): readonly Answerable[] {
    return this.#sent.splice(0);
  }

  answer({ typeUrl, nonce }: Answerable, errorDetail?: string): this {
    const error = errorDetail === undefined ? {} : { errorDetail };
    if (this.#form === 'delta') return this.delta({ typeUrl, responseNonce: nonce, ...error });
    const names = this.#names.get(typeUrl) ?? [];
    const { versionInfo } = this;
    return this.sotw({ typeUrl, names, versionInfo, responseNonce: nonce, ...error });
  }

  /** ACKs everything until it is quiet; what came, in words. */
  settle(): readonly string[] {
    const story: string[] = [];
    for (let sent = this.take(); sent.length > 0; sent = this.take())
      for (const response of sent) {
        story.push(response.text);
        this.answer(response);
      }
    return story;
  }

  close(): void {
    this.#session.close(this.#channel);
  }

  #read(bytes: Uint8Array): Answerable {
    const isDelta = this.#form === 'delta';
    const { typeUrl, nonce, ...delta } = decodeResponse(isDelta ? bytes : new Uint8Array());
    if (isDelta) {
      const removed = delta.removed.map(name => `-${name}`);
      const texts = [...delta.resources.map(it => this.#describe(typeUrl, it.any)), ...removed];
      return { typeUrl, nonce, text: [shortOf(typeUrl), ...texts].join(' ') };
    }
    const sotw = decodeSotwResponse(bytes);
    this.versionInfo = sotw.versionInfo;
    const texts = sotw.resources.map(any => this.#describe(sotw.typeUrl, any));
    return { typeUrl: sotw.typeUrl, nonce: sotw.nonce, text: [shortOf(sotw.typeUrl), ...texts].join(' ') };
  }

  #describe(typeUrl: string, any: Uint8Array): string {
    if (typeUrl !== EXTENSION_CONFIG_TYPE) return /\w+@\d+$/.exec(Buffer.from(any).toString())?.[0] ?? '?';
    const { slot, variant, parts } = readSlot(any);
    const chain = parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`).join(' ');
    return `${slot}: ${variant} ${chain || 'pass-through'}`;
  }
}

const shortOf = (typeUrl: string): string => XDS_TYPES.find(type => type.typeUrl === typeUrl)?.short ?? '?';
