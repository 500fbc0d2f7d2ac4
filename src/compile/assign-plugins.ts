import type { Assignment } from '../model/assignment.ts';
import type { ListenerFacts, NodeIdentity } from '../model/node.ts';
import {
  PHASES,
  type PluginName,
  type PluginSpec,
  type TrafficMatch,
  toPluginName,
} from '../model/plugin-spec.ts';
import type { Revision } from '../model/revision.ts';
import { selects } from '../model/selector.ts';

/** All plugins, and which revisions of them are in force. */
export interface PluginInputs {
  readonly plugins: Iterable<PluginSpec>;
  assignment(plugin: PluginName): Assignment | undefined;
  revision(plugin: PluginName, number: number): Revision | undefined;
  readonly rootNamespace: string;
}

/** A plugin at the revision a node is to run. */
export interface AssignedPlugin {
  readonly spec: PluginSpec;
  readonly revision: Revision;
  /** Names of the listeners it is meant for (targetRefs of kind Listener); undefined: every one. */
  readonly onlyListeners: readonly string[] | undefined;
}

/** What a node gets, in chain order. `fallback` has every plugin at its good revision. */
export interface NodePlugins {
  readonly wanted: readonly AssignedPlugin[];
  readonly fallback: readonly AssignedPlugin[];
  /** Assigned revisions that are not there: left out until they are. */
  readonly missing: readonly string[];
}

/** Which plugins a node gets, at which revisions. A node without a Wasm runtime gets none. */
export function assignPlugins(inputs: PluginInputs, node: NodeIdentity): NodePlugins {
  const wanted: AssignedPlugin[] = [];
  const fallback: AssignedPlugin[] = [];
  const missing: string[] = [];
  for (const spec of node.capabilities.wasm ? inputs.plugins : []) {
    const assignment = inputs.assignment(toPluginName(spec));
    if (assignment === undefined || !selects(spec, node, inputs.rootNamespace)) continue;
    const onlyListeners = toOnlyListeners(spec, node, inputs.rootNamespace);
    const add = (to: AssignedPlugin[], number: number | null): void => {
      if (number === null) return;
      const revision = inputs.revision(assignment.plugin, number);
      if (revision !== undefined) to.push({ spec, revision, onlyListeners });
      else missing.push(`${assignment.plugin} revision ${number}`);
    };
    add(wanted, assignment.revision);
    add(fallback, assignment.good);
  }
  const order = compareInChain(inputs.rootNamespace);
  return { wanted: wanted.sort(order), fallback: fallback.sort(order), missing };
}

/** Chain order: phase, higher priority, own namespace before root, creation time, name, namespace. */
export function compareInChain(rootNamespace: string): (a: AssignedPlugin, b: AssignedPlugin) => number {
  const isRoot = (plugin: AssignedPlugin): number => (plugin.spec.namespace === rootNamespace ? 1 : 0);
  return (a, b) =>
    phaseIndex(a) - phaseIndex(b) ||
    b.revision.config.priority - a.revision.config.priority ||
    isRoot(a) - isRoot(b) ||
    a.spec.createdAt - b.spec.createdAt ||
    compareText(a.spec.name, b.spec.name) ||
    compareText(a.spec.namespace, b.spec.namespace);
}

function phaseIndex(plugin: AssignedPlugin): number {
  return PHASES.findIndex(({ phase }) => phase === plugin.revision.config.phase);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A reference that selects the node as a whole lifts the restriction that Listener references make. */
function toOnlyListeners(
  spec: PluginSpec,
  node: NodeIdentity,
  rootNamespace: string,
): readonly string[] | undefined {
  const refs = spec.targetRefs ?? [];
  const names = refs.filter(ref => ref.kind === 'Listener').map(ref => ref.name);
  if (names.length === 0) return undefined;
  const others = refs.filter(ref => ref.kind !== 'Listener');
  const { namespace } = spec;
  if (others.some(ref => selects({ namespace, targetRefs: [ref] }, node, rootNamespace))) return undefined;
  return names;
}

/** Whether a plugin belongs on a listener: its Listener references, and one entry of `match`. */
export function matchesListener(plugin: AssignedPlugin, listener: ListenerFacts): boolean {
  const { match } = plugin.revision.config;
  if (plugin.onlyListeners !== undefined && !plugin.onlyListeners.includes(listener.name)) return false;
  return match.length === 0 || match.some(entry => matchesTraffic(entry, listener));
}

/** Whether it belongs on every listener there could be. */
export function matchesEveryListener(plugin: AssignedPlugin): boolean {
  const { match } = plugin.revision.config;
  if (plugin.onlyListeners !== undefined) return false;
  return match.length === 0 || match.some(entry => isAnyMode(entry) && isAnyPort(entry));
}

/** https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/#WasmPlugin-TrafficSelector */
function matchesTraffic(entry: TrafficMatch, listener: ListenerFacts): boolean {
  const mode = listener.trafficDirection === 'INBOUND' ? 'SERVER' : 'CLIENT';
  if (!isAnyMode(entry) && entry.mode !== mode) return false;
  return isAnyPort(entry) || (entry.ports ?? []).includes(listener.port);
}

function isAnyMode(entry: TrafficMatch): boolean {
  return entry.mode === undefined || entry.mode === 'CLIENT_AND_SERVER';
}

function isAnyPort(entry: TrafficMatch): boolean {
  return entry.ports === undefined || entry.ports.length === 0;
}
