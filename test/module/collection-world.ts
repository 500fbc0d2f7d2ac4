import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type fc from 'fast-check';
import { findModuleHolds, isHeld } from '../../src/model/module-holds.ts';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { Revision } from '../../src/model/revision.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import type { BlobCache } from '../../src/module/blob-cache.ts';
import { type CollectorOptions, collectGarbage } from '../../src/module/collect-garbage.ts';
import { readHoldRecords } from '../../src/module/read-holds.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, rolloutKey, verdictKey } from '../../src/store/record-kinds.ts';
import {
  makeAssignment,
  makeConfig,
  makeRollout,
  makeSide,
  makeSpec,
  makeVerdict,
  PLUGIN,
} from '../model/records.ts';
import { openTestCache } from './actors.ts';

const HOUR_MS = 3_600_000;
const bytesOf = (module: number) => Buffer.from(`module ${module}`);
export const shaOf = (module: number) => sha256Hex(`module ${module}`);

/**
 * One plugin over a real cache on disk and a store in memory. Each of its acts is the steps that the stages take, with
 * a gate between any two where others may come first; whenever a gate opens, everything held must be on disk.
 */
export class CollectionWorld {
  readonly store = createMemoryStore();
  readonly #gates: fc.Scheduler;
  readonly #directory: string;
  readonly #pushed = new Set<string>();
  #cache: BlobCache;
  #now = 1_000 * HOUR_MS;
  /** Pulls under way: while there are any, at most 50 minutes go by. */
  #pulls = 0;
  #sincePull = 0;
  /** Counts down to a crash in the middle of deleting. */
  #removalsLeft = Number.POSITIVE_INFINITY;

  private constructor(gates: fc.Scheduler, directory: string, cache: BlobCache) {
    this.#gates = gates;
    this.#directory = directory;
    this.#cache = cache;
  }

  static async open(gates: fc.Scheduler, directory: string): Promise<CollectionWorld> {
    const world = new CollectionWorld(gates, directory, await openTestCache(directory));
    await world.restart();
    return world;
  }

  /** As after a crash: what is in memory is gone. */
  async restart(): Promise<void> {
    this.#cache = await openTestCache(this.#directory, { clock: { now: () => this.#now } });
    this.#removalsLeft = Number.POSITIVE_INFINITY;
  }

  /** The module stage: the bytes, some time for checks, the revision; then the rollout stage moves all nodes. */
  async pull(module: number): Promise<void> {
    this.#pulls++;
    const cache = this.#cache;
    if (!(await cache.has(shaOf(module)))) {
      await this.#gate('fetch');
      await cache.write([bytesOf(module)], { maxBytes: 100, expected: shaOf(module) });
    }
    await this.#gate('check');
    const number = await this.#record(module);
    this.#pulls--;
    await this.#gate('roll out');
    await this.#move(number);
    await this.#gate('node');
    const verdict = makeVerdict(number, number);
    await this.store.put('NodeVerdict', verdictKey('edge-1', verdict.slot), verdict);
  }

  /** As a plan does: the bytes and no record. */
  async plan(module: number): Promise<void> {
    await this.#gate('plan');
    await this.#cache.write([bytesOf(module)], { maxBytes: 100 });
  }

