import assert from 'node:assert/strict';
import { findSide, holds, revisionOn } from '../../src/model/assignment.ts';
import type { Freeze } from '../../src/model/fleet-records.ts';
import type { NodeIdentity, NodePresence } from '../../src/model/node.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import type { ModuleProgress, Revision } from '../../src/model/revision.ts';
import type { Rollout, RolloutPhase } from '../../src/model/rollout.ts';
import type { RolloutAction, RolloutIntent } from '../../src/model/rollout-intent.ts';
import { decideRollout } from '../../src/rollout/decide-rollout.ts';
import { FleetNode } from '../../src/rollout/fleet-node.ts';
import { RollCall } from '../../src/rollout/roll-call.ts';
import type { MovingRollout, News, RolloutFacts, RolloutRecords } from '../../src/rollout/rollout-facts.ts';
import {
  FORMAT,
  makePresence,
  makeReady,
  makeRevision,
  makeSpec,
  makeVerdict,
  PLACE,
  PLUGIN,
  type VerdictFields,
} from './records.ts';

/** How a node answers what it is sent: `takes`, `refuses` (all but those in its list), or not at all. */
export type Manner = 'takes' | 'refuses' | 'silent' | 'fetching';

/**
 * One plugin and its nodes, driven by hand: the decision is made after each change, and always twice, so that every
 * test shows that it settles. Nodes answer when `answer` is called, by their manner.
 */
export class World {
  now = 1_000_000;
  startedAt = 0;
  format = FORMAT;
  spec: { value: PluginSpec; revision: number } | undefined;
  progress: ModuleProgress | undefined;
  readonly revisions = new Map<number, Revision>();
  records: RolloutRecords = { assignment: undefined, rollouts: [], nodes: undefined, quarantine: new Map() };
  intent: RolloutIntent | undefined;
  freeze: Freeze | undefined;
  readonly fleet = new Map<string, FleetNode>();
  readonly excluded = new Set<string>();
  readonly metrics = new Map<string, NodeMetrics>();
  suspects: MovingRollout[] = [];
  readonly manners = new Map<string, Manner>();
  readonly refuses = new Set<number>();
  news: News[] = [];
  wakeAt: number | null = null;
  #rollCall = new RollCall();
  /** By node, what the roll call was told of. */
  #known = new Map<string, readonly unknown[]>();

  constructor(nodes: number | readonly string[] = 0) {
    const ids = typeof nodes === 'number' ? Array.from({ length: nodes }, (_, i) => `edge-${i + 1}`) : nodes;
    for (const id of ids) this.join(id);
  }

  /** Another world in which all this has happened. */
  copy(): World {
    const copy = Object.assign(new World(), this, { suspects: [...this.suspects], news: [...this.news] });
    for (const own of ['revisions', 'excluded', 'metrics', 'manners', 'refuses'] as const)
      Object.assign(copy, { [own]: structuredClone(this[own]) });
    Object.assign(copy, { fleet: new Map(this.fleet) });
    return copy;
  }

  /** `rollCall`: one that knows nothing yet, where it is not given. */
  facts(rollCall = new RollCall()): RolloutFacts {
    const { spec, progress, revisions, records, intent, freeze, fleet, excluded } = this;
    return {
      plugin: PLUGIN,
      spec,
      progress,
      revisions,
      records,
      intent,
      freeze,
      fleet,
      refusing: new Set([...fleet].filter(([, { verdicts }]) => verdicts.some(isRefusal)).map(([id]) => id)),
      rollCall,
      excluded,
      metrics: id => this.metrics.get(id),
      suspects: () => this.suspects,
      format: this.format,
      rootNamespace: 'istio-system',
      now: this.now,
      startedAt: this.startedAt,
    };
  }

