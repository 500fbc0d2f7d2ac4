import { ACTIVE_PHASES } from '../../src/model/rollout.ts';
import { ROLLOUT_ACTIONS } from '../../src/model/rollout-intent.ts';
import type { Content } from './contents.ts';
import { rollNode, rollRollout } from './fleet-dice.ts';
import type { SimEnvoy } from './sim-envoy.ts';
import type { World } from './world.ts';

/** A few random days of a fleet in some minutes: what happens is chosen by the seed alone. */
export class Story {
  readonly #world: World;
  readonly #plugins: readonly string[];
  readonly #mix: 'chain' | 'single' | 'both';
  readonly #hasTraffic: boolean;
  readonly #acts: readonly (readonly [number, () => void | Promise<void>])[];
  #nodes = 0;

  constructor(world: World) {
    const { chance } = world;
    this.#world = world;
    this.#plugins = ['default/p1', 'default/p2', 'default/p3'].slice(
      0,
      chance.weighted([
        [5, 1],
        [3, 2],
        [2, 3],
      ]),
    );
    this.#mix = chance.weighted([
      [6, 'chain'],
      [2, 'single'],
      [2, 'both'],
    ] as const);
    this.#hasTraffic = chance.is(0.4);
    this.#acts = this.#listActs();
  }

  /** From an empty store to the end of the last act. */
  async play(): Promise<void> {
    const { chance, clock } = this.#world;
    await this.#world.begin();
    const count = chance.weighted([
      [5, chance.integer(2, 6)],
      [4, chance.integer(6, 14)],
      [1, chance.integer(14, 26)],
    ]);
    for (let i = 0; i < count; i++) this.#join();
    if (this.#hasTraffic) this.#world.startTraffic();
    await clock.run(chance.pick([600, 3000, 70_000]));
    await this.#apply();
    for (let left = chance.integer(6, 22); left > 0; left--) {
      await clock.run(chance.pick([20, 150, 1200, 1200, 5000, 20_000, 20_000, 45_000, 100_000, 300_000]));
      await chance.weighted(this.#acts)();
    }
  }

  /** Faults end, people decide what waits for them, and time passes until nothing is under way. */
  async settle(): Promise<void> {
    const { clock, envoys, office, modules } = this.#world;
    this.#world.wire.say('from here on nothing goes wrong any more');
    modules.isQuick = true;
    await this.#world.startPlant();
    if (office.isFrozen) await office.unfreeze();
    for (const envoy of envoys.values()) {
      envoy.meetModules('good');
      envoy.wake();
      if (!this.#gone.has(envoy.id) && !envoy.isOn) envoy.start();
    }
    for (let hour = 0; hour < 40; hour++) {
      await clock.run(6 * 60_000);
      if (!(await this.#decideWhatWaits())) break;
    }
    await clock.run(20 * 60_000);
    this.#world.stopTraffic();
  }

  /** Rollouts that did not end although nothing is in their way. */
  async findStuck(): Promise<string[]> {
    const found: string[] = [];
    for (const plugin of this.#plugins) {
      const rollout = await this.#world.office.rolloutOf(plugin);
      if (rollout === undefined) continue;
      const { id, phase, stage, reason, why, back } = rollout;
      // Who refuses what was proven elsewhere cannot go back to it, and is said to be missing as long as that stands.
      const missing = (back?.missing ?? []).filter(node => !this.#world.hasRefused(node, plugin));
      if (ACTIVE_PHASES.includes(phase) || (phase === 'RollbackIncomplete' && missing.length > 0))
        found.push(`stuck: ${id} is ${phase} ${stage} (${reason}: ${why}) ${missing}`);
    }
    return found;
  }

  /** Rollouts that began to move nodes or could have. */
  async countRollouts(): Promise<number> {
    return (await this.#world.store.list('Rollout')).records.length;
  }

  // --- what can happen ----------------------------------------------------------------------------------------

  readonly #gone = new Set<string>();

  #listActs(): readonly (readonly [number, () => void | Promise<void>])[] {
    const { chance, office } = this.#world;
    // Attaché's API is gone with its process.
    const byPerson = (act: () => Promise<void>) => (): Promise<void> | undefined =>
      this.#world.isUp ? act() : undefined;
    return [
      [20, byPerson(() => this.#apply())],
      [4, byPerson(() => this.#applyAgain())],
      [4, byPerson(() => this.#reselect())],
      [3, byPerson(() => this.#remove())],
      [16, byPerson(() => this.#ask())],
      [3, byPerson(() => (office.isFrozen ? office.unfreeze() : office.freeze()))],
      [4, byPerson(() => this.#excludeOrInclude())],
      [4, () => this.#join()],
      [2, () => this.#leave()],
      [6, () => this.#plugOrUnplug()],
      [4, () => this.#onOne(envoy => envoy.cut(chance.integer(100, 8000)))],
      [5, () => this.#onOne(envoy => (envoy.isSilent ? envoy.wake() : envoy.silence()))],
      [4, () => this.#onOne(envoy => this.#world.restart(envoy, chance.integer(100, 8000)))],
      [3, () => this.#onOne(envoy => envoy.forget())],
      [4, () => this.#onOne(envoy => envoy.meetModules(chance.pick(['good', 'off', 'broken', 'slow'])))],
      [2, byPerson(() => this.#world.changeListener())],
      [8, () => this.#kill()],
      [5, () => {}],
    ];
  }

  async #remove(): Promise<void> {
    const { office, chance } = this.#world;
    if (!office.isFrozen) await office.remove(this.#plugin(), chance.is(0.3));
  }

  async #apply(): Promise<void> {
    const plugin = this.#plugin();
    await this.#put(plugin, this.#world.inventContent(plugin), {});
  }

  /** A content that was there before: perhaps a good one, perhaps one that was refused. */
  async #applyAgain(): Promise<void> {
    const plugin = this.#plugin();
    const known = this.#world.contents.of(plugin);
    if (known.length > 0) await this.#put(plugin, this.#world.chance.pick(known), {});
  }

  async #reselect(): Promise<void> {
    const plugin = this.#plugin();
    const content = this.#world.office.contentOf(plugin);
    const role = this.#world.chance.pick(['edge', 'core', undefined]);
    if (content !== undefined) await this.#put(plugin, content, { role });
  }

  /** Applies a content with a random way to roll it out; without a role in `on` its nodes are those it had. */
  async #put(plugin: string, content: Content, on: { readonly role?: string | undefined }): Promise<void> {
    const { office, chance } = this.#world;
    if (office.isFrozen) return;
    const kept = (await office.specOf(plugin))?.selector;
    const chosen = on.role === undefined ? undefined : { matchLabels: { role: on.role } };
    const selector = 'role' in on ? chosen : kept;
    await office.apply(plugin, content, {
      ...rollRollout(chance),
      ...(selector === undefined ? {} : { selector }),
    });
  }

  async #ask(): Promise<void> {
    const { chance, office } = this.#world;
    const plugin = this.#plugin();
    const action = chance.pick(ROLLOUT_ACTIONS);
    const how = {
      ...(action === 'promote' && chance.is(0.3) ? { full: true } : {}),
      ...(action === 'abort' && chance.is(0.15) ? { freeze: true } : {}),
    };
    // What stops something is rarer than what goes on.
    if ((action === 'abort' || action === 'undo') && chance.is(0.5)) return;
    await office.ask(plugin, action, how);
  }

  readonly #excluded = new Set<string>();

  async #excludeOrInclude(): Promise<void> {
    const { chance, office, envoys } = this.#world;
    const node = chance.pick([...envoys.keys()]);
    if (this.#excluded.delete(node)) await office.include(node);
    else {
      this.#excluded.add(node);
      await office.exclude(node);
    }
  }

  #join(): void {
    const { chance } = this.#world;
    this.#nodes += 1;
    this.#world.addEnvoy(rollNode(chance, this.#nodes, this.#mix)).start();
  }

  #leave(): void {
    this.#onOne(envoy => {
      this.#gone.add(envoy.id);
      envoy.unplug();
    });
  }

  #plugOrUnplug(): void {
    this.#onOne(envoy => {
      if (envoy.isOn) envoy.unplug();
      else if (!this.#gone.has(envoy.id)) envoy.start();
    });
  }

  async #kill(): Promise<void> {
    const { chance, clock } = this.#world;
    const downMs = chance.pick([0, 30, 1000, 1000, 10_000, 100_000]);
    if (chance.is(0.5)) {
      this.#world.killSoon(chance.integer(1, 12), downMs);
      return;
    }
    this.#world.kill();
    clock.after(downMs, () => void this.#world.startPlant());
  }

  #onOne(act: (envoy: SimEnvoy) => void): void {
    const { chance, envoys, wire } = this.#world;
    const envoy = chance.pick([...envoys.values()]);
    wire.say(`something happens to ${envoy.id}`);
    act(envoy);
  }

  #plugin(): string {
    return this.#world.chance.pick(this.#plugins);
  }

  /** What a person would do about each rollout that waits; false: none is under way any more. */
  async #decideWhatWaits(): Promise<boolean> {
    const { office } = this.#world;
    let isActive = false;
    for (const plugin of this.#plugins) {
      const rollout = await office.rolloutOf(plugin);
      if (rollout === undefined || !ACTIVE_PHASES.includes(rollout.phase)) continue;
      isActive = true;
      if (rollout.phase !== 'Paused') continue;
      if (rollout.reason === 'Failure' || rollout.reason === 'Unattributed')
        await office.ask(plugin, 'abort');
      else if (['Human', 'Inconclusive', 'MetricErrors'].includes(rollout.reason ?? ''))
        await office.ask(plugin, 'promote');
      else await office.ask(plugin, 'resume');
    }
    return isActive;
  }
}
