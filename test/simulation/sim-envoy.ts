import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import type { DiscoveryStream } from '../../src/xds/ads-service.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import type { Part } from '../xds/model/content.ts';
import { type DeltaMessage, EnvoyModel } from '../xds/model/envoy-model.ts';
import type { FakeClock } from '../xds/model/fake-clock.ts';
import { SotwMouth } from '../xds/model/sotw-mouth.ts';
import { encodeSotwRequest } from '../xds/model/sotw-wire.ts';
import type { Chance } from './chance.ts';
import {
  encodeNode,
  encodeRequest,
  type NodeFacts,
  PROBE_MODULE,
  readListener,
  readPlace,
  readResponse,
  toModelResponse,
  type WireResponse,
  wireReader,
} from './envoy-bytes.ts';
import type { Plant } from './plant.ts';
import type { SimClock } from './sim-clock.ts';
import type { Wire } from './wire.ts';

/** What an Envoy of the story finds around it. */
export interface Surroundings {
  readonly clock: SimClock;
  readonly chance: Chance;
  readonly wire: Wire;
  plant(): Plant | undefined;
  nextFetchId(): number;
  refuses(node: string, part: Part): boolean;
  violated(rule: string, node: string, detail: string): void;
}

/** off: the port cannot be reached. broken: no body comes whole. */
export type Fetching = 'good' | 'off' | 'broken' | 'slow';

const DAY_MS = 25 * 3_600_000;
/** What Attaché pushed so shortly before it was killed it may not have recorded (docs/push-protocol.md, "Across restarts"). */
const RECORDED_MS = 200;

/**
 * An Envoy of a story: test/xds/model's Envoy behind real bytes, on a line with delays, with all that can happen to
 * a node. It comes back by itself, as an Envoy does.
 */
export class SimEnvoy {
  readonly facts: NodeFacts;
  readonly #form: ProtocolForm;
  readonly #world: Surroundings;
  readonly #node: Uint8Array;
  #model: EnvoyModel;
  /** For the state of the world. */
  #mouth = new SotwMouth(wireReader);
  #stream: DiscoveryStream | undefined;
  /** Tells a line from the one before it. */
  #line = 0;
  #inAt = 0;
  #outAt = 0;
  #withNode = true;
  #held: (() => void)[] | undefined;
  /** How far its code cache is ahead of time. */
  #aheadMs = 0;
  #cancelRetry: () => void = () => {};
  /** Off: it is not there, and does not come back by itself. */
  #isOn = false;
  #modules: Fetching = 'good';
  /** When a place was pushed last; and whether Attaché may know nothing of it, until the next answer about a place. */
  #pushedAt = Number.NEGATIVE_INFINITY;
  #isForgotten = false;

  constructor(facts: NodeFacts, form: ProtocolForm, world: Surroundings) {
    this.facts = facts;
    this.#form = form;
    this.#world = world;
    this.#node = encodeNode(facts);
    this.#model = this.#newModel();
  }

  get id(): string {
    return this.facts.id;
  }

  /** It has a stream. */
  get isConnected(): boolean {
    return this.#stream !== undefined;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  get isSilent(): boolean {
    return this.#held !== undefined;
  }

  /** What runs in its places. */
  running(): readonly Part[] {
    return [...this.#model.slots.values()].flatMap(slot => slot.active ?? []);
  }

  start(): void {
    this.#isOn = true;
    this.#retry(0);
  }

  /** The line breaks; the Envoy goes on, and comes back after `backMs`. */
  cut(backMs: number): void {
    this.#close();
    this.#retry(backMs);
  }

  /** The line breaks until `start`. */
  unplug(): void {
    this.#isOn = false;
    this.#cancelRetry();
    this.#close();
  }

  /** It ends, and a new one begins after `backMs`. */
  restart(backMs: number): void {
    this.#model.kill();
    this.#close();
    this.#model = this.#newModel();
    this.#mouth = new SotwMouth(wireReader);
    this.#retry(backMs);
  }

  /** It neither hears nor says anything, although its line stands. */
  silence(): void {
    this.#held ??= [];
  }

  wake(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) deliver();
  }

  /** How its GETs fare from now on. */
  meetModules(way: Fetching): void {
    this.#modules = way;
  }

  /** Its code cache forgets what was not used for a day. */
  forget(): void {
    this.#aheadMs += DAY_MS;
    this.#model.sweep();
  }

  /** Attaché's process ended. */
  lose(): void {
    this.#isForgotten ||= this.#world.clock.now() - this.#pushedAt < RECORDED_MS;
    this.#close();
    if (this.#isOn) this.#retry(this.#world.chance.integer(20, 3000));
  }

  #retry(delayMs: number): void {
    this.#cancelRetry();
    this.#cancelRetry = this.#world.clock.after(delayMs, () => this.#connect());
  }

  #connect(): void {
    if (!this.#isOn || this.#stream !== undefined) return;
    const line = ++this.#line;
    const stream = this.#world.plant()?.open(this.#form, bytes => this.#onSent(line, bytes));
    if (stream === undefined) {
      this.#retry(this.#world.chance.integer(200, 5000));
      return;
    }
    this.#stream = stream;
    this.#withNode = true;
    this.#inAt = this.#outAt = this.#world.clock.now();
    this.#mouth.connect();
    this.#model.connect();
    if (this.#model.slots.size === 0 && this.#mouth.hasAskedForPlaces)
      this.#request({ typeUrl: EXTENSION_CONFIG_TYPE, subscribe: [], initialVersions: new Map() });
  }

  #close(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#line += 1;
    if (stream === undefined) return;
    this.#held = undefined;
    this.#world.wire.see({ type: 'closed', node: this.id });
    stream.close();
  }