  decide(): this {
    this.#noteChanges();
    const decision = decideRollout(this.facts(this.#rollCall));
    const { records, news, wakeAt } = decision;
    assert.deepEqual(
      decideRollout(this.facts()),
      decision,
      'what is remembered of the nodes changes no decision',
    );
    if (records !== this.records) this.records = throughStore(this.records, records);
    this.news.push(...news);
    this.wakeAt = wakeAt;
    const again = decideRollout(this.facts(this.#rollCall));
    assert.equal(again.records, this.records, 'deciding again changes nothing');
    assert.deepEqual(again.news, []);
    return this;
  }

  #noteChanges(): void {
    const known = this.#known;
    this.#known = new Map(
      [...new Set([...known.keys(), ...this.fleet.keys(), ...this.metrics.keys(), ...this.excluded])].map(
        id => [id, [this.fleet.get(id), this.metrics.get(id), this.excluded.has(id)]],
      ),
    );
    const isOther = (id: string): boolean =>
      this.#known.get(id)?.some((part, index) => part !== known.get(id)?.[index]) === true;
    this.#rollCall.note([...this.#known.keys()].filter(isOther));
  }

  /** Goes on to a time, and decides whenever a decision asked for it on the way. */
  pass(ms: number): this {
    const end = this.now + ms;
    this.decide();
    while (this.wakeAt !== null && this.wakeAt <= end) {
      this.now = Math.max(this.now, this.wakeAt);
      this.decide();
    }
    this.now = end;
    return this.decide();
  }

  /** A document that asks for a revision, its module ready. */
  apply(revision: number, fields: Partial<PluginSpec> = {}): this {
    this.revisions.set(revision, makeRevision(revision));
    this.document(fields);
    this.progress = makeReady(revision, this.spec?.revision ?? 0);
    return this.decide();
  }

  document(fields: Partial<PluginSpec> = {}): this {
    this.spec = { value: makeSpec(fields), revision: (this.spec?.revision ?? 10) + 1 };
    return this;
  }

  /** The module stage's word on the newest document. */
  module(fields: Omit<ModuleProgress, 'plugin' | 'specRevision' | 'since'>): this {
    this.progress = { plugin: PLUGIN, specRevision: this.spec?.revision ?? 0, since: this.now, ...fields };
    return this.decide();
  }

  act(action: RolloutAction, fields: Partial<RolloutIntent> = {}): this {
    const id = (this.intent?.id ?? 0) + 1;
    const rollout = this.records.rollouts.at(-1)?.id ?? null;
    this.intent = { id, plugin: PLUGIN, rollout, action, by: 'admin', at: this.now, ...fields };
    return this.decide();
  }

  join(id: string, node: Partial<NodeIdentity> = {}): this {
    const presence = makePresence(id, { since: this.now });
    const verdicts = [makeVerdict({ node: id, accepted: null })];
    this.fleet.set(id, new FleetNode({ ...presence, node: { ...presence.node, ...node } }, verdicts));
    return this;
  }

  leave(...ids: readonly string[]): this {
    for (const id of ids) this.#presence(id, { connected: false, since: this.now });
    return this;
  }

  back(...ids: readonly string[]): this {
    for (const id of ids) this.#presence(id, { connected: true, since: this.now });
    return this;
  }

  /** Attaché is killed, is away for a while, and starts; every node went, and has yet to come back. */
  restart(awayMs = 0): this {
    this.now += awayMs;
    this.startedAt = this.now;
    const lastSign = Math.max(0, ...[...this.fleet.values()].map(({ presence }) => presence.since));
    for (const [id, node] of this.fleet) {
      const { connected, since } = node.presence;
      this.fleet.set(id, toOther(node, { expected: connected || since >= lastSign - 60_000 }));
      if (connected) this.leave(id);
    }
    return this;
  }

  /** Every connected node answers what it is to run now. */
  answer(...ids: readonly string[]): this {
    for (const id of ids.length === 0 ? this.fleet.keys() : ids) this.#answer(id);
    return this.decide();
  }

  /** What a node is to run. */
  wanted(id: string): number | null {
    const { assignment } = this.records;
    const node = this.fleet.get(id)?.presence.node;
    if (assignment === undefined || node === undefined || this.spec === undefined) return null;
    return revisionOn(findSide(assignment, id), { namespace: 'default' }, node, 'istio-system');
  }

  running(id: string): number | null {
    return this.#verdict(id)?.accepted?.plugins[0]?.revision ?? null;
  }

  moved(): string[] {
    return [...this.fleet.keys()].filter(id => {
      const { assignment } = this.records;
      return assignment?.moved.some(entry => holds(entry, id)) === true;
    });
  }

  latest(): Rollout {
    return this.records.rollouts.at(-1) ?? assert.fail('there is no rollout');
  }

  phase(): RolloutPhase {
    return this.latest().phase;
  }

  types(): string[] {
    return this.news.map(({ type }) => type);
  }

  verdict(id: string, verdict: NodeVerdict): this {
    const node = this.fleet.get(id) ?? assert.fail(id);
    this.fleet.set(id, toOther(node, { verdicts: [verdict] }));
    return this;
  }

  #verdict(id: string): NodeVerdict | undefined {
    return this.fleet.get(id)?.verdicts[0];
  }

  #presence(id: string, fields: Partial<NodePresence>): void {
    const node = this.fleet.get(id) ?? assert.fail(id);
    this.fleet.set(id, toOther(node, { presence: { ...node.presence, ...fields } }));
  }

  #answer(id: string): void {
    const node = this.fleet.get(id);
    if (node === undefined || !node.presence.connected) return;
    const before = this.#verdict(id)?.refused ?? null;
    const answer = makeVerdict({ node: id, slot: PLACE, since: this.now, ...this.#toAnswer(id) });
    this.verdict(id, { ...answer, refused: answer.refused ?? before });
  }

  #toAnswer(id: string): VerdictFields {
    const wanted = this.wanted(id);
    const running = this.running(id);
    const manner = this.manners.get(id) ?? 'takes';
    if (wanted === running) return { accepted: running };
    if (manner === 'silent') return { state: 'sent', tried: wanted, accepted: running };
    if (manner === 'fetching') return { state: 'fetching', tried: wanted, accepted: running };
    if (wanted === null || (manner !== 'refuses' && !this.refuses.has(wanted))) return { accepted: wanted };
    const refused = { revision: wanted, at: this.now };
    return { state: 'refused', tried: running, accepted: running, refused };
  }
}

function isRefusal({ refused }: NodeVerdict): boolean {
  return refused !== null;
}

/** Records as they come back from a store: what was written is another object, what was not is the one known. */
function throughStore(
  known: RolloutRecords,
  { quarantine, rollouts, ...rest }: RolloutRecords,
): RolloutRecords {
  return {
    ...structuredClone(rest),
    rollouts: rollouts.map(one => (known.rollouts.includes(one) ? one : structuredClone(one))),
    quarantine: new Map(quarantine),
  };
}

/** What a copy of a world has is not changed with it. */
export function toOther(
  { presence, verdicts, expected }: FleetNode,
  other: Partial<Pick<FleetNode, 'presence' | 'verdicts' | 'expected'>>,
): FleetNode {
  const node = new FleetNode(other.presence ?? presence, other.verdicts ?? verdicts);
  node.expected = other.expected ?? expected;
  return node;
}
