import type { NodeIdentity } from './node.ts';
import { isMember } from './node-group.ts';
import type { PluginSpec, TargetRef } from './plugin-spec.ts';

/** What selection looks at; a PluginSpec and a ResourceSpec both are one. */
export type Selecting = Pick<PluginSpec, 'namespace'> & {
  readonly [Field in 'selector' | 'targetRefs']?: PluginSpec[Field] | undefined;
};

/** The first thing that keeps a node from being selected. `actual` undefined: the node has no such label. */
export interface SelectionMiss {
  readonly what: 'namespace' | 'label' | 'targetRef';
  /** The label key; the targetRef's kind. */
  readonly key: string;
  readonly wanted: string;
  readonly actual: string | undefined;
}

/** Labels by which a Gateway API gateway's Envoys are known. */
export const REF_LABELS: Readonly<Partial<Record<TargetRef['kind'], string>>> = {
  Gateway: 'gateway.networking.k8s.io/gateway-name',
  GatewayClass: 'gateway.networking.k8s.io/gateway-class-name',
};

/**
 * Whether a document selects a node: the document's namespace (the root namespace means every one), all of
 * `selector.matchLabels`, one of `targetRefs`. What a node is able to run is not asked here.
 * https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/#WasmPlugin
 */
export function selects(plugin: Selecting, node: NodeIdentity, rootNamespace: string): boolean {
  return findSelectionMiss(plugin, node, rootNamespace) === undefined;
}

/**
 * Whether two documents without targetRefs can select one node: a known one, or any at all where one of them selects
 * everything that the other does.
 */
export function canMeet(
  a: Selecting,
  b: Selecting,
  nodes: readonly NodeIdentity[],
  rootNamespace: string,
): boolean {
  if (includes(a, b, rootNamespace) || includes(b, a, rootNamespace)) return true;
  return nodes.some(node => selects(a, node, rootNamespace) && selects(b, node, rootNamespace));
}

/** Whether `wide` selects every node that `narrow` does. */
function includes(wide: Selecting, narrow: Selecting, rootNamespace: string): boolean {
  if (wide.namespace !== rootNamespace && wide.namespace !== narrow.namespace) return false;
  const narrowLabels = narrow.selector?.matchLabels ?? {};
  return Object.entries(wide.selector?.matchLabels ?? {}).every(
    ([key, value]) => Object.hasOwn(narrowLabels, key) && narrowLabels[key] === value,
  );
}

/** Why a node is not selected, or undefined when it is. */
export function findSelectionMiss(
  plugin: Selecting,
  node: NodeIdentity,
  rootNamespace: string,
): SelectionMiss | undefined {
  if (plugin.namespace !== rootNamespace && plugin.namespace !== node.namespace)
    return { what: 'namespace', key: 'namespace', wanted: plugin.namespace, actual: node.namespace };
  return findLabelMiss(plugin, node) ?? findRefMiss(plugin.targetRefs, node);
}

function findLabelMiss(plugin: Selecting, node: NodeIdentity): SelectionMiss | undefined {
  const wants = plugin.selector?.matchLabels;
  if (wants === undefined) return undefined;
  for (const key of Object.keys(wants)) {
    const wanted = wants[key] ?? '';
    const actual = labelOf(node, key);
    if (actual !== wanted) return { what: 'label', key, wanted, actual };
  }
  return undefined;
}

function findRefMiss(refs: readonly TargetRef[] | undefined, node: NodeIdentity): SelectionMiss | undefined {
  const first = refs?.[0];
  if (refs === undefined || first === undefined || refs.some(ref => refSelects(ref, node))) return undefined;
  const label = REF_LABELS[first.kind];
  const actual = label === undefined ? undefined : labelOf(node, label);
  return { what: 'targetRef', key: first.kind, wanted: first.name, actual };
}

/** A Listener reference chooses among a node's listeners, so it selects the node. */
function refSelects(ref: TargetRef, node: NodeIdentity): boolean {
  if (ref.kind === 'Listener') return true;
  if (ref.kind === 'NodeGroup') return ref.members !== undefined && isMember(ref.members, node);
  const label = REF_LABELS[ref.kind];
  return label !== undefined && labelOf(node, label) === ref.name;
}

function labelOf(node: NodeIdentity, key: string): string | undefined {
  return Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;
}
