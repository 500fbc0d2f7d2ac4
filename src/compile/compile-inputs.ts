import { type Assignment, holds } from '../model/assignment.ts';
import type { NodeIdentity } from '../model/node.ts';
import { isNamed } from '../model/node-group.ts';
import { ofEach } from '../model/of-each.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { Revision } from '../model/revision.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Change } from '../store/store.ts';
import { assignPlugins, type FindRevision, type NodePlugins } from './assign-plugins.ts';
import type { SnapshotInputs } from './build-snapshot.ts';
import { type InputTurn, type KeyedNode, turnOfPlugin, turnOfResources } from './input-turn.ts';
import { type NodeResources, ResourceInputs } from './resource-inputs.ts';

/** The record kinds a snapshot is compiled from, besides the nodes. */
export const INPUT_KINDS = ['Revision', 'Assignment', 'ResourceSpec'] as const;

/** What had to be left out of a node's inputs. */
export interface LeftOut extends Omit<NodeResources, 'kept'> {
  /** Assigned revisions that are not there. */
  readonly missing: readonly string[];
}

export interface NodeInputs extends LeftOut {
  readonly inputs: SnapshotInputs;
}

/** What of the inputs a change may change: those of one plugin, or those that are resources. */
export type Effect = 'nothing' | 'resources' | { readonly plugin: PluginName };

/** The newest value of every record that snapshots are compiled from, in memory. */
export class CompileInputs {
  readonly #revisions = new Map<string, Revision>();
  readonly #assignments = new Map<PluginName, Assignment>();
  /** Those that tell nodes apart by their ids: by the sides that they are on, or by the groups of these. */
  readonly #dividing = new Map<PluginName, Assignment>();
  readonly #resources: ResourceInputs;
  readonly #rootNamespace: string;

  /** `seal` opens the secrets of resources. */
  constructor(rootNamespace: string, seal: Pick<Seal, 'open'>) {
    this.#rootNamespace = rootNamespace;
    this.#resources = new ResourceInputs(rootNamespace, seal);
  }

  /** Takes over a change, and says what it may change. */
  apply(change: Change): Effect {
    switch (change.kind) {
      case 'Revision':
        replace(this.#revisions, change.key, change.stored?.value);
        return this.#findAssigned(change.key);
      case 'Assignment': {
        const assignment = change.stored?.value;
        replace(this.#assignments, change.key, assignment);
        const divides = assignment !== undefined && tellsApart(assignment);
        replace(this.#dividing, change.key, divides ? assignment : undefined);
        return { plugin: change.key };
      }
      case 'ResourceSpec':
        this.#resources.apply(change.key, change.stored?.value);
        return 'resources';
      default:
        return 'nothing';
    }
  }

  /** Those that are kept, whether or not a side names them. */
  readonly findRevision: FindRevision = (plugin, number) => this.#revisions.get(revisionKey(plugin, number));

  /**
   * Which sides a node is on, as text: nodes of one identity and equal texts get equal inputs. Empty while no rollout
   * tells nodes apart and no group names them by their ids; it holds for as long as the Assignments do.
   */
  sidesOf(nodeId: string): string {
    let sides = '';
    for (const assignment of this.#dividing.values()) sides += `${toSideText(assignment, nodeId)};`;
    return sides;
  }

  /** For one pass over the nodes: what an effect makes of the inputs that each of them has. */
  turnOf(effect: Exclude<Effect, 'nothing'>, onLeftOut: (left: Partial<LeftOut>) => void): InputTurn {
    if (effect === 'resources')
      return turnOfResources(({ key, node }) => this.#resources.of(key, node), onLeftOut);
    const { plugin } = effect;
    const dividing = this.#dividing.get(plugin);
    const source = { revision: this.findRevision, rootNamespace: this.#rootNamespace };
    return turnOfPlugin(
      source,
      { plugin, assignment: this.#assignments.get(plugin) },
      nodeId => (dividing === undefined ? '' : toSideText(dividing, nodeId)),
      missing => onLeftOut({ missing }),
    );
  }

  /** What a node that says this of itself is to be compiled from, by the records as they stand. */
  forNode({ key, node }: KeyedNode): NodeInputs {
    const plugins = this.#assign(node);
    const { kept, ...left } = this.#resources.of(key, node);
    const inputs = {
      capabilities: node.capabilities,
      namespace: node.namespace,
      bootstrapListeners: node.bootstrap.listeners ?? [],
      plugins,
      resources: kept,
    };
    return { inputs, missing: plugins.missing, ...left };
  }

  #assign(node: NodeIdentity): NodePlugins {
    return assignPlugins(
      {
        assignments: this.#assignments.values(),
        revision: this.findRevision,
        rootNamespace: this.#rootNamespace,
      },
      node,
    );
  }

  /** A Revision is there before any side names it, as a rule: then it changes nothing yet. */
  #findAssigned(key: string): Effect {
    const plugin = key.slice(0, key.lastIndexOf('/'));
    const assignment = this.#assignments.get(plugin);
    if (assignment === undefined) return 'nothing';
    const sides = [assignment.base, ...assignment.moved.map(({ side }) => side)];
    const isNamedBy = ({ revision }: Assignment['base']) =>
      revision !== null && revisionKey(plugin, revision) === key;
    return sides.some(isNamedBy) ? { plugin } : 'nothing';
  }
}

function replace<V>(table: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) table.delete(key);
  else table.set(key, value);
}

function tellsApart(assignment: Assignment): boolean {
  const isForSome = assignment.moved.some(
    ({ nodes, except }) => nodes !== 'everyone' || (except !== undefined && except.length > 0),
  );
  return isForSome || idsOf(assignment).length > 0;
}

/** The side of one plugin that a node is on, and which of the groups that its sides target name it. */
function toSideText(assignment: Assignment, nodeId: string): string {
  const side = String(assignment.moved.findLastIndex(entry => holds(entry, nodeId)));
  return idsOf(assignment).reduce((text, nodes) => `${text}${isNamed(nodes, nodeId) ? 'y' : 'n'}`, side);
}

/** The lists of ids in the groups that its sides target: they tell apart what is equal otherwise. */
const idsOf = ofEach((assignment: Assignment): readonly (readonly string[])[] => {
  const sides = [assignment.base, ...assignment.moved.map(({ side }) => side)];
  const refs = sides.flatMap(({ placement }) => placement.targetRefs ?? []);
  return refs.flatMap(({ members }) => (members?.nodes === undefined ? [] : [members.nodes]));
});

/** Nodes of equal keys that are on the same sides get equal inputs, whatever the records are. */
export function toIdentityKey(node: NodeIdentity): string {
  const { filterChain, wasm, failReload } = node.capabilities;
  const labels = Object.entries(node.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const listeners = node.bootstrap.listeners ?? [];
  return JSON.stringify([filterChain, wasm, failReload, node.namespace, labels, listeners]);
}
