import type { NodeIdentity } from './node.ts';
import { ofEach } from './of-each.ts';
import { type PluginName, type PluginSpec, toCanonicalJson } from './plugin-spec.ts';
import { selects } from './selector.ts';

/**
 * Who runs which revision of a plugin. Written by the rollout stage only; read by compile.
 *
 * A node runs the side of the last entry of `moved` that holds it, otherwise `base`. A rollout adds an entry and
 * lets it grow; success makes its side the base; going back empties `moved`. A rollout that superseded an
 * unfinished one has that one's entry before its own: nodes not reached yet keep what they have.
 */
export interface Assignment {
  readonly plugin: PluginName;
  /** When the plugin was created: breaks ties in chain order. */
  readonly createdAt: number;
  /** What was proven last. A process whose content is unknown begins with it; going back leads to it. */
  readonly base: Side;
  readonly moved: readonly Moved[];
  /** A desired state that is not to be tried again by itself (it failed, or a person undid it). */
  readonly held?: HeldTarget;
  readonly since: number;
}

/** One state of a plugin in a fleet: which nodes it is for, and what they run. */
export interface Side {
  /** null: the plugin is on no node. */
  readonly revision: number | null;
  readonly placement: Placement;
  /** The compiler's format number: an upgrade of Attaché that changes bytes is a rollout too. */
  readonly format: number;
}

/** Beside the plugin's namespace, what chooses its nodes. */
export type Placement = Pick<PluginSpec, 'selector' | 'targetRefs'>;

export interface Moved {
  /** Id of the rollout. */
  readonly rollout: string;
  readonly side: Side;
  /** Node ids; `everyone` also holds the nodes still to come. */
  readonly nodes: readonly string[] | 'everyone';
  /** Node ids that `everyone` leaves out: excluded nodes stay on what was proven. */
  readonly except?: readonly string[];
  /** When the entry was made: an older refusal belongs to an earlier try. */
  readonly since: number;
}

export interface HeldTarget {
  /** Store revision of the PluginSpec that asked for it. */
  readonly specRevision: number;
  readonly revision: number | null;
}

/** The same revision on the same nodes, however it is compiled. Where there is no plugin, its placement says nothing. */
export function isSameAim(
  a: Pick<Side, 'revision' | 'placement'>,
  b: Pick<Side, 'revision' | 'placement'>,
): boolean {
  if (a.revision !== b.revision) return false;
  return a.revision === null || toCanonicalJson(a.placement) === toCanonicalJson(b.placement);
}

/** The side a node is on, whether or not that side's placement selects it. */
export function findSide(assignment: Assignment, nodeId: string): Side {
  return assignment.moved.findLast(entry => holds(entry, nodeId))?.side ?? assignment.base;
}

/** The revision that a node is to run by this side; null: none. */
export function revisionOn(
  side: Side,
  plugin: { readonly namespace: string },
  node: NodeIdentity,
  rootNamespace: string,
): number | null {
  if (side.revision === null) return null;
  const { namespace } = plugin;
  const { selector, targetRefs } = side.placement;
  return selects({ namespace, selector, targetRefs }, node, rootNamespace) ? side.revision : null;
}

export function holds(entry: Moved, nodeId: string): boolean {
  if (entry.nodes === 'everyone') return entry.except === undefined || !toSet(entry.except).has(nodeId);
  return toSet(entry.nodes).has(nodeId);
}

/** Lists are long and asked of for every node; each is made a set once. */
const toSet = ofEach((ids: readonly string[]): ReadonlySet<string> => new Set(ids));
