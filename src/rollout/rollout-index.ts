import type { Freeze, NodePolicy } from '../model/fleet-records.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import { isActive } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { FREEZE_KEY } from '../store/record-kinds.ts';
import type { Change } from '../store/store.ts';
import { FleetIndex } from './fleet-index.ts';
import { PluginRecords } from './plugin-records.ts';
import type { MovingRollout, RolloutFacts } from './rollout-facts.ts';

/** The kinds that the index is fed with. RolloutNodes is read when it is needed: old ones are many and long. */
export const WATCHED_KINDS = [
  'PluginSpec',
  'ModuleProgress',
  'Revision',
  'Assignment',
  'Rollout',
  'Quarantine',
  'RolloutIntent',
  'Freeze',
  'NodePolicy',
  'NodePresence',
  'NodeVerdict',
] as const;

/** What a rollout that went back did to nodes was seen long before this is over. */
const SUSPECTED_MS = 3_600_000;

/** What a decision needs beside the records. */
export interface Surroundings {
  metrics(node: string): NodeMetrics | undefined;
  readonly format: number;
  readonly rootNamespace: string;
  readonly now: number;
  readonly startedAt: number;
}

/** What the store holds, arranged by plugin, so that a change of one node costs only the plugins that it concerns. */
export class RolloutIndex {
  readonly #plugins = new Map<PluginName, PluginRecords>();
  /** Those to whom nodes matter. */
  readonly #open = new Set<PluginName>();
  readonly #fleet = new FleetIndex();
  readonly #policies = new Map<string, NodePolicy>();
  #excluded: ReadonlySet<string> = new Set();
  #freeze: Freeze | undefined;

  /** Takes changes in, all before anything is decided on a part of them; answers the plugins that are to be decided again. */
  take(changes: readonly Change[]): ReadonlySet<PluginName> {
    const due = new Set<PluginName>();
    const mentioned = new Set<PluginName>();
    let isFleetOther = false;
    for (const change of changes) {
      const { kind, key } = change;
      // These come by the thousand: nothing is made for each. At our start every plugin is due by its own records: to gather
      // those that 10,000 nodes mention took 20 ms.
      if (kind === 'NodeVerdict')
        this.#fleet.setVerdict(key, change.stored?.value, change.initial ? undefined : mentioned);
      else if (kind === 'NodePresence')
        isFleetOther = this.#fleet.setPresence(key, change.stored?.value) || isFleetOther;
      else for (const plugin of this.#apply(change)) due.add(plugin);
    }
    for (const plugin of isFleetOther ? this.#open : mentioned) if (this.#open.has(plugin)) due.add(plugin);
    return due;
  }

  #apply(change: Change): Iterable<PluginName> {
    const { key } = change;
    switch (change.kind) {
      case 'PluginSpec':
      case 'ModuleProgress':
      case 'Revision':
      case 'Assignment':
      case 'Rollout':
      case 'Quarantine':
      case 'RolloutIntent':
        return this.#applyToPlugin(change);
      case 'Freeze':
        if (key === FREEZE_KEY) this.#freeze = change.stored?.value;
        return [...this.#plugins.keys()];
      case 'NodePolicy':
        return this.#applyPolicy(key, change.stored?.value);
      default:
        return [];
    }
  }

  /** Call once what the store held at our start is in. */
  expectConnected(): void {
    this.#fleet.expectConnected();
  }

  plugins(): Iterable<PluginName> {
    return this.#plugins.keys();
  }

  records(plugin: PluginName): PluginRecords {
    const known = this.#plugins.get(plugin) ?? new PluginRecords(plugin);
    this.#plugins.set(plugin, known);
    return known;
  }

  /** Call when the records of a plugin were written or read, or when it began or ceased to wait. */
  update(plugin: PluginName): void {
    const records = this.#plugins.get(plugin);
    if (records?.isOpen() === true) this.#open.add(plugin);
    else {
      this.#open.delete(plugin);
      records?.dismiss();
    }
  }

  /** What this node pushed of its stats changed: answers the plugins whose rollout moved it. */
  takeMetrics(node: string): readonly PluginName[] {
    this.#fleet.changes.note(node);
    return [...this.#open].filter(plugin => this.#plugins.get(plugin)?.hasMoved(node) === true);
  }

  facts(plugin: PluginName, surroundings: Surroundings): RolloutFacts {
    const records = this.records(plugin);
    let suspects: readonly MovingRollout[] | undefined;
    return {
      plugin,
      spec: records.spec,
      progress: records.progress,
      revisions: records.revisions,
      records: records.own(),
      intent: records.intent,
      freeze: this.#freeze,
      fleet: this.#fleet.nodes,
      refusing: this.#fleet.refusing,
      rollCall: records.callRoll(this.#fleet.changes),
      excluded: this.#excluded,
      suspects: () => {
        suspects ??= this.#suspects(plugin, surroundings.now);
        return suspects;
      },
      ...surroundings,
    };
  }

  #applyToPlugin(change: Change): readonly PluginName[] {
    const parts = change.key.split('/');
    const plugin = parts.slice(0, 2).join('/');
    const records = this.records(plugin);
    const isNew = records.apply(change, parts[2] ?? '');
    if (records.isEmpty()) this.#plugins.delete(plugin);
    if (isNew) this.update(plugin);
    return isNew ? [plugin] : [];
  }

  #applyPolicy(node: string, policy: NodePolicy | undefined): Iterable<PluginName> {
    const was = this.#policies.get(node)?.excluded !== undefined;
    if (policy === undefined) this.#policies.delete(node);
    else this.#policies.set(node, policy);
    const isOther = this.#fleet.setPolicy(node, policy);
    if (was === (policy?.excluded !== undefined)) return isOther ? this.#open : [];
    this.#fleet.changes.note(node);
    const excluded = [...this.#policies].filter(([, known]) => known.excluded !== undefined);
    this.#excluded = new Set(excluded.map(([id]) => id));
    return this.#open;
  }

  #suspects(but: PluginName, now: number): readonly MovingRollout[] {
    return [...this.#plugins].flatMap(([plugin, records]) => {
      const { rollouts, nodes, assignment } = records.own();
      const latest = rollouts.at(-1);
      if (plugin === but || latest === undefined || nodes === undefined) return [];
      const backAt = latest.back === undefined ? undefined : (latest.endedAt ?? Number.POSITIVE_INFINITY);
      // What was stopped where it was is on its nodes as well.
      const isThere =
        isActive(latest) || assignment?.moved.some(({ rollout }) => rollout === latest.id) === true;
      if (backAt === undefined ? !isThere : backAt <= now - SUSPECTED_MS) return [];
      const movedAt = new Map([...movedBy(nodes)].map(([id, { at }]) => [id, at]));
      const moved = new Set(movedAt.keys());
      return [{ rollout: latest.id, moved, movedAt, ...(backAt === undefined ? {} : { backAt }) }];
    });
  }
}
