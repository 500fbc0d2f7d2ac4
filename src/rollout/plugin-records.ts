import type { Assignment } from '../model/assignment.ts';
import type { Quarantine } from '../model/fleet-records.ts';
import type { PluginName, PluginSpec } from '../model/plugin-spec.ts';
import type { ModuleProgress, Revision } from '../model/revision.ts';
import { isActive, type Rollout, type RolloutNodes } from '../model/rollout.ts';
import type { RolloutIntent } from '../model/rollout-intent.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { quarantineKey, rolloutKey } from '../store/record-kinds.ts';
import type { Change, Expected, Operation, Store, Stored } from '../store/store.ts';
import type { ChangeLog } from './change-log.ts';
import { findUnproven } from './live-at-once.ts';
import { RollCall } from './roll-call.ts';
import type { RolloutRecords } from './rollout-facts.ts';

/** All records about one plugin, with their store revisions where this stage writes them. */
export class PluginRecords {
  readonly #plugin: PluginName;
  spec: Stored<PluginSpec> | undefined;
  progress: ModuleProgress | undefined;
  intent: RolloutIntent | undefined;
  readonly #revisions = new Map<number, Revision>();
  #assignment: Stored<Assignment> | undefined;
  readonly #rollouts = new Map<number, Stored<Rollout>>();
  readonly #quarantine = new Map<string, Stored<Quarantine>>();
  #nodes: Stored<RolloutNodes> | undefined;
  #own: RolloutRecords | undefined;
  /** What the decisions before worked out of the fleet, as far as it was when they were made. */
  #rollCall = new RollCall();
  /** How far it knows the changes of the fleet; undefined: it knows nothing of any node. */
  #seen: number | undefined;
  /** The last decision said when to look again: until then nodes may matter as well. */
  waits = false;

  constructor(plugin: PluginName) {
    this.#plugin = plugin;
  }

  get revisions(): ReadonlyMap<number, Revision> {
    return this.#revisions;
  }

