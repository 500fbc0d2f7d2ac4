import { isDeepStrictEqual } from 'node:util';
import { type Assignment, findSide, revisionOn, type Side } from '../model/assignment.ts';
import { type ChainLink, compareInChain } from '../model/chain-order.ts';
import type { NodeIdentity } from '../model/node.ts';
import { findOnlyListeners, type ListenerChoice } from '../model/plugin-listeners.ts';
import { type PluginName, parsePluginName } from '../model/plugin-spec.ts';
import type { Revision } from '../model/revision.ts';
import { findPlace } from '../model/sorted-list.ts';

export type FindRevision = (plugin: PluginName, number: number) => Revision | undefined;

/** What assigned plugins are made of. */
export interface PluginSource {
  readonly revision: FindRevision;
  readonly rootNamespace: string;
}

/** Who runs which revision of all plugins. */
export interface PluginInputs extends PluginSource {
  readonly assignments: Iterable<Assignment>;
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

/** What a node gets of one plugin. */
export interface PluginPart {
  readonly wanted: AssignedPlugin | undefined;
  readonly fallback: AssignedPlugin | undefined;
  readonly missing: readonly string[];
}

export const NO_PART: PluginPart = { wanted: undefined, fallback: undefined, missing: [] };

/** Which plugins a node gets, at which revisions. A node without a Wasm runtime gets none. */
export function assignPlugins(inputs: PluginInputs, node: NodeIdentity): NodePlugins {
  if (!node.capabilities.wasm) return { wanted: [], fallback: [], missing: [] };
  const parts = [...inputs.assignments].map(assignment => assignPart(inputs, assignment, node));
  const order = compareInChain(inputs.rootNamespace);
  const collect = (which: 'wanted' | 'fallback'): readonly AssignedPlugin[] =>
    parts
      .map(part => part[which])
      .filter(plugin => plugin !== undefined)
      .sort(order);
  const missing = [...new Set(parts.flatMap(part => part.missing))];
  return { wanted: collect('wanted'), fallback: collect('fallback'), missing };
}

/** What a node gets of the plugin of an Assignment; undefined: there is none. */
export function assignPart(
  source: PluginSource,
  assignment: Assignment | undefined,
  node: NodeIdentity,
): PluginPart {
  if (assignment === undefined || !node.capabilities.wasm) return NO_PART;
  const missing = new Set<string>();
  const side = findSide(assignment, node.id);
  const fallback = assignSide(source, node, assignment, assignment.base, missing);
  const wanted = side === assignment.base ? fallback : assignSide(source, node, assignment, side, missing);
  if (wanted === undefined && fallback === undefined && missing.size === 0) return NO_PART;
  return { wanted, fallback, missing: [...missing] };
}

/** What a node gets with another part for one plugin; the same object where that is no other. */
export function replacePart(
  plugins: NodePlugins,
  plugin: PluginName,
  part: PluginPart,
  rootNamespace: string,
): NodePlugins {
  const order = compareInChain(rootNamespace);
  const wanted = replaceIn(plugins.wanted, plugin, part.wanted, order);
  const fallback = replaceIn(plugins.fallback, plugin, part.fallback, order);
  if (wanted === plugins.wanted && fallback === plugins.fallback) return plugins;
  const others = plugins.missing.filter(text => !text.startsWith(`${plugin} `));
  return { wanted, fallback, missing: [...others, ...part.missing] };
}

function replaceIn(
  plugins: readonly AssignedPlugin[],
  plugin: PluginName,
  part: AssignedPlugin | undefined,
  order: (a: AssignedPlugin, b: AssignedPlugin) => number,
): readonly AssignedPlugin[] {
  const at = plugins.findIndex(one => one.plugin === plugin);
  const before = plugins[at];
  if (before === undefined ? part === undefined : part !== undefined && isSame(before, part)) return plugins;
  const others = at < 0 ? plugins : plugins.toSpliced(at, 1);
  if (part === undefined) return others;
  // The order is total.
  return others.toSpliced(
    findPlace(others, other => order(other, part) < 0),
    0,
    part,
  );
}

function isSame(a: AssignedPlugin, b: AssignedPlugin): boolean {
  if (a === b) return true;
  return (
    a.revision === b.revision &&
    a.createdAt === b.createdAt &&
    isDeepStrictEqual(a.onlyListeners, b.onlyListeners)
  );
}

function assignSide(
  { rootNamespace, revision: findRevision }: PluginSource,
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
    missing.add(toRevisionText(plugin, number));
    return undefined;
  }
  const { phase, priority, match } = revision.config;
  const onlyListeners = findOnlyListeners(name, side.placement, node, rootNamespace);
  return { plugin, phase, priority, createdAt, match, onlyListeners, revision };
}

/** As `missing` names a revision. */
export function toRevisionText(plugin: PluginName, number: number): string {
  return `${plugin} revision ${number}`;
}
