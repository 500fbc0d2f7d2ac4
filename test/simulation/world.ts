import { type PluginName, sha256Hex } from '../../src/model/plugin-spec.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import type { Part } from '../xds/model/content.ts';
import { Chance } from './chance.ts';
import { type Content, Contents, isThere } from './contents.ts';
import type { NodeFacts } from './envoy-bytes.ts';
import { makeListener } from './fleet-dice.ts';
import { ModuleDesk } from './module-desk.ts';
import type { Distort } from './mortal-store.ts';
import { Office } from './office.ts';
import { Plant } from './plant.ts';
import { SimClock } from './sim-clock.ts';
import { SimEnvoy, type Surroundings } from './sim-envoy.ts';
import { STATS_EVERY_MS, Traffic } from './traffic.ts';
import { Wire, type Witness } from './wire.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly witnesses: readonly Witness[];
  /** Keep a story for a person. */
  readonly verbose: boolean;
  readonly distort?: Distort;
}

/** The share of Envoys that do not speak the incremental form. */
const STATE_OF_THE_WORLD = 0.4;

/** One simulated world: the real stages on a store that outlives them, modelled Envoys, and what people do. */
export class World {
  readonly clock = new SimClock();
  readonly chance: Chance;
  readonly wire: Wire;
  readonly store: Store = createMemoryStore();
  readonly contents = new Contents();
  readonly modules: ModuleDesk;
  readonly office: Office;
  readonly envoys = new Map<string, SimEnvoy>();
  /** Rules of the push protocol that a modelled Envoy saw broken, errors that a stage logged. */
  readonly faults: string[] = [];
  readonly #seed: number;
  readonly #distort: Distort | undefined;
  readonly #traffic: Traffic;
  #plant: Plant | undefined;
  /** Commits until the process is killed; 0: no such plan. */
  #fuse = 0;
  #hex = 0;
  #fetches = 0;
  #listenerVersion = 1;
  #stopTraffic: () => void = () => {};

  constructor({ seed, witnesses, verbose, distort }: WorldOptions) {
    this.#seed = seed;
    this.chance = new Chance(seed);
    this.wire = new Wire(this.clock.now, witnesses, verbose);
    this.#distort = distort;
    const { store, clock, chance, wire, contents } = this;
    this.modules = new ModuleDesk({ store, clock, chance, wire, contents });
    this.office = new Office({ store, clock, wire, modules: this.modules });
    this.#traffic = new Traffic({ clock, wire, contents });
  }

  get isUp(): boolean {
    return this.#plant !== undefined;
  }

  async begin(): Promise<void> {
    await this.#putListener();
    await this.startPlant();
  }

  /** The process is killed, with all it had in memory. */
  kill(): void {
    const plant = this.#plant;
    if (plant === undefined) return;
    this.wire.did({ type: 'killed' });
    this.#plant = undefined;
    this.#fuse = 0;
    plant.kill();
    this.modules.onKilled();
    for (const envoy of this.envoys.values()) envoy.lose();
  }

  /** Killed right behind one of its next commits, and started again after `downMs`. */
  killSoon(commits: number, downMs: number): void {
    this.#fuse = commits;
    this.#downMs = downMs;
  }

  #downMs = 0;

