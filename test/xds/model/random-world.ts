import { silentMeter } from '../../../src/model/meter.ts';
import type { ModuleFetch } from '../../../src/model/module-fetch.ts';
import type { NodePresence } from '../../../src/model/node.ts';
import type { NodeVerdict } from '../../../src/model/node-verdict.ts';
import { silentLog } from '../../../src/model/ports.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { LiveTable } from '../../../src/store/live-table.ts';
import { createMemoryStore } from '../../../src/store/memory-store.ts';
import { type AdsService, createAdsService, type DiscoveryStream } from '../../../src/xds/ads-service.ts';
import { ANY_NODE } from '../../../src/xds/identity/node-right.ts';
import type { CoalescedPut } from '../../../src/xds/node-recorder.ts';
import type { ProtocolForm } from '../../../src/xds/stream/channel.ts';
import { modelReader, type Part, part, snapshotOf } from './content.ts';
import { type DeltaMessage, decodeResponse, EnvoyModel, encodeRequest } from './envoy-model.ts';
import { FakeClock } from './fake-clock.ts';
import { messageOf } from './message-of.ts';
import { SotwMouth } from './sotw-mouth.ts';
import { encodeSotwRequest } from './sotw-wire.ts';

const NODE = 'edge-1';
const SLOTS = ['attache.authn/l1', 'attache.last/l1', 'attache.last/l2'];

const PROBE_MODULE = part('probe', 0).module;

interface Plugin {
  readonly slot: string;
  revision: number | null;
  good: number | null;
  newest: number;
  readonly parts: Map<number, Part>;
}

