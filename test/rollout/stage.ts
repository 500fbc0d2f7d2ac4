import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { findSide } from '../../src/model/assignment.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import type { RolloutAction, RolloutIntent } from '../../src/model/rollout-intent.ts';
import { type RolloutController, startRolloutController } from '../../src/rollout/rollout-controller.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, verdictKey } from '../../src/store/record-kinds.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { FakeClock } from '../store/fake-clock.ts';
import {
  FORMAT,
  makePresence,
  makeReady,
  makeRevision,
  makeSpec,
  makeVerdict,
  PLACE,
  PLUGIN,
} from './records.ts';

const MOST_TURNS = 10_000;

/** The rollout stage over a store in memory, with the other stages played by hand. */
export class Stage {
  readonly store = createMemoryStore();
  readonly clock = new FakeClock();
  readonly metrics = new LiveTable<NodeMetrics>();
  /** Of the stage: what it wrote. */
  readonly written: (readonly Operation[])[] = [];
  /** Asked before each transaction of the stage; what it throws is what the store would. */
  fault: (operations: readonly Operation[]) => void | Promise<void> = () => {};
  #controller: RolloutController | undefined;
  #reads = 0;

  async start(): Promise<void> {
    const { clock, metrics } = this;
    this.#controller = await startRolloutController({
      store: this.#guarded(),
      clock,
      metrics,
      log: silentLog,
      format: FORMAT,
      rootNamespace: 'istio-system',
    });
  }

  async stop(): Promise<void> {
    await this.#controller?.stop();
    this.#controller = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.store.close();
  }

  /** Resolves when the stage has come to rest. */
  async rest(): Promise<this> {
    let calm = 0;
    let before = -1;
    for (let turn = 0; calm < 3; turn += 1) {
      assert.ok(turn < MOST_TURNS, 'the stage does not come to rest');
      await setImmediate();
      const { revision } = await this.store.list('Freeze');
      const seen = revision + this.#reads;
      calm = seen === before ? calm + 1 : 0;
      before = seen;
    }
    return this;
  }

  async pass(ms: number): Promise<this> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      this.clock.advance(Math.min(1_000, end - this.clock.now()));
      await this.rest();
    }
    return this;
  }

  async join(...ids: readonly string[]): Promise<void> {
    const since = this.clock.now();
    for (const id of ids) await this.store.put('NodePresence', id, makePresence(id, { since }));
  }

  async apply(revision: number, fields = {}, plugin = PLUGIN): Promise<this> {
    const [namespace = '', name = ''] = plugin.split('/');
    await this.store.put('Revision', revisionKey(plugin, revision), makeRevision(revision, plugin));
    const spec = makeSpec({ namespace, name, ...fields });
    const specRevision = await this.store.put('PluginSpec', plugin, spec);
    await this.store.put('ModuleProgress', plugin, makeReady(revision, specRevision, plugin));
    return this.rest();
  }

  async act(action: RolloutAction, fields: Partial<RolloutIntent> = {}): Promise<this> {
    const id = ((await this.store.get('RolloutIntent', PLUGIN))?.value.id ?? 0) + 1;
    const rollout = (await this.latest())?.id ?? null;
    const intent = { id, plugin: PLUGIN, rollout, action, by: 'admin', at: this.clock.now(), ...fields };
    await this.store.put('RolloutIntent', PLUGIN, intent);
    return this.rest();
  }

  /** Every connected node runs what it is to run, but those that refuse this revision. */
  async answer(refused?: number, plugin = PLUGIN): Promise<this> {
    const assignment = (await this.store.get('Assignment', plugin))?.value;
    const { records } = await this.store.list('NodePresence');
    for (const { key: node, value } of records) {
      if (assignment === undefined || !value.connected) continue;
      const { revision } = findSide(assignment, node);
      const key = verdictKey(node, PLACE);
      const before = (await this.store.get('NodeVerdict', key))?.value;
      const running = before?.accepted?.plugins[0]?.revision ?? null;
      if (revision === running) continue;
      const at = this.clock.now();
      const verdict =
        revision !== null && revision === refused
          ? makeVerdict({ node, plugin, accepted: running, state: 'refused', refused: { revision, at } })
          : {
              ...makeVerdict({ node, plugin, accepted: revision, since: at }),
              refused: before?.refused ?? null,
            };
      await this.store.put('NodeVerdict', key, verdict);
    }
    return this.rest();
  }

  async rollouts(plugin = PLUGIN): Promise<Rollout[]> {
    return (await this.store.list('Rollout', `${plugin}/`)).records.map(({ value }) => value);
  }

  async latest(plugin = PLUGIN): Promise<Rollout | undefined> {
    return (await this.rollouts(plugin)).at(-1);
  }

  async events(): Promise<string[]> {
    return (await this.store.list('Event')).records.map(({ value }) => value.type);
  }

  #guarded(): Store {
    const { store } = this;
    return {
      get: (kind, key) => {
        this.#reads += 1;
        return store.get(kind, key);
      },
      list: (kind, prefix) => store.list(kind, prefix),
      put: () => assert.fail('a decision is one transaction'),
      delete: () => assert.fail('a decision is one transaction'),
      transaction: async operations => {
        await this.fault(operations);
        this.written.push(operations);
        return store.transaction(operations);
      },
      watch: (kinds, signal) => store.watch(kinds, signal),
      close: () => store.close(),
    };
  }
}

export function storeFull(): never {
  throw new StoreError('store-full', 'full');
}

export async function withStage(run: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage();
  try {
    await run(stage);
  } finally {
    stage.fault = () => {};
    await stage.close();
  }
}
