import { toListenerAddresses } from './listener-address.ts';
import type { NodeIdentity } from './node.ts';
import { compareAge, type ResourceSpec } from './resource.ts';
import { canMeet, selects } from './selector.ts';

/** Two listeners that would be on one address of a node; Envoy refuses the second. The older document is served. */
export interface AddressConflict {
  /** `tcp 0.0.0.0:443` */
  readonly address: string;
  readonly kept: ResourceSpec;
  readonly dropped: ResourceSpec;
  /** A known node that both select; undefined: there is none yet. */
  readonly node: string | undefined;
}

/**
 * Which of these documents put two listeners on one address of a node: a known node, or any node at all where one
 * selects everything that the other does. Those of one Envoy name are not told here. Pure.
 */
export function findAddressConflicts(
  specs: readonly ResourceSpec[],
  nodes: readonly NodeIdentity[],
  rootNamespace: string,
): readonly AddressConflict[] {
  return findPairs(specs).flatMap(({ address, kept, dropped }) => {
    if (!canMeet(kept, dropped, nodes, rootNamespace)) return [];
    const node = nodes.find(one => selects(kept, one, rootNamespace) && selects(dropped, one, rootNamespace));
    return [{ address, kept, dropped, node: node?.id }];
  });
}

/** Of the documents for one node, at most one listener on each address, the oldest, and what that leaves out. Pure. */
export function keepOnePerAddress(specs: readonly ResourceSpec[]): {
  readonly kept: readonly ResourceSpec[];
  readonly conflicts: readonly Pick<AddressConflict, 'address' | 'kept' | 'dropped'>[];
} {
  const holders = new Map<string, ResourceSpec>();
  const dropped = new Set<ResourceSpec>();
  const conflicts: Pick<AddressConflict, 'address' | 'kept' | 'dropped'>[] = [];
  for (const listener of listenersByAge(specs)) {
    const addresses = toListenerAddresses(listener.resource);
    const taken = addresses.find(address => holders.has(address));
    const kept = taken === undefined ? undefined : holders.get(taken);
    if (taken === undefined || kept === undefined)
      for (const address of addresses) holders.set(address, listener);
    else {
      dropped.add(listener);
      conflicts.push({ address: taken, kept, dropped: listener });
    }
  }
  return { kept: specs.filter(spec => !dropped.has(spec)), conflicts };
}

function findPairs(
  specs: readonly ResourceSpec[],
): readonly Pick<AddressConflict, 'address' | 'kept' | 'dropped'>[] {
  const onAddress = new Map<string, ResourceSpec[]>();
  const pairs: Pick<AddressConflict, 'address' | 'kept' | 'dropped'>[] = [];
  for (const listener of listenersByAge(specs))
    for (const address of toListenerAddresses(listener.resource)) {
      const others = onAddress.get(address) ?? [];
      onAddress.set(address, [...others, listener]);
      pairs.push(...others.map(kept => ({ address, kept, dropped: listener })));
    }
  return pairs;
}

function listenersByAge(specs: readonly ResourceSpec[]): readonly ResourceSpec[] {
  return specs.filter(({ type }) => type === 'listeners').toSorted(compareAge);
}