/** A seeded generator (mulberry32): the same seed gives the same story. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The real xds stage, one modelled Envoy, and a rollout stage as simple as today's, on a fake clock. */
export class RandomWorld {
  readonly clock = new FakeClock();
  readonly violations: string[] = [];
  readonly story: string[] = [];
  readonly #random: () => number;
  readonly #plugins = new Map<string, Plugin>();
  readonly #refused = new Set<string>();
  readonly #durable = new Map<string, unknown>();
  readonly #snapshots = new LiveTable<Snapshot>();
  readonly #listenerVersions = new Map([['l1', 1]]);
  #fetchListener: (fetch: ModuleFetch) => void = () => {};
  #fetchId = 0;
  #hex = 0;
  #network: 'good' | 'off' | '404' | 'slow' = 'good';
  /** Dice of its own: the rest of a story is the same in both forms, as far as it can be. */
  readonly form: ProtocolForm;
  #envoy: EnvoyModel;
  /** Of an Envoy that speaks in the state of the world. */
  #mouth = new SotwMouth(modelReader);
  #ads: AdsService | undefined;
  #stream: DiscoveryStream | undefined;
  #generation = 0;
  killed = false;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.form = seeded(~seed)() < 0.5 ? 'delta' : 'sotw';
    this.story.push(this.form);
    for (const [i, slot] of [SLOTS[0], SLOTS[0], SLOTS[1], SLOTS[2]].entries())
      this.#plugins.set(`default/p${i}`, {
        slot: slot ?? '',
        revision: null,
        good: null,
        newest: 0,
        parts: new Map(),
      });
    this.#envoy = this.#newEnvoy();
    this.#publish();
  }

  async start(): Promise<void> {
    await this.#startControlPlane();
    this.#connect();
  }

  /** One random thing happens, then some time passes. */
  async act(): Promise<void> {
    const [name, action] = this.#pick<[string, () => void | Promise<void>]>([
      ['apply', () => this.#apply()],
      ['apply', () => this.#apply()],
      ['apply', () => this.#apply()],
      ['remove', () => this.#remove()],
      ['listener', () => this.#changeListener()],
      ['listener', () => this.#changeListener()],
      ['forget', () => this.#forget()],
      ['network', () => this.#changeNetwork()],
      ['cut', () => this.#cut()],
      ['nothing', () => {}],
      ['restart-envoy', () => this.#restartEnvoy()],
      ['kill-control-plane', () => this.#killControlPlane()],
      ['nothing', () => {}],
    ]);
    this.story.push(`${this.clock.now()} ${name}`);
    await action();
    await this.#run(this.#pick([1, 30, 200, 1500, 5000, 30_000]));
  }

  /** Everything works again; long enough for every back-off to end. */
  async settle(): Promise<void> {
    this.#network = 'good';
    await this.#run(400_000);
  }

  /** What should hold once settled. */
  check(): void {
    const slots = new Map<string, Part[]>();
    for (const [, plugin] of this.#plugins) {
      const it = plugin.revision === null ? undefined : plugin.parts.get(plugin.revision);
      if (it !== undefined) slots.set(plugin.slot, [...(slots.get(plugin.slot) ?? []), it]);
    }
    for (const [name, { active }] of this.#envoy.slots) {
      const has = JSON.stringify(active?.map(it => `${it.plugin}@${it.revision}`));
      const should = JSON.stringify((slots.get(name) ?? []).map(it => `${it.plugin}@${it.revision}`));
      if (has !== should) this.violations.push(`not-converged: ${name} runs ${has}, wanted ${should}`);
      const verdict = this.#record<NodeVerdict>('NodeVerdict', `${NODE}\n${name}`);
      if (verdict?.state !== 'accepted') this.violations.push(`verdict of ${name}: ${verdict?.state}`);
    }
    for (const [name, version] of this.#listenerVersions) {
      const has = this.#envoy.listeners.get(name)?.version;
      if (has !== String(version)) this.violations.push(`listener ${name}: ${has}, wanted ${version}`);
    }
    for (const [name, plugin] of this.#plugins)
      if (this.#envoy.slots.has(plugin.slot) && this.#refused.has(`${name}@${plugin.revision}`))
        this.violations.push(`refusal-missed: ${name}@${plugin.revision} is still wanted`);
  }

  // --- what can happen ------------------------------------------------------------------------------------

  #apply(): void {
    const [name, plugin] = this.#pick([...this.#plugins]);
    const revision = plugin.newest + 1;
    const old = plugin.revision === null ? undefined : plugin.parts.get(plugin.revision)?.module;
    const fresh = part(name.slice('default/'.length), revision);
    const made = old !== undefined && this.#random() < 0.4 ? { ...fresh, module: old } : fresh;
    if (this.#random() < 0.3) this.#refused.add(`${name}@${revision}`);
    plugin.parts.set(revision, made);
    plugin.newest = revision;
    plugin.revision = revision;
    this.#publish();
  }

  #remove(): void {
    const [, plugin] = this.#pick([...this.#plugins]);
    plugin.revision = null;
    plugin.good = null;
    this.#publish();
  }

  #changeListener(): void {
    const name = this.#pick(['l1', 'l1', 'l2']);
    this.#listenerVersions.set(name, (this.#listenerVersions.get(name) ?? 0) + 1);
    this.#publish();
  }

  #forget(): void {
    // Without a network these hours would be nothing but back-off.
    this.#network = 'good';
    this.clock.run(25 * 3_600_000);
    this.#envoy.sweep();
  }

  #changeNetwork(): void {
    this.#network = this.#pick(['good', 'good', 'off', '404', 'slow'] as const);
  }

  #cut(): void {
    this.#stream?.close();
    this.#connect();
  }

  #restartEnvoy(): void {
    this.#envoy.kill();
    this.#stream?.close();
    this.#envoy = this.#newEnvoy();
    this.#mouth = new SotwMouth(modelReader);
    this.#connect();
  }

  async #killControlPlane(): Promise<void> {
    this.killed = true;
    await this.#startControlPlane();
    this.#connect();
  }

  // --- the parts of the world -----------------------------------------------------------------------------

  async #startControlPlane(): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    const store = createMemoryStore();
    for (const [key, value] of this.#durable) {
      const [kind, ...rest] = key.split('|');
      await store.put(kind as 'NodeVerdict', rest.join('|'), value as NodeVerdict);
    }
    const alive = (): boolean => generation === this.#generation;
    const writer = this.#coalesced(alive);
    this.#ads = await createAdsService({
      meter: silentMeter,
      store,
      snapshots: this.#snapshots,
      metrics: new LiveTable(),
      fetches: {
        subscribe: listener => {
          this.#fetchListener = listener;
          return () => {};
        },
      },
      moduleKey: Buffer.alloc(32),
      mostNames: 1000,
      writer,
      clock: {
        now: () => this.clock.now(),
        after: (delay, callback) => this.clock.after(delay, () => alive() && callback()),
      },
      nextTurn: callback => this.clock.after(0, callback),
      random: bytes => (++this.#hex).toString(16).padStart(bytes * 2, '0'),
      log: silentLog,
    });
    this.#stream = undefined;
  }

  /** Like the coalesced writer: what was put within 100 ms of a kill is lost. */
  #coalesced(alive: () => boolean): CoalescedPut {
    const pending = new Map<string, unknown>();
    const waiting: (() => void)[] = [];
    const flush = (): void => {
      if (!alive()) return;
      for (const [key, value] of pending) this.#durable.set(key, value);
      pending.clear();
      for (const callback of waiting.splice(0)) callback();
      this.#rollOut();
    };
    return {
      put: (kind, key, value) => {
        if (kind === 'Event') return;
        if (pending.size === 0) this.clock.after(100, flush);
        pending.set(`${kind}|${key}`, value);
      },
      delete: () => {},
      afterWrite: callback => {
        if (pending.size === 0) callback();
        else waiting.push(callback);
      },
    };
  }

  /** Today's rollout stage: a refusal goes back to the last good one. */
  #rollOut(): void {
    const presence = this.#record<NodePresence>('NodePresence', NODE);
    let changed = false;
    for (const slot of SLOTS) {
      const verdict = this.#record<NodeVerdict>('NodeVerdict', `${NODE}\n${slot}`);
      if (verdict === undefined || verdict.process !== presence?.process) continue;
      const { refused } = verdict;
      const plugin = refused?.plugin === undefined ? undefined : this.#plugins.get(refused.plugin);
      if (refused !== null && !this.#refused.has(`${refused.plugin}@${refused.revision}`))
        this.violations.push(`false-refusal: ${refused.plugin}@${refused.revision} ${refused.message}`);
      if (plugin !== undefined && refused?.revision === plugin.revision) {
        plugin.revision = plugin.good;
        changed = true;
      }
      if (verdict.state !== 'accepted') continue;
      for (const it of verdict.accepted?.plugins ?? []) {
        const accepted = this.#plugins.get(it.plugin);
        if (accepted !== undefined && accepted.revision === it.revision && accepted.good !== it.revision) {
          accepted.good = it.revision;
          changed = true;
        }
      }
    }
    if (changed) this.#publish();
  }

  #publish(): void {
    const slots = new Map(SLOTS.map(slot => [slot, { wanted: [] as Part[], good: [] as Part[] }]));
    for (const plugin of this.#plugins.values()) {
      const wanted = plugin.revision === null ? undefined : plugin.parts.get(plugin.revision);
      const good = plugin.good === null ? undefined : plugin.parts.get(plugin.good);
      if (wanted !== undefined) slots.get(plugin.slot)?.wanted.push(wanted);
      if (good !== undefined) slots.get(plugin.slot)?.good.push(good);
    }
    const listeners = new Map(
      [...this.#listenerVersions].map(([name, version]) => [
        name,
        { version: String(version), slots: SLOTS.filter(slot => slot.endsWith(name)) },
      ]),
    );
    this.#snapshots.set(NODE, snapshotOf({ slots, listeners }));
  }

  #newEnvoy(): EnvoyModel {
    const envoy: EnvoyModel = new EnvoyModel({
      clock: this.clock,
      random: this.#random,
      request: message => this.#toControlPlane(envoy, message),
      fetch: (module, capability, done) => this.#fetch(module, capability, done),
      refuses: it => this.#refused.has(`${it.plugin}@${it.revision}`),
      violated: (rule, detail) => {
        // What was under way when the control plane was killed is unknown to the next one.
        if (rule === 'listener-held' && this.killed) return;
        this.violations.push(`${rule}: ${detail}`);
      },
      dropped: plugin => {
        const known = this.#plugins.get(plugin);
        if (known?.revision !== null && known?.good !== null)
          this.violations.push(`dropped: ${plugin} no longer serves`);
      },
    });
    return envoy;
  }

  #connect(): void {
    const ads = this.#ads;
    const envoy = this.#envoy;
    let inOrder = this.clock.now();
    const { form } = this;
    const stream = ads?.open({ form, right: ANY_NODE }, frame => {
      const bytes = messageOf(frame);
      inOrder = Math.max(inOrder, this.clock.now() + 1 + Math.floor(this.#random() * 5));
      this.clock.after(inOrder - this.clock.now(), () => {
        if (this.#stream !== stream || this.#envoy !== envoy) return;
        if (form === 'delta') envoy.take(decodeResponse(bytes));
        else {
          const changes = this.#mouth.toChanges(bytes, envoy.listeners);
          this.#mouth.receive(changes);
          envoy.take(changes);
        }
      });
    });
    this.#stream = stream;
    this.#sendAt = this.clock.now();
    this.#mouth.connect();
    envoy.connect();
  }

  #sendAt = 0;

  #toControlPlane(envoy: EnvoyModel, message: DeltaMessage): void {
    const stream = this.#stream;
    const bytes =
      this.form === 'delta'
        ? encodeRequest(message, NODE)
        : encodeSotwRequest(this.#mouth.toSotw(message), NODE);
    this.#sendAt = Math.max(this.#sendAt, this.clock.now() + 1 + Math.floor(this.#random() * 5));
    this.clock.after(this.#sendAt - this.clock.now(), () => {
      if (this.#stream === stream && this.#envoy === envoy) stream?.onMessage(bytes);
    });
  }

  #fetch(module: string, capability: string, done: (ok: boolean) => void): void {
    const network = module === PROBE_MODULE ? '404' : this.#network;
    if (module === PROBE_MODULE && this.#network === 'off') {
      this.clock.after(20, () => done(false));
      return;
    }
    if (network === 'off') {
      this.clock.after(20, () => done(false));
      return;
    }
    const id = ++this.#fetchId;
    const process = capability.slice(16, 32);
    const tell = (state: ModuleFetch['state']): void =>
      this.#fetchListener({ process, moduleSha256: module, tag: '', id, state, at: this.clock.now() });
    const delay = 1 + Math.floor(this.#random() * 20);
    this.clock.after(delay, () => {
      tell('started');
      const duration = network === 'slow' ? 8000 : Math.floor(this.#random() * 50);
      this.clock.after(duration, () => {
        tell(network === '404' ? 'failed' : 'sent');
        this.clock.after(2, () => done(network !== '404'));
      });
    });
  }

  async #run(ms: number): Promise<void> {
    this.clock.run(ms);
  }

  #record<T>(kind: string, key: string): T | undefined {
    return this.#durable.get(`${kind}|${key}`) as T | undefined;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }
}
