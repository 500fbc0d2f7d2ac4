import { type Assignment, holds } from '../model/assignment.ts';
import type { NodePresence } from '../model/node.ts';
import { isMember } from '../model/node-group.ts';
import type { Selecting } from '../model/selector.ts';

/**
 * Nodes by what tells their chains apart: where they are selected, what their Envoy can do, which places and
 * listeners they have, and which sides they are on. `asked` are all selectors there are: labels that none of them
 * names tell nothing apart. One of each group stands for all of it.
 */
export function groupEqualNodes(
  nodes: readonly NodePresence[],
  assignments: readonly Assignment[],
  asked: readonly Pick<Selecting, 'selector' | 'targetRefs'>[],
): readonly (readonly [NodePresence, ...NodePresence[]])[] {
  const placements = assignments.flatMap(({ base, moved }) => [base, ...moved.map(({ side }) => side)]);
  const selectors = [...asked, ...placements.map(({ placement }) => placement)];
  const keys = new Set(selectors.flatMap(({ selector }) => Object.keys(selector?.matchLabels ?? {})));
  // What a reference looks at is for the selector to know.
  const all = selectors.some(({ targetRefs }) => targetRefs !== undefined);
  // A group may hold single nodes, whatever their labels.
  const named = selectors.flatMap(({ targetRefs = [] }) =>
    targetRefs.flatMap(({ members }) => members ?? []),
  );
  const moving = assignments.filter(({ moved }) => moved.length > 0);
  const groups = new Map<string, [NodePresence, ...NodePresence[]]>();
  for (const presence of nodes) {
    const { id, namespace, labels, capabilities, bootstrap } = presence.node;
    const seen = Object.entries(labels).filter(([key]) => all || keys.has(key));
    const sides = moving.map(({ moved }) => moved.findLastIndex(entry => holds(entry, id)));
    const key = JSON.stringify([
      namespace,
      seen.sort(),
      capabilities,
      bootstrap.listeners,
      presence.slots,
      sides,
      named.map(group => isMember(group, presence.node)),
    ]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [presence]);
    else group.push(presence);
  }
  return [...groups.values()];
}