  /** Attaché sent something: it is on the wire now, and arrives a little later. */
  #onSent(line: number, bytes: Buffer): void {
    if (line !== this.#line) return;
    const changes = this.#form === 'delta' ? undefined : this.#mouth.toChanges(bytes, this.#model.listeners);
    const response = changes ?? readResponse(bytes);
    this.#see(response);
    this.#inAt = Math.max(this.#inAt, this.#world.clock.now() + this.#world.chance.integer(1, 5));
    this.#after(this.#inAt, line, () => {
      if (changes !== undefined) this.#mouth.receive(changes);
      this.#model.onResponse(toModelResponse(response));
    });
  }

  #see({ typeUrl, resources, removed }: WireResponse): void {
    const { wire } = this.#world;
    const node = this.id;
    if (typeUrl === LISTENER_TYPE) {
      const listeners = resources.map(({ name, version, any }) => ({
        name,
        version,
        places: readListener(any),
      }));
      wire.see({ type: 'listeners', node, listeners, removed });
    } else if (typeUrl === EXTENSION_CONFIG_TYPE) {
      this.#pushedAt = this.#world.clock.now();
      for (const { name, version, any } of resources)
        wire.see({ type: 'place', node, place: name, version, content: readPlace(any) });
    } else wire.see({ type: 'other', node, names: resources.map(({ name }) => name) });
  }

  #request(message: DeltaMessage): void {
    const line = this.#line;
    // What it says of itself is what is true now, also where it is never heard.
    const sotw = this.#form === 'sotw' ? this.#mouth.toSotw(message) : undefined;
    const encode = (node: Uint8Array | undefined): Uint8Array =>
      sotw === undefined ? encodeRequest(message, node) : encodeSotwRequest(sotw, node);
    this.#outAt = Math.max(this.#outAt, this.#world.clock.now() + this.#world.chance.integer(1, 5));
    this.#after(this.#outAt, line, () => this.#hand(message, encode));
  }

  /** The request arrives at Attaché. */
  #hand(message: DeltaMessage, encode: (node: Uint8Array | undefined) => Uint8Array): void {
    const { wire } = this.#world;
    const node = this.id;
    if (this.#withNode) {
      const fresh = message.initialVersions?.size === 0;
      wire.see({ type: 'opened', node, facts: this.facts, fresh });
    }
    const { initialVersions: versions } = message;
    if (message.typeUrl === EXTENSION_CONFIG_TYPE && versions !== undefined && versions.size > 0)
      wire.see({ type: 'brings', node, versions });
    if (message.responseNonce !== undefined) {
      if (toKind(message.typeUrl) === 'place') this.#isForgotten = false;
      wire.see({
        type: 'answer',
        node,
        to: toKind(message.typeUrl),
        ...(message.errorDetail === undefined ? {} : { nack: message.errorDetail }),
      });
    }
    if (message.unsubscribe !== undefined)
      wire.see({ type: 'unsubscribed', node, places: message.unsubscribe });
    const bytes = encode(this.#withNode ? this.#node : undefined);
    this.#withNode = false;
    this.#stream?.onMessage(bytes);
  }

  /** A silent Envoy's traffic waits; what was on a line that broke is lost. */
  #after(at: number, line: number, deliver: () => void): void {
    const arrive = (): void => {
      if (line !== this.#line) return;
      if (this.#held === undefined) deliver();
      else this.#held.push(arrive);
    };
    this.#world.clock.after(at - this.#world.clock.now(), arrive);
  }

  #newModel(): EnvoyModel {
    const world = this.#world;
    const model: EnvoyModel = new EnvoyModel({
      // The model asks its clock for nothing but the time.
      clock: { now: () => world.clock.now() + this.#aheadMs } as FakeClock,
      random: world.chance.fraction,
      request: message => this.#model === model && this.#request(message),
      fetch: (module, capability, done) => this.#fetch(module, capability, done),
      refuses: part => world.refuses(this.id, part),
      violated: (rule, detail) => {
        // A listener over what it does not know to be refused is refused, and healed.
        if (rule !== 'listener-held' || !this.#isForgotten) world.violated(rule, this.id, detail);
      },
      dropped: () => {},
    });
    return model;
  }

  /** A GET at the module port; nobody is there while Attaché is down. */
  #fetch(module: string, capability: string, done: (ok: boolean) => void): void {
    const { clock, chance, wire } = this.#world;
    const way = this.#modules;
    const plant = this.#world.plant();
    const tell = (state: 'started' | 'sent' | 'failed', id: number): void =>
      plant?.onFetch({
        process: capability.slice(16, 32),
        moduleSha256: module,
        tag: '',
        id,
        state,
        at: clock.now(),
      });
    clock.after(chance.integer(1, 20), () => {
      if (way === 'off' || plant?.isAlive !== true) {
        clock.after(20, () => done(false));
        return;
      }
      const id = this.#world.nextFetchId();
      wire.see({ type: 'get', node: this.id, module });
      tell('started', id);
      clock.after(way === 'slow' ? 8000 : chance.integer(0, 50), () => {
        // With Attaché's process its module port goes: the body is cut.
        const ok = way !== 'broken' && module !== PROBE_MODULE && plant.isAlive;
        tell(ok ? 'sent' : 'failed', id);
        clock.after(2, () => done(ok));
      });
    });
  }
}

function toKind(typeUrl: string): 'place' | 'listeners' | 'other' {
  if (typeUrl === EXTENSION_CONFIG_TYPE) return 'place';
  return typeUrl === LISTENER_TYPE ? 'listeners' : 'other';
}
