import { type AddressConflict, keepOnePerAddress } from '../model/address-conflicts.ts';
import { type Assignment, findSide, holds, revisionOn } from '../model/assignment.ts';
import { keepOldest, type NameConflict } from '../model/name-conflicts.ts';
import type { NodeIdentity } from '../model/node.ts';
import { isNamed } from '../model/node-group.ts';
import { findOnlyListeners } from '../model/plugin-listeners.ts';
import { parsePluginName } from '../model/plugin-spec.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { ResourceSpec } from '../model/resource.ts';
import { openResource } from '../model/resource-secret.ts';
import type { Revision } from '../model/revision.ts';
import { selects } from '../model/selector.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Change } from '../store/store.ts';
import { assignPlugins, type FindRevision } from './assign-plugins.ts';
import type { SnapshotInputs } from './build-snapshot.ts';

/** The record kinds a snapshot is compiled from, besides the nodes. */
export const INPUT_KINDS = ['Revision', 'Assignment', 'ResourceSpec'] as const;

/** What one node's inputs are, and what had to be left out of them. */
export interface NodeInputs {
  readonly inputs: SnapshotInputs;
  readonly missing: readonly string[];
  readonly conflicts: readonly NameConflict[];
  readonly addressConflicts: readonly Pick<AddressConflict, 'address' | 'kept' | 'dropped'>[];
  /** Documents with secrets that do not open, by store key: they are left out. */
  readonly closed: readonly string[];
}

/** Whose snapshots a change may change. */
export type Effect = 'nothing' | 'everything' | AssignmentChange;

/** Those of the nodes for which `isSame` is false. */
export interface AssignmentChange {
  readonly before: Assignment | undefined;
  readonly after: Assignment | undefined;
}

/** The newest value of every record that snapshots are compiled from, in memory. */
export class CompileInputs {
  readonly #revisions = new Map<string, Revision>();
  readonly #assignments = new Map<string, Assignment>();
  /** Those whose nodes are not all on one side: the others tell no nodes apart. */
  readonly #divided = new Map<string, Assignment>();
  /** The ids by which groups of their sides choose nodes: they tell apart what is equal otherwise. */
  readonly #naming = new Map<string, readonly (readonly string[])[]>();
  /** With their secrets. */
  readonly #resources = new Map<string, ResourceSpec>();
  readonly #closed = new Map<string, ResourceSpec>();
  readonly #rootNamespace: string;
  readonly #seal: Pick<Seal, 'open'>;

  /** `seal` opens the secrets of resources. */
  constructor(rootNamespace: string, seal: Pick<Seal, 'open'>) {
    this.#rootNamespace = rootNamespace;
    this.#seal = seal;
  }