  async undo(): Promise<void> {
    const last = (await this.#rollouts()).at(-1);
    await this.#gate('undo');
    if (last?.from.revision != null && (await this.store.get('Assignment', PLUGIN)) !== undefined)
      await this.#move(last.from.revision);
  }

  /** To none, and forgotten at once, as `delete --now` and three days later. */
  async delete(purge: boolean): Promise<void> {
    await this.#move(null);
    await this.#gate('deleted');
    if (!purge || this.#pulls > 0) return;
    const rollouts = await this.store.list('Rollout');
    await this.store.transaction([
      { op: 'delete', kind: 'PluginSpec', key: PLUGIN },
      { op: 'delete', kind: 'ModuleProgress', key: PLUGIN },
      { op: 'delete', kind: 'Assignment', key: PLUGIN },
      ...rollouts.records.map(({ key }) => ({ op: 'delete', kind: 'Rollout', key }) as const),
    ]);
  }

  /** Into the built-in registry; what was pushed may be deleted there. */
  async push(module: number): Promise<void> {
    await this.#cache.write([bytesOf(module)], { maxBytes: 100 });
    await this.#gate('pushed');
    if (!this.#pushed.delete(shaOf(module))) this.#pushed.add(shaOf(module));
  }

  async pass(hours: number): Promise<void> {
    await this.#gate('time');
    const ms = this.#pulls === 0 ? hours * HOUR_MS : Math.min(hours * HOUR_MS, 50 * 60_000 - this.#sincePull);
    this.#sincePull = this.#pulls === 0 ? 0 : this.#sincePull + ms;
    this.#now += ms;
  }

  /** After so many deletions Attaché is killed and comes back. */
  async collect(neededBytes: number, removals: number): Promise<void> {
    this.#removalsLeft = removals;
    const cache = new Proxy(this.#cache, {
      get: (target, name) => {
        if (name === 'remove') return (sha256: string, since: number) => this.#remove(target, sha256, since);
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const options: CollectorOptions = {
      store: this.store,
      cache,
      registryHeld: async () => {
        await this.#gate('registry');
        return { named: new Set(this.#pushed), loose: new Set(), isWhole: true };
      },
      clock: { now: () => this.#now, after: () => () => {} },
      log: silentLog,
    };
    await collectGarbage(options, neededBytes).catch(error => assert.equal(error, CRASH));
  }

  async #remove(cache: BlobCache, sha256: string, since: number): Promise<boolean> {
    if (this.#removalsLeft-- <= 0) throw CRASH;
    await this.#gate('remove');
    const removed = await cache.remove(sha256, since);
    await this.check();
    return removed;
  }

  async check(): Promise<void> {
    const holds = findModuleHolds(await readHoldRecords(this.store, this.#now));
    const held = [...holds].flatMap(([sha256, list]) => (isHeld(list) ? [sha256] : []));
    for (const sha256 of [...held, ...this.#pushed])
      assert.ok(existsSync(join(this.#directory, 'blobs', 'sha256', sha256)), `${sha256} was deleted`);
  }

  async #gate(name: string): Promise<void> {
    await this.#gates.schedule(Promise.resolve(), name);
    await this.check();
  }

  async #record(module: number): Promise<number> {
    const { records } = await this.store.list('Revision');
    const same = records.find(({ value }) => value.module.sha256 === shaOf(module))?.value.number;
    const number = same ?? records.length + 1;
    const revision: Revision = {
      plugin: PLUGIN,
      number,
      contentHash: `${module}`,
      configHash: 'c',
      config: makeConfig(),
      module: { sha256: shaOf(module), sizeBytes: 9, url: 'u', layout: 'cncf', abi: '0.2.1', importCount: 0 },
      createdAt: this.#now,
    };
    const progress = { plugin: PLUGIN, specRevision: 1, state: 'ready', revision: number, since: 1 } as const;
    await this.store.transaction([
      { op: 'put', kind: 'PluginSpec', key: PLUGIN, value: makeSpec() },
      { op: 'put', kind: 'Revision', key: revisionKey(PLUGIN, number), value: revision },
      { op: 'put', kind: 'ModuleProgress', key: PLUGIN, value: progress },
    ]);
    return number;
  }

  async #rollouts(): Promise<readonly Rollout[]> {
    return (await this.store.list('Rollout')).records.map(({ value }) => value);
  }

  async #move(revision: number | null): Promise<void> {
    const from = (await this.store.get('Assignment', PLUGIN))?.value.base.revision ?? null;
    const number = ((await this.#rollouts()).at(-1)?.number ?? 0) + 1;
    const [old, next] = [makeSide(from), makeSide(revision)];
    const rollout = makeRollout({ number, from: old, to: next, endedAt: this.#now });
    await this.store.transaction([
      { op: 'put', kind: 'Rollout', key: rolloutKey(PLUGIN, number), value: rollout },
      { op: 'put', kind: 'Assignment', key: PLUGIN, value: makeAssignment({ base: next }) },
    ]);
  }
}

const CRASH = new Error('killed');
