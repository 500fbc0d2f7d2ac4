import { toEffectiveNode } from '../model/effective-node.ts';
import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodeIdentity } from '../model/node.ts';
import type { SnapshotInputs } from './build-snapshot.ts';
import { toIdentityKey } from './compile-inputs.ts';
import type { KeyedNode } from './input-turn.ts';

export interface KnownNode extends KeyedNode {
  /** What it says of itself; `node` is what the server takes it for. */
  readonly claimed: NodeIdentity;
  readonly policy: NodePolicy | undefined;
  /** What its snapshot is compiled from; undefined: nothing was found for it yet. */
  inputs: SnapshotInputs | undefined;
}

/** Nodes that have a label each of their own share none. */
const MAX_KEYS = 1_000;

/** The nodes of the fleet, and what the server side fixes of them. */
export class KnownNodes {
  readonly #nodes = new Map<string, KnownNode>();
  /** Of nodes known or not. */
  readonly #policies = new Map<string, NodePolicy>();
  /** By what a node said of itself, which each of its streams and pushes brings again: a key costs 3 µs. */
  readonly #identified = new WeakMap<NodeIdentity, KeyedNode & Pick<KnownNode, 'policy'>>();
  /** Equal keys as one string: each change looks all of them up, and to compare texts is to fetch them from memory. */
  readonly #keys = new Map<string, string>();

  get size(): number {
    return this.#nodes.size;
  }

  get(id: string): KnownNode | undefined {
    return this.#nodes.get(id);
  }

  all(): MapIterator<KnownNode> {
    return this.#nodes.values();
  }

  /** The node, when it is another than before; undefined: it is as it was, or gone. */
  take(id: string, claimed: NodeIdentity | undefined): KnownNode | undefined {
    if (claimed === undefined) {
      this.#nodes.delete(id);
      return undefined;
    }
    const was = this.#nodes.get(id);
    const policy = this.#policies.get(id);
    // Most writes of a presence are about something else.
    if (was?.claimed === claimed && was.policy === policy) return undefined;
    const { key, node } = this.identify(claimed);
    const isSame = was?.key === key;
    const known: KnownNode = { key, node, claimed, policy, inputs: isSame ? was.inputs : undefined };
    this.#nodes.set(id, known);
    return isSame ? undefined : known;
  }

  /** As `take`, of the node that the policy is for. */
  takePolicy(id: string, policy: NodePolicy | undefined): KnownNode | undefined {
    if (policy === undefined) this.#policies.delete(id);
    else this.#policies.set(id, policy);
    const known = this.#nodes.get(id);
    return known && this.take(id, known.claimed);
  }

  /** What the server takes a node for that says this of itself. */
  identify(claimed: NodeIdentity): KeyedNode {
    const policy = this.#policies.get(claimed.id);
    const before = this.#identified.get(claimed);
    if (before !== undefined && before.policy === policy) return before;
    const node = toEffectiveNode(claimed, policy);
    const identified = { key: this.#toOne(toIdentityKey(node)), node, policy };
    this.#identified.set(claimed, identified);
    return identified;
  }

  #toOne(key: string): string {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear();
    this.#keys.set(key, key);
    return key;
  }
}
