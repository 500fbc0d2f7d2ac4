import { isAsClaimed, toEffectivePresence } from '../model/effective-node.ts';
import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodePresence } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { Store, Stored } from '../store/store.ts';
import { StateMemo } from './state-memo.ts';

type Records<V> = readonly Stored<V>[];

/**
 * What was derived from the records of a store for the answer before. The store gives the same object as long as a record
 * is not written, and the same list of the kinds that it keeps: so does this, and an answer costs what has changed.
 */
export class FleetMemo {
  readonly states = new StateMemo();
  readonly #made = new Map<unknown, WeakMap<readonly unknown[], unknown>>();
  readonly #effective = new WeakMap<
    NodePresence,
    { readonly policy: NodePolicy | undefined; readonly presence: NodePresence }
  >();
  #verdicts: { readonly records: Records<NodeVerdict>; readonly byNode: VerdictsByNode } = {
    records: [],
    byNode: new Map(),
  };

  /** `make` of a list, made once for it. `make` is a function of a module, not one made for the call. */
  of<V, T>(records: Records<V>, make: (records: Records<V>) => T): T {
    const byList = this.#made.get(make) ?? new WeakMap<readonly unknown[], unknown>();
    this.#made.set(make, byList);
    const known = byList.get(records) as T | undefined;
    if (known !== undefined) return known;
    const made = make(records);
    byList.set(records, made);
    return made;
  }

  /** As what the server takes it for. */
  toEffective(claimed: NodePresence, policy: NodePolicy | undefined): NodePresence {
    if (isAsClaimed(claimed.node, policy)) return claimed;
    const known = this.#effective.get(claimed);
    if (known !== undefined && known.policy === policy) return known.presence;
    const presence = toEffectivePresence(claimed, policy);
    this.#effective.set(claimed, { policy, presence });
    return presence;
  }

  /** By node.id; the list of a node is the same while none of its verdicts is written. */
  groupVerdicts(records: Records<NodeVerdict>): VerdictsByNode {
    const before = this.#verdicts;
    if (!isSameList(records, before.records))
      this.#verdicts = { records, byNode: groupByNode(records, before.byNode) };
    return this.#verdicts.byNode;
  }
}

export type VerdictsByNode = ReadonlyMap<string, readonly NodeVerdict[]>;

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** The keys begin with the node: the verdicts of each stand together. */
function groupByNode(records: Records<NodeVerdict>, before: VerdictsByNode): VerdictsByNode {
  const byNode = new Map<string, readonly NodeVerdict[]>();
  let start = 0;
  while (start < records.length) {
    const node = records[start]?.value.node ?? '';
    let end = start + 1;
    while (records[end]?.value.node === node) end += 1;
    const known = before.get(node);
    byNode.set(
      node,
      known !== undefined && isRun(known, records, start, end) ? known : take(records, start, end),
    );
    start = end;
  }
  return byNode;
}

function isRun(
  known: readonly NodeVerdict[],
  records: Records<NodeVerdict>,
  start: number,
  end: number,
): boolean {
  if (known.length !== end - start) return false;
  for (let i = start; i < end; i += 1) if (known[i - start] !== records[i]?.value) return false;
  return true;
}

function take(records: Records<NodeVerdict>, start: number, end: number): readonly NodeVerdict[] {
  return records.slice(start, end).map(({ value }) => value);
}

const memos = new WeakMap<Store, FleetMemo>();

export function memoOf(store: Store): FleetMemo {
  const known = memos.get(store);
  if (known !== undefined) return known;
  const memo = new FleetMemo();
  memos.set(store, memo);
  return memo;
}
