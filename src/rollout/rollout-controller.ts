import type { PluginName } from '../model/plugin-spec.ts';
import type { Clock, Log } from '../model/ports.ts';
import { eventKey } from '../store/record-kinds.ts';
import type { Change, Expected, Operation, Store } from '../store/store.ts';
import { ConflictError } from '../store/store-error.ts';
import { type Decision, decideAssignment, type News } from './decide-assignment.ts';
import { RolloutIndex, WATCHED_KINDS } from './rollout-index.ts';

export interface RolloutControllerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The compiler's format number. */
  readonly format: number;
}

/**
 * Starts the rollout stage: it reads what the module and xds stages recorded and writes each plugin's Assignment,
 * with an Event for every step. When the promise resolves, everything that the store held was decided; what could
 * not be written is logged and tried again. Rejects when the store cannot be read.
 */
export async function startRolloutController(
  options: RolloutControllerOptions,
): Promise<{ stop(): Promise<void> }> {
  const controller = new RolloutController(options);
  await controller.start();
  return controller;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

class RolloutController {
  readonly #options: RolloutControllerOptions;
  readonly #index = new RolloutIndex();
  readonly #dirty = new Set<PluginName>();
  readonly #ended = new AbortController();
  /** Passes run one after the other. */
  #passes: Promise<void> = Promise.resolve();
  #consumed: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | undefined;
  #failures = 0;
  #events = 0;

  constructor(options: RolloutControllerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const watch = this.#options.store.watch(WATCHED_KINDS, this.#ended.signal)[Symbol.asyncIterator]();
    const { value, done } = await watch.next();
    if (done !== true) await this.#take(value);
    this.#consumed = this.#consume(watch);
  }

  /** Idempotent; nothing is written after it. */
  async stop(): Promise<void> {
    this.#ended.abort();
    this.#cancelRetry?.();
    await this.#consumed;
    await this.#passes;
  }

  async #consume(watch: AsyncIterator<readonly Change[]>): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await watch.next();
        if (done === true) return;
        await this.#take(value);
      }
    } catch (error) {
      this.#options.log.error({ err: error }, 'the rollout stage cannot read the store any more');
    }
  }

  #take(changes: readonly Change[]): Promise<void> {
    for (const change of changes) for (const plugin of this.#index.apply(change)) this.#dirty.add(plugin);
    return this.#pass();
  }

  #pass(): Promise<void> {
    this.#passes = this.#passes.then(() => this.#decideDirty());
    return this.#passes;
  }

  /** A plugin that cannot be written stays due, and does not hold up the others. */
  async #decideDirty(): Promise<void> {
    let failed = false;
    for (const plugin of [...this.#dirty]) {
      if (this.#ended.signal.aborted) return;
      try {
        this.#dirty.delete(plugin);
        await this.#settle(plugin);
      } catch (error) {
        failed = true;
        this.#dirty.add(plugin);
        this.#options.log.error(
          { plugin, err: error },
          'a rollout decision could not be written; trying again',
        );
      }
    }
    if (failed) this.#retryLater();
    else this.#failures = 0;
  }

  /** Decides and writes one plugin; after a conflict once more, on what the store holds now. */
  async #settle(plugin: PluginName): Promise<void> {
    const { store, clock, format, log } = this.#options;
    while (!this.#ended.signal.aborted) {
      const decision = decideAssignment(this.#index.facts(plugin, format, clock.now()));
      if (decision.kind === 'unchanged') return;
      try {
        await store.transaction(this.#toOperations(plugin, decision));
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        this.#index.setAssignment(plugin, await store.get('Assignment', plugin));
        continue;
      }
      for (const { type, message } of decision.news) log.info({ plugin, type }, message);
      return;
    }
  }

  #toOperations(plugin: PluginName, decision: Exclude<Decision, { kind: 'unchanged' }>): Operation[] {
    const expected: Expected = this.#index.assignment(plugin)?.revision ?? 'absent';
    const key = { kind: 'Assignment', key: plugin, expected } as const;
    return [
      decision.kind === 'put' ? { op: 'put', ...key, value: decision.assignment } : { op: 'delete', ...key },
      ...decision.news.map(news => this.#toEvent(plugin, news)),
    ];
  }

  #toEvent(plugin: PluginName, { type, message, node }: News): Operation {
    const at = this.#options.clock.now();
    this.#events += 1;
    // Of one stage in one process, and in order within a millisecond.
    const name = `rollout-${String(this.#events).padStart(6, '0')}`;
    const value = { type, at, plugin, message, ...(node === undefined ? {} : { node }) };
    return { op: 'put', kind: 'Event', key: eventKey(at, name), value };
  }

  #retryLater(): void {
    if (this.#ended.signal.aborted) return;
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#cancelRetry?.();
    this.#cancelRetry = this.#options.clock.after(delayMs, () => void this.#pass());
  }
}