  /** Takes a change in; false: it is one that this stage made itself and knows. `last` is the end of the key. */
  apply(change: Change, last: string): boolean {
    switch (change.kind) {
      case 'PluginSpec':
        this.spec = change.stored;
        return true;
      case 'ModuleProgress':
        this.progress = change.stored?.value;
        return true;
      case 'RolloutIntent':
        this.intent = change.stored?.value;
        return true;
      case 'Revision':
        if (change.stored === undefined) this.#revisions.delete(Number(last));
        else this.#revisions.set(Number(last), change.stored.value);
        return true;
      case 'Assignment':
        if (isKnown(this.#assignment, change.stored)) return false;
        this.#assignment = change.stored;
        break;
      case 'Rollout':
        if (!replace(this.#rollouts, Number(last), change.stored)) return false;
        break;
      case 'Quarantine':
        if (!replace(this.#quarantine, last, change.stored)) return false;
        break;
      default:
        return false;
    }
    this.#own = undefined;
    return true;
  }

  isEmpty(): boolean {
    const own = this.#assignment !== undefined || this.#rollouts.size > 0 || this.#quarantine.size > 0;
    return !own && !this.spec && !this.progress && !this.intent && this.#revisions.size === 0;
  }

  /** A rollout is under way, or has left something on nodes. */
  isOpen(): boolean {
    const latest = this.own().rollouts.at(-1);
    if (this.waits || (this.#assignment?.value.moved.length ?? 0) > 0) return true;
    if (latest === undefined) return false;
    return (
      isActive(latest) || latest.phase === 'RollbackIncomplete' || findUnproven(this.own()) !== undefined
    );
  }

  hasMoved(node: string): boolean {
    return movedBy(this.own().nodes).has(node);
  }

  /** With all that changed in the fleet by now. */
  callRoll(changes: ChangeLog): RollCall {
    if (this.#seen !== undefined) this.#rollCall.note(changes.since(this.#seen));
    this.#seen = changes.end;
    return this.#rollCall;
  }

  /** Nodes do not matter to it any more: what is known of them is as long as the fleet. */
  dismiss(): void {
    if (this.#seen === undefined) return;
    this.#rollCall = new RollCall();
    this.#seen = undefined;
  }

  /** What this stage wrote. */
  own(): RolloutRecords {
    this.#own ??= this.#collect();
    return this.#own;
  }

  #collect(): RolloutRecords {
    const rollouts = [...this.#rollouts.values()].map(({ value }) => value);
    rollouts.sort((a, b) => a.number - b.number);
    const nodes = this.#nodes?.value;
    return {
      assignment: this.#assignment?.value,
      rollouts,
      nodes: nodes?.rollout === rollouts.at(-1)?.id ? nodes : undefined,
      quarantine: new Map([...this.#quarantine].map(([hash, { value }]) => [hash, value])),
    };
  }

  /** Reads the nodes of the newest rollout where they matter and are not known. */
  async load(store: Store): Promise<void> {
    const latest = this.own().rollouts.at(-1);
    if (latest === undefined || this.own().nodes !== undefined || !this.isOpen()) return;
    this.#nodes = await store.get('RolloutNodes', rolloutKey(this.#plugin, latest.number));
    this.#own = undefined;
  }

  /** Reads all that this stage wrote anew: somebody else wrote in between. */
  async reload(store: Store): Promise<void> {
    this.#assignment = await store.get('Assignment', this.#plugin);
    const rollouts = await store.list('Rollout', `${this.#plugin}/`);
    this.#rollouts.clear();
    for (const stored of rollouts.records) this.#rollouts.set(stored.value.number, stored);
    const quarantine = await store.list('Quarantine', `${this.#plugin}/`);
    this.#quarantine.clear();
    for (const stored of quarantine.records) this.#quarantine.set(stored.value.contentHash, stored);
    this.#nodes = undefined;
    this.#own = undefined;
    await this.load(store);
  }

  /** The writes that lead from what is known to `next`, each expecting what is known. */
  toOperations(next: RolloutRecords): Operation[] {
    return [
      ...this.#toAssignmentWrite(next),
      ...this.#toRolloutWrites(next),
      ...this.#toNodesWrite(next),
      ...this.#toQuarantineWrites(next),
    ];
  }

  /** Takes over what was written at this store revision. */
  written(operations: readonly Operation[], revision: number): void {
    for (const operation of operations) {
      if (operation.op === 'check' || operation.op === 'append') continue;
      const { kind, key } = operation;
      const last = key.split('/')[2] ?? '';
      const value = operation.op === 'put' ? operation.value : undefined;
      const stored = value && { key, value, revision, createdRevision: revision };
      if (kind === 'RolloutNodes' && value !== undefined) this.#nodes = stored as Stored<RolloutNodes>;
      else this.apply({ kind, key, initial: false, stored } as Change, last);
    }
    this.#own = undefined;
  }

  #toAssignmentWrite({ assignment }: RolloutRecords): Operation[] {
    const known = this.#assignment;
    const key = this.#plugin;
    if (assignment === known?.value) return [];
    const at = { kind: 'Assignment', key, expected: toExpected(known) } as const;
    if (assignment !== undefined) return [{ op: 'put', ...at, value: assignment }];
    // It goes because its plugin went: somebody may have brought that back.
    return [
      { op: 'delete', ...at },
      { op: 'check', kind: 'PluginSpec', key, expected: 'absent' },
    ];
  }

  #toRolloutWrites({ rollouts }: RolloutRecords): Operation[] {
    const kept = new Set(rollouts.map(({ number }) => number));
    const gone = [...this.#rollouts.values()].filter(({ value }) => !kept.has(value.number));
    const put = rollouts.flatMap((value): Operation[] => {
      const known = this.#rollouts.get(value.number);
      if (known?.value === value) return [];
      const key = rolloutKey(this.#plugin, value.number);
      return [{ op: 'put', kind: 'Rollout', key, value, expected: toExpected(known) }];
    });
    const removed = gone.flatMap(({ key, revision }): Operation[] => [
      { op: 'delete', kind: 'Rollout', key, expected: revision },
      { op: 'delete', kind: 'RolloutNodes', key },
    ]);
    return [...put, ...removed];
  }

  #toNodesWrite({ nodes, rollouts }: RolloutRecords): Operation[] {
    const latest = rollouts.at(-1);
    if (nodes === undefined || latest === undefined || nodes === this.#nodes?.value) return [];
    const key = rolloutKey(this.#plugin, latest.number);
    const expected = this.#nodes?.key === key ? this.#nodes.revision : 'absent';
    return [{ op: 'put', kind: 'RolloutNodes', key, value: nodes, expected }];
  }

  #toQuarantineWrites({ quarantine }: RolloutRecords): Operation[] {
    const put = [...quarantine].flatMap(([hash, value]): Operation[] => {
      const known = this.#quarantine.get(hash);
      if (known?.value === value) return [];
      const key = quarantineKey(this.#plugin, hash);
      return [{ op: 'put', kind: 'Quarantine', key, value, expected: toExpected(known) }];
    });
    const removed = [...this.#quarantine]
      .filter(([hash]) => !quarantine.has(hash))
      .map(
        ([, { key, revision }]): Operation => ({ op: 'delete', kind: 'Quarantine', key, expected: revision }),
      );
    return [...put, ...removed];
  }
}

function toExpected(known: Stored<unknown> | undefined): Expected {
  return known?.revision ?? 'absent';
}

/** An echo of what this stage wrote, or of something older. */
function isKnown(known: Stored<unknown> | undefined, stored: Stored<unknown> | undefined): boolean {
  return stored === undefined
    ? known === undefined
    : known !== undefined && known.revision >= stored.revision;
}

function replace<K, V>(map: Map<K, Stored<V>>, key: K, stored: Stored<V> | undefined): boolean {
  if (isKnown(map.get(key), stored)) return false;
  if (stored === undefined) map.delete(key);
  else map.set(key, stored);
  return true;
}
