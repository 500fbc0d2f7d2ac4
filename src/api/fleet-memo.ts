import { isAsClaimed, toEffectivePresence } from '../model/effective-node.ts';
import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodeIdentity, NodePresence } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { Store, Stored } from '../store/store.ts';
import { StateMemo } from './state-memo.ts';
import { ListedVerdicts, type VerdictsByNode } from './verdicts-by-node.ts';

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
  #taken: Taken = { records: [], policies: new Map(), nodes: [], claims: new Map() };
  #verdicts = new ListedVerdicts([]);

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

  /** Nodes as what the server takes them for, and what those say of themselves that it takes for something else. */
  takeNodes(records: Records<NodePresence>, policies: Policies): Taken {
    if (records === this.#taken.records && policies === this.#taken.policies) return this.#taken;
    const claims = new Map<string, NodeIdentity>();
    const nodes = records.map(({ key, value }) => {
      const effective = this.#toEffective(value, policies.get(key));
      if (effective !== value) claims.set(key, value.node);
      return effective;
    });
    this.#taken = { records, policies, nodes, claims };
    return this.#taken;
  }

  #toEffective(claimed: NodePresence, policy: NodePolicy | undefined): NodePresence {
    if (isAsClaimed(claimed.node, policy)) return claimed;
    const known = this.#effective.get(claimed);
    if (known !== undefined && known.policy === policy) return known.presence;
    const presence = toEffectivePresence(claimed, policy);
    this.#effective.set(claimed, { policy, presence });
    return presence;
  }

  /** The list of a node is the same while none of its verdicts is written. */
  groupVerdicts(records: Records<NodeVerdict>): VerdictsByNode {
    if (!this.#verdicts.isOf(records)) this.#verdicts = new ListedVerdicts(records, this.#verdicts.made);
    return this.#verdicts;
  }
}

type Policies = ReadonlyMap<string, NodePolicy>;

interface Taken {
  readonly records: Records<NodePresence>;
  readonly policies: Policies;
  readonly nodes: readonly NodePresence[];
  readonly claims: ReadonlyMap<string, NodeIdentity>;
}

const memos = new WeakMap<Store, FleetMemo>();

export function memoOf(store: Store): FleetMemo {
  const known = memos.get(store);
  if (known !== undefined) return known;
  const memo = new FleetMemo();
  memos.set(store, memo);
  return memo;
}
