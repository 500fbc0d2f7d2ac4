import type { NodeMetrics } from '../model/node-metrics.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import type { Clock, Log } from '../model/ports.ts';
import type { LiveTable } from '../store/live-table.ts';
import { eventKey } from '../store/record-kinds.ts';
import type { Change, Operation, Store } from '../store/store.ts';
import { ConflictError } from '../store/store-error.ts';
import { toAuditDrafts } from './audit-decision.ts';
import { decideRollout } from './decide-rollout.ts';
import { PluginLane } from './plugin-lane.ts';
import type { News } from './rollout-facts.ts';
import { RolloutIndex, WATCHED_KINDS } from './rollout-index.ts';

export interface RolloutControllerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The compiler's format number. */
  readonly format: number;
  /** A plugin here selects nodes of every namespace. */
  readonly rootNamespace: string;
  /** What Envoys pushed of their stats, by node id; written by the xds stage. */
  readonly metrics: LiveTable<NodeMetrics>;
}

export interface RolloutController {
  /** Idempotent; nothing is written after it. */
  stop(): Promise<void>;
}

/** Envoys push their stats each on its own: what came within this time is looked at together. */
const METRICS_MS = 500;

/**
 * Starts the rollout stage: it reads what people, the module stage and Envoys recorded, and writes each plugin's
 * Assignment, Rollout and Quarantine, with an Event and an AuditEntry for every step. When the promise resolves, everything that the
 * store held was decided; what could not be written is logged and tried again. Rejects when the store cannot be read.
 */
export async function startRolloutController(options: RolloutControllerOptions): Promise<RolloutController> {
  const controller = new Controller(options);
  await controller.start();
  return controller;
}

class Controller implements RolloutController {
  readonly #options: RolloutControllerOptions;
  readonly #index = new RolloutIndex();
  readonly #lanes = new Map<PluginName, PluginLane>();
  readonly #ended = new AbortController();
  #startedAt: number;
  #consumed: Promise<void> = Promise.resolve();
  #stopMetrics: (() => void) | undefined;
  #events = 0;

  constructor(options: RolloutControllerOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  async start(): Promise<void> {
    const watch = this.#options.store.watch(WATCHED_KINDS, this.#ended.signal)[Symbol.asyncIterator]();
    const { value, done } = await watch.next();
    if (done === true) return;
    this.#take(value, () => this.#index.expectConnected());
    this.#stopMetrics = this.#options.metrics.watch(node => {
      for (const plugin of this.#index.takeMetrics(node)) this.#lane(plugin).pokeWithin(METRICS_MS);
    });
    for (const lane of [...this.#lanes.values()]) await lane.idle();
    this.#consumed = this.#consume(watch);
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    this.#stopMetrics?.();
    await this.#consumed;
    await Promise.all([...this.#lanes.values()].map(lane => lane.stop()));
  }

  async #consume(watch: AsyncIterator<readonly Change[]>): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await watch.next();
        if (done === true) return;
        this.#take(value);
      }
    } catch (error) {
      this.#options.log.error({ err: error }, 'the rollout stage cannot read the store any more');
    }
  }

  #take(changes: readonly Change[], then?: () => void): void {
    const due = this.#index.take(changes);
    then?.();
    for (const plugin of due) this.#lane(plugin).poke();
  }

  #lane(plugin: PluginName): PluginLane {
    const { clock, log } = this.#options;
    const known = this.#lanes.get(plugin);
    if (known !== undefined) return known;
    const onError = (error: unknown): void =>
      log.error({ plugin, err: error }, 'a rollout decision could not be written; trying again');
    const lane = new PluginLane({ clock, work: () => this.#settle(plugin), onError });
    this.#lanes.set(plugin, lane);
    return lane;
  }

  /** Decides and writes one plugin, in one transaction; after a conflict once more, on what the store holds now. */
  async #settle(plugin: PluginName): Promise<number | null> {
    const { store, clock, log, metrics, format, rootNamespace } = this.#options;
    while (!this.#ended.signal.aborted) {
      const records = this.#index.records(plugin);
      await records.load(store);
      const now = clock.now();
      // A clock that was set back must not make us young for hours.
      this.#startedAt = Math.min(this.#startedAt, now);
      const startedAt = this.#startedAt;
      const surroundings = {
        metrics: (node: string) => metrics.get(node),
        format,
        rootNamespace,
        now,
        startedAt,
      };
      const facts = this.#index.facts(plugin, surroundings);
      const decision = decideRollout(facts);
      records.waits = decision.wakeAt !== null;
      this.#index.update(plugin);
      const operations = records.toOperations(decision.records);
      if (operations.length === 0) return decision.wakeAt;
      try {
        const events = decision.news.map(news => this.#toEvent(plugin, news, now));
        const audit = toAuditDrafts(facts, decision).map(
          value => ({ op: 'append', kind: 'AuditEntry', value }) as const,
        );
        records.written(operations, await store.transaction([...operations, ...events, ...audit]));
        this.#index.update(plugin);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        await records.reload(store);
        this.#index.update(plugin);
        continue;
      }
      for (const { type, message } of decision.news) log.info({ plugin, type }, message);
      return decision.wakeAt;
    }
    return null;
  }

  #toEvent(plugin: PluginName, { type, message, node }: News, at: number): Operation {
    this.#events += 1;
    // Of one stage in one process, and in order within a millisecond.
    const name = `rollout-${String(this.#events).padStart(6, '0')}`;
    const value = { type, at, plugin, message, ...(node === undefined ? {} : { node }) };
    return { op: 'put', kind: 'Event', key: eventKey(at, name), value };
  }
}