  /** Takes over a change, and says whose snapshots it may change. */
  apply(change: Change): Effect {
    switch (change.kind) {
      case 'Revision':
        replace(this.#revisions, change.key, change.stored?.value);
        return this.#isAssigned(change.key) ? 'everything' : 'nothing';
      case 'Assignment':
        return this.#replaceAssignment(change.key, change.stored?.value);
      case 'ResourceSpec':
        this.#replaceResource(change.key, change.stored?.value);
        return 'everything';
      default:
        return 'nothing';
    }
  }

  /** Those that are kept, whether or not a side names them. */
  readonly findRevision: FindRevision = (plugin, number) => this.#revisions.get(revisionKey(plugin, number));

  /** Whether a node gets the same of a plugin before and after. */
  isSame({ before, after }: AssignmentChange, node: NodeIdentity): boolean {
    const root = this.#rootNamespace;
    return toPart(before, node, root) === toPart(after, node, root);
  }

  /**
   * Which sides a node is on, as text: nodes of one identity and equal texts get equal inputs. Empty while no rollout
   * is under way and no group names nodes by their ids; it holds for as long as the Assignments do.
   */
  sidesOf(nodeId: string): string {
    const sides: number[] = [];
    for (const { moved } of this.#divided.values())
      sides.push(moved.findLastIndex(entry => holds(entry, nodeId)));
    for (const lists of this.#naming.values())
      for (const nodes of lists) sides.push(isNamed(nodes, nodeId) ? 1 : 0);
    return sides.join(',');
  }

  #replaceResource(key: string, spec: ResourceSpec | undefined): void {
    const resource = spec === undefined ? undefined : openResource(this.#seal, spec);
    const isOpen = spec !== undefined && resource !== undefined;
    replace(this.#resources, key, isOpen ? { ...spec, resource } : undefined);
    replace(this.#closed, key, isOpen ? undefined : spec);
  }

  #replaceAssignment(plugin: string, after: Assignment | undefined): AssignmentChange {
    const before = this.#assignments.get(plugin);
    replace(this.#divided, plugin, after?.moved.length === 0 ? undefined : after);
    replace(this.#assignments, plugin, after);
    const naming = after === undefined ? [] : idsOf(after);
    replace(this.#naming, plugin, naming.length === 0 ? undefined : naming);
    return { before, after };
  }

  /** A Revision is there before any side names it, as a rule: then it changes nothing yet. */
  #isAssigned(key: string): boolean {
    const assignment = this.#assignments.get(key.slice(0, key.lastIndexOf('/')));
    if (assignment === undefined) return false;
    const sides = [assignment.base, ...assignment.moved.map(({ side }) => side)];
    return sides.some(
      ({ revision }) => revision !== null && revisionKey(assignment.plugin, revision) === key,
    );
  }

  /** What a node that says this of itself is to be compiled from, by the records as they stand. */
  forNode(node: NodeIdentity): NodeInputs {
    const plugins = assignPlugins(
      {
        assignments: [...this.#assignments.values()],
        revision: this.findRevision,
        rootNamespace: this.#rootNamespace,
      },
      node,
    );
    const isFor = (spec: ResourceSpec) => selects(spec, node, this.#rootNamespace);
    const { kept: named, conflicts } = keepOldest([...this.#resources.values()].filter(isFor));
    const { kept, conflicts: addressConflicts } = keepOnePerAddress(named);
    const closed = [...this.#closed].filter(([, spec]) => isFor(spec)).map(([key]) => key);
    const inputs = {
      capabilities: node.capabilities,
      namespace: node.namespace,
      bootstrapListeners: node.bootstrap.listeners ?? [],
      plugins,
      resources: kept,
    };
    return { inputs, missing: plugins.missing, conflicts, addressConflicts, closed };
  }
}

function replace<V>(table: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) table.delete(key);
  else table.set(key, value);
}

/** The lists of ids in the groups that its sides target. */
function idsOf({ base, moved }: Assignment): readonly (readonly string[])[] {
  const sides = [base, ...moved.map(({ side }) => side)];
  const refs = sides.flatMap(({ placement }) => placement.targetRefs ?? []);
  return refs.flatMap(({ members }) => (members?.nodes === undefined ? [] : [members.nodes]));
}

const NOWHERE = '';

/** All that assignPlugins reads of an Assignment for a node, as text. */
function toPart(assignment: Assignment | undefined, node: NodeIdentity, rootNamespace: string): string {
  if (assignment === undefined) return NOWHERE;
  const { base, createdAt, plugin } = assignment;
  const name = parsePluginName(plugin);
  const parts = [findSide(assignment, node.id), base].map(side => {
    const revision = revisionOn(side, name, node, rootNamespace);
    return revision === null
      ? null
      : [revision, findOnlyListeners(name, side.placement, node, rootNamespace) ?? null];
  });
  return parts.every(part => part === null) ? NOWHERE : JSON.stringify([createdAt, parts]);
}

/** Nodes of equal keys that are on the same sides get equal inputs, whatever the records are. */
export function toIdentityKey(node: NodeIdentity): string {
  const { filterChain, wasm, failReload } = node.capabilities;
  const labels = Object.entries(node.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const listeners = node.bootstrap.listeners ?? [];
  return JSON.stringify([filterChain, wasm, failReload, node.namespace, labels, listeners]);
}
