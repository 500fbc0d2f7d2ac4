import { matchesGlob } from './glob.ts';
import type { NodeIdentity } from './node.ts';
import { ofEach } from './of-each.ts';
import type { PluginSpec, TargetRef } from './plugin-spec.ts';

/** Nodes under one name, so that plugins can name them in `targetRefs`. Written by the API. */
export interface NodeGroup extends GroupMembers {
  readonly namespace: string;
  readonly name: string;
  /** Who applied it. */
  readonly by: string;
  readonly createdAt: number;
}

/** What chooses the nodes of a group among those of its namespace: what is there has to hold, all of it. */
export interface GroupMembers {
  /** All of these labels. */
  readonly selector?: PluginSpec['selector'];
  /** One of these ids; `*` stands for any run of characters. */
  readonly nodes?: readonly string[];
}

/** Key of its record; plugins name it without the namespace, which is their own. */
export function nodeGroupKey({ namespace, name }: Pick<NodeGroup, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** Of a node that is in the namespace. */
export function isMember(
  { selector, nodes }: GroupMembers,
  { id, labels }: Pick<NodeIdentity, 'id' | 'labels'>,
): boolean {
  const wanted = Object.entries(selector?.matchLabels ?? {});
  if (!wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)) return false;
  return nodes === undefined || isNamed(nodes, id);
}

/** Whether a node's id is one of a group's. A slash in an id means nothing: `*` takes it, too. */
export function isNamed(nodes: readonly string[], id: string): boolean {
  const { ids, patterns } = toNamed(nodes);
  return ids.has(id) || patterns.some(pattern => matchesGlob(pattern, id));
}

interface Named {
  readonly ids: ReadonlySet<string>;
  /** As globs. */
  readonly patterns: readonly string[];
}

/** A group may name thousands and is asked of for every node: each list is read once. */
const toNamed = ofEach((nodes: readonly string[]): Named => {
  const patterns = nodes.filter(name => name.includes('*')).map(name => name.replace(/\*+/g, '**'));
  return { ids: new Set(nodes), patterns };
});

/** The groups that hold a node, in the order of `groups`. A group in the root namespace holds nodes of every one. */
export function groupsOfNode(
  node: NodeIdentity,
  groups: Iterable<NodeGroup>,
  rootNamespace: string,
): readonly NodeGroup[] {
  return [...groups].filter(
    group =>
      (group.namespace === node.namespace || group.namespace === rootNamespace) && isMember(group, node),
  );
}

/**
 * A plugin with what its groups stand for now beside their names. It is stored so, and stored anew when a group changes:
 * whoever reads a plugin reads who it is for, and a changed group is a changed document to everybody. A group that is
 * not there holds nobody.
 */
export function withMembers<T extends Pick<PluginSpec, 'namespace' | 'targetRefs'>>(
  spec: T,
  groups: ReadonlyMap<string, GroupMembers>,
): T {
  if (spec.targetRefs?.some(isGroupRef) !== true) return spec;
  const targetRefs = spec.targetRefs.map(({ members: _, ...ref }): TargetRef => {
    const group = isGroupRef(ref)
      ? groups.get(nodeGroupKey({ ...ref, namespace: spec.namespace }))
      : undefined;
    return group === undefined ? ref : { ...ref, members: toMembers(group) };
  });
  return { ...spec, targetRefs };
}

export function toMembers({ selector, nodes }: GroupMembers): GroupMembers {
  return { ...(selector === undefined ? {} : { selector }), ...(nodes === undefined ? {} : { nodes }) };
}

/** Names of the groups that a plugin targets. */
export function groupNamesOf({ targetRefs = [] }: Pick<PluginSpec, 'targetRefs'>): readonly string[] {
  return [...new Set(targetRefs.filter(isGroupRef).map(({ name }) => name))];
}

function isGroupRef({ kind }: TargetRef): boolean {
  return kind === 'NodeGroup';
}
