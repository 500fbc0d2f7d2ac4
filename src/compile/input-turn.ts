import type { Assignment } from '../model/assignment.ts';
import type { NodeIdentity } from '../model/node.ts';
import { type PluginName, parsePluginName } from '../model/plugin-spec.ts';
import { type Selecting, selects } from '../model/selector.ts';
import { assignPart, type PluginPart, type PluginSource, replacePart } from './assign-plugins.ts';
import type { SnapshotInputs } from './build-snapshot.ts';
import type { NodeResources } from './resource-inputs.ts';

/** What inputs are found by. */
export interface KeyedNode {
  /** toIdentityKey of the node. */
  readonly key: string;
  readonly node: NodeIdentity;
}

/**
 * The inputs that a node gets with a change, from those that it had; the same object where nothing changes for it. Made for
 * one pass over the nodes: what had the same before and gets the same part of the change shares one object after it, so that a
 * pass makes as many inputs as there are different ones, however many nodes or other plugins there are.
 */
export type InputTurn = (inputs: SnapshotInputs, known: KeyedNode) => SnapshotInputs;

/** Another Assignment of a plugin, or another Revision that it names. `sideOf`: text by which its nodes differ. */
export function turnOfPlugin(
  source: PluginSource,
  change: { readonly plugin: PluginName; readonly assignment: Assignment | undefined },
  sideOf: (nodeId: string) => string,
  onMissing: (missing: readonly string[]) => void,
): InputTurn {
  const { plugin, assignment } = change;
  const { rootNamespace } = source;
  const choices = assignment === undefined ? [] : toChoices(assignment);
  const bySide = new Map<string, Map<string, PluginPart>>();
  const same = new Map<string, PluginPart>();
  const makePart = (node: NodeIdentity, side: string): PluginPart => {
    const chosen = choices.map(choice => (selects(choice, node, rootNamespace) ? '1' : '0')).join('');
    return getOrMake(same, `${node.capabilities.wasm}${chosen}${side}`, () => {
      const part = assignPart(source, assignment, node);
      onMissing(part.missing);
      return part;
    });
  };
  const partOf = ({ key, node }: KeyedNode): PluginPart => {
    const side = sideOf(node.id);
    const parts = bySide.get(side) ?? getOrMake(bySide, side, () => new Map<string, PluginPart>());
    return parts.get(key) ?? getOrMake(parts, key, () => makePart(node, side));
  };
  return toTurn(partOf, (inputs, part) => {
    const plugins = replacePart(inputs.plugins, plugin, part, rootNamespace);
    return plugins === inputs.plugins ? inputs : { ...inputs, plugins };
  });
}

/** All that is asked of a node for its part of an Assignment, beside its id: nodes of one answer get one part. */
function toChoices({ plugin, base, moved }: Assignment): readonly Selecting[] {
  const { namespace } = parsePluginName(plugin);
  return [base, ...moved.map(({ side }) => side)].flatMap(({ placement }) => [
    { namespace, ...placement },
    ...(placement.targetRefs ?? []).map(ref => ({ namespace, targetRefs: [ref] })),
  ]);
}

/** Other resources. */
export function turnOfResources(
  resourcesOf: (known: KeyedNode) => NodeResources,
  onLeftOut: (left: NodeResources) => void,
): InputTurn {
  return toTurn(resourcesOf, (inputs, part) => {
    onLeftOut(part);
    return inputs.resources === part.kept ? inputs : { ...inputs, resources: part.kept };
  });
}

function toTurn<P extends object>(
  partOf: (known: KeyedNode) => P,
  join: (inputs: SnapshotInputs, part: P) => SnapshotInputs,
): InputTurn {
  const joined = new Map<SnapshotInputs, Map<P, SnapshotInputs>>();
  let last: { readonly inputs: SnapshotInputs; readonly part: P; readonly made: SnapshotInputs } | undefined;
  return (inputs, known) => {
    const part = partOf(known);
    // Most have what the one before has.
    if (last?.inputs === inputs && last.part === part) return last.made;
    const byPart = joined.get(inputs) ?? getOrMake(joined, inputs, () => new Map<P, SnapshotInputs>());
    const made = byPart.get(part) ?? getOrMake(byPart, part, () => join(inputs, part));
    last = { inputs, part, made };
    return made;
  };
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
