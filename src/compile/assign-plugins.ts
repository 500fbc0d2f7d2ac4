import { type Assignment, findSide, revisionOn, type Side } from '../model/assignment.ts';
import { type ChainLink, compareInChain } from '../model/chain-order.ts';
import type { NodeIdentity } from '../model/node.ts';
import { findOnlyListeners, type ListenerChoice } from '../model/plugin-listeners.ts';
import { type PluginName, parsePluginName } from '../model/plugin-spec.ts';
import type { Revision } from '../model/revision.ts';

export type FindRevision = (plugin: PluginName, number: number) => Revision | undefined;

/** Who runs which revision of all plugins. */
export interface PluginInputs {
  readonly assignments: readonly Assignment[];
  readonly revision: FindRevision;
  readonly rootNamespace: string;
}

/** A plugin at the revision a node is to run. */
export interface AssignedPlugin extends ChainLink, ListenerChoice {
  readonly revision: Revision;
}

/** What a node gets, in chain order. `fallback` has every plugin as it was proven last. */
export interface NodePlugins {
  readonly wanted: readonly AssignedPlugin[];
  readonly fallback: readonly AssignedPlugin[];
  /** Assigned revisions that are not there: left out until they are. */
  readonly missing: readonly string[];
}

/** Which plugins a node gets, at which revisions. A node without a Wasm runtime gets none. */
export function assignPlugins(inputs: PluginInputs, node: NodeIdentity): NodePlugins {
  const missing = new Set<string>();
  const order = compareInChain(inputs.rootNamespace);
  const collect = (sideOf: (assignment: Assignment) => Side): readonly AssignedPlugin[] =>
    inputs.assignments
      .map(assignment => assignPlugin(inputs, node, assignment, sideOf(assignment), missing))
      .filter(plugin => plugin !== undefined)
      .sort(order);
  if (!node.capabilities.wasm) return { wanted: [], fallback: [], missing: [] };
  const wanted = collect(assignment => findSide(assignment, node.id));
  const fallback = collect(assignment => assignment.base);
  return { wanted, fallback, missing: [...missing] };
}

function assignPlugin(
  { rootNamespace, revision: findRevision }: PluginInputs,
  node: NodeIdentity,
  { plugin, createdAt }: Assignment,
  side: Side,
  missing: Set<string>,
): AssignedPlugin | undefined {
  const name = parsePluginName(plugin);
  const number = revisionOn(side, name, node, rootNamespace);
  if (number === null) return undefined;
  const revision = findRevision(plugin, number);
  if (revision === undefined) {
    missing.add(`${plugin} revision ${number}`);
    return undefined;
  }
  const { phase, priority, match } = revision.config;
  const onlyListeners = findOnlyListeners(name, side.placement, node, rootNamespace);
  return { plugin, phase, priority, createdAt, match, onlyListeners, revision };
}