  async startPlant(): Promise<void> {
    if (this.#plant !== undefined) return;
    const { store, clock } = this;
    const plant = new Plant({
      store,
      clock,
      nextHex: bytes => (++this.#hex).toString(16).padStart(bytes * 2, '0'),
      onCommit: operations => {
        if (this.wire.lines !== undefined) this.#tell(operations);
        this.#burnFuse(plant);
      },
      onError: (message, fields) => this.faults.push(`log: ${message} ${describe(fields)}`),
      ...(this.#distort === undefined ? {} : { distort: this.#distort }),
    });
    this.wire.did({ type: 'started' });
    this.#plant = plant;
    await plant.start();
    if (this.#plant === plant) this.modules.onStarted();
  }

  readonly #told = new Map<string, string>();

  #tell(operations: readonly Operation[]): void {
    for (const operation of operations) {
      if (operation.op === 'append') continue;
      const note = toNote(operation);
      if (note === undefined || this.#told.get(operation.key) === note) continue;
      this.#told.set(operation.key, note);
      this.wire.say(note);
    }
  }

  #burnFuse(plant: Plant): void {
    if (this.#fuse === 0 || plant !== this.#plant) return;
    this.#fuse -= 1;
    if (this.#fuse > 0) return;
    this.kill();
    this.clock.after(this.#downMs, () => void this.startPlant());
  }

  addEnvoy(facts: NodeFacts): SimEnvoy {
    const surroundings: Surroundings = {
      clock: this.clock,
      chance: this.chance,
      wire: this.wire,
      plant: () => this.#plant,
      nextFetchId: () => ++this.#fetches,
      refuses: (node, part) => this.#refuses(node, part),
      violated: (rule, node, detail) => this.#violated(rule, node, detail),
    };
    const form = this.#formOf(facts.id);
    if (form === 'sotw') this.wire.say(`${facts.id} asks for the state of the world`);
    const envoy = new SimEnvoy(facts, form, surroundings);
    this.envoys.set(facts.id, envoy);
    return envoy;
  }

  /** Dice of its own: a node keeps its form whatever else happens. */
  #formOf(node: string): ProtocolForm {
    const dice = Number.parseInt(sha256Hex(`${this.#seed} ${node}`).slice(0, 8), 16) / 2 ** 32;
    return dice < STATE_OF_THE_WORLD ? 'sotw' : 'delta';
  }

  /** A new process of an Envoy: its stats begin anew. */
  restart(envoy: SimEnvoy, backMs: number): void {
    this.#traffic.forget(envoy.id);
    envoy.restart(backMs);
  }

  inventContent(plugin: PluginName): Content {
    return this.contents.invent(plugin, this.chance, [...this.envoys.keys()]);
  }

  /** Another version of the listener, for every node at once. */
  async changeListener(): Promise<void> {
    this.#listenerVersion += 1;
    this.wire.did({ type: 'listener-changed' });
    await this.#putListener();
  }

  startTraffic(): void {
    const tick = (): void => {
      for (const envoy of this.envoys.values()) if (envoy.isOn) this.#traffic.tick(envoy, this.#plant);
      this.#stopTraffic = this.clock.after(STATS_EVERY_MS, tick);
    };
    tick();
  }

  stopTraffic(): void {
    this.#stopTraffic();
  }

  async #putListener(): Promise<void> {
    const spec = makeListener('in', 8080, `v${this.#listenerVersion}`);
    await this.store.put('ResourceSpec', 'listeners/default/in', spec);
  }

  #refuses(node: string, { plugin, revision }: Part): boolean {
    const fault = this.contents.faultOf(plugin, revision);
    return fault.kind === 'refused' && isThere(fault.where, node);
  }

  /** Some revision of the plugin is one that this node refuses. */
  hasRefused(node: string, plugin: PluginName): boolean {
    return this.contents
      .of(plugin)
      .some(({ fault }) => fault.kind === 'refused' && isThere(fault.where, node));
  }

  #violated(rule: string, node: string, detail: string): void {
    this.faults.push(`${rule}: ${node}: ${detail}`);
  }
}

/** What Attaché decided, for whoever reads the story; the checker does not see it. */
function toNote(operation: Operation): string | undefined {
  if (operation.op !== 'put') return undefined;
  if (operation.kind === 'Rollout') {
    const { id, kind, to, phase, reason, stage, step, targets, why } = operation.value;
    const at = `${stage ?? '-'} step ${step + 1} of ${operation.value.steps.map(({ reaches }) => reaches).join('/')}`;
    return `${id} ${kind} to ${to?.revision}: ${phase} ${reason ?? ''} ${at}, ${targets} targets; ${why ?? ''}`;
  }
  if (operation.kind !== 'Assignment') return undefined;
  const { plugin, base, moved, held } = operation.value;
  const entries = moved.map(({ side, nodes }) => `${side.revision} on ${nodes}`);
  return `${plugin}: base ${base.revision}, moved ${entries.join('; ')}${held === undefined ? '' : `, held ${held.revision}`}`;
}

function describe(fields: object): string {
  const { err, ...rest } = fields as { err?: unknown };
  const text = err instanceof Error ? (err.stack ?? err.message) : '';
  return `${JSON.stringify(rest)} ${text}`;
}
