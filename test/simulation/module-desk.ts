import type { PluginName } from '../../src/model/plugin-spec.ts';
import type { ModuleProgress } from '../../src/model/revision.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import type { Chance } from './chance.ts';
import type { Content, Contents } from './contents.ts';
import type { SimClock } from './sim-clock.ts';
import type { Wire } from './wire.ts';

/** A document whose module is being looked for. */
interface Order {
  readonly specRevision: number;
  readonly content: Content;
}

/** In place of the module stage: writes Revision and ModuleProgress of what was applied, after a while. */
export class ModuleDesk {
  readonly #store: Store;
  readonly #clock: SimClock;
  readonly #chance: Chance;
  readonly #wire: Wire;
  readonly #contents: Contents;
  readonly #open = new Map<PluginName, Order>();
  /** All modules are there at once. */
  isQuick = false;
  #isUp = false;

  constructor(of: { store: Store; clock: SimClock; chance: Chance; wire: Wire; contents: Contents }) {
    this.#store = of.store;
    this.#clock = of.clock;
    this.#chance = of.chance;
    this.#wire = of.wire;
    this.#contents = of.contents;
  }

  /** Attaché's process began: what was under way is looked for anew. */
  onStarted(): void {
    this.#isUp = true;
    for (const [plugin, order] of [...this.#open]) this.onDocument(plugin, order.specRevision, order.content);
  }

  onKilled(): void {
    this.#isUp = false;
  }

  /** A document was stored at this store revision. */
  onDocument(plugin: PluginName, specRevision: number, content: Content): void {
    const order = { specRevision, content };
    this.#open.set(plugin, order);
    this.#write(plugin, { plugin, specRevision, state: 'resolving', since: this.#clock.now() });
    const fate = this.isQuick
      ? 'ready'
      : this.#chance.weighted([
          [90, 'ready'],
          [6, 'late'],
          [4, 'failed'],
        ] as const);
    const soonMs = this.#chance.integer(5, 800);
    const later = (delayMs: number, act: () => void): void => {
      this.#clock.after(delayMs, () => {
        if (this.#isUp && this.#open.get(plugin) === order) act();
      });
    };
    if (fate === 'ready') later(soonMs, () => this.#finish(plugin, order));
    else later(soonMs, () => this.#stumble(plugin, order, fate));
    if (fate === 'late')
      later(soonMs + this.#chance.integer(2_000, 90_000), () => this.#finish(plugin, order));
  }

  /** The document was deleted: nothing more is looked for. */
  onDeleted(plugin: PluginName): void {
    this.#open.delete(plugin);
  }

  #stumble(plugin: PluginName, { specRevision }: Order, fate: 'late' | 'failed'): void {
    if (fate === 'failed') this.#open.delete(plugin);
    const text = { code: 'registry-unreachable', message: 'registry.example does not answer' };
    const state = fate === 'late' ? 'retrying' : 'failed';
    this.#wire.did({ type: 'not-ready', plugin, isFinal: fate === 'failed' });
    this.#write(plugin, { plugin, specRevision, state, ...text, since: this.#clock.now() });
  }

  #finish(plugin: PluginName, { specRevision, content }: Order): void {
    this.#open.delete(plugin);
    const now = this.#clock.now();
    const { revision, isNew } = this.#contents.toRevision(plugin, content, now);
    const { number } = revision;
    const progress: ModuleProgress = { plugin, specRevision, state: 'ready', revision: number, since: now };
    const made: Operation = {
      op: 'put',
      kind: 'Revision',
      key: revisionKey(plugin, number),
      value: revision,
    };
    this.#wire.did({ type: 'ready', plugin, revision: number });
    this.#write(plugin, progress, isNew ? [made] : []);
  }

  #write(plugin: PluginName, value: ModuleProgress, also: readonly Operation[] = []): void {
    void this.#store.transaction([...also, { op: 'put', kind: 'ModuleProgress', key: plugin, value }]);
  }
}
