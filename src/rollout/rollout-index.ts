import type { Assignment } from '../model/assignment.ts';
import type { NodePresence } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import type { ModuleProgress } from '../model/revision.ts';
import type { Change, Stored } from '../store/store.ts';
import type { PluginFacts } from './decide-assignment.ts';

/** The kinds that the index is fed with. */
export const WATCHED_KINDS = [
  'PluginSpec',
  'ModuleProgress',
  'Revision',
  'Assignment',
  'NodeVerdict',
  'NodePresence',
] as const;

/** What the store holds, arranged by plugin, so that a change of one node costs only the plugins it mentions. */
export class RolloutIndex {
  readonly #specs = new Map<PluginName, number>();
  readonly #progress = new Map<PluginName, ModuleProgress>();
  readonly #revisions = new Map<PluginName, Set<number>>();
  readonly #assignments = new Map<PluginName, Stored<Assignment>>();
  /** By store key, which begins with the node. */
  readonly #verdicts = new Map<string, NodeVerdict>();
  readonly #verdictsOfPlugin = new Map<PluginName, Set<string>>();
  readonly #verdictsOfNode = new Map<string, Set<string>>();
  readonly #presences = new Map<string, NodePresence>();

  /** Takes a change in; answers the plugins that are to be decided again. */
  apply(change: Change): Iterable<PluginName> {
    const { key } = change;
    switch (change.kind) {
      case 'PluginSpec':
        setOrDelete(this.#specs, key, change.stored?.revision);
        return [key];
      case 'ModuleProgress':
        setOrDelete(this.#progress, key, change.stored?.value);
        return [key];
      case 'Assignment':
        this.setAssignment(key, change.stored);
        return [key];
      case 'Revision':
        return [this.#applyRevision(key, change.stored !== undefined)];
      case 'NodeVerdict':
        return this.#applyVerdict(key, change.stored?.value);
      case 'NodePresence':
        return this.#applyPresence(key, change.stored?.value);
      default:
        return [];
    }
  }

  assignment(plugin: PluginName): Stored<Assignment> | undefined {
    return this.#assignments.get(plugin);
  }

  setAssignment(plugin: PluginName, stored: Stored<Assignment> | undefined): void {
    setOrDelete(this.#assignments, plugin, stored);
  }

  facts(plugin: PluginName, format: number, now: number): PluginFacts {
    const assignment = this.#assignments.get(plugin)?.value;
    // Where the assigned revision is the good one, no verdict can change anything: a settled fleet costs nothing.
    const open = assignment !== undefined && assignment.revision !== assignment.good;
    const keys = open ? [...(this.#verdictsOfPlugin.get(plugin) ?? [])] : [];
    return {
      plugin,
      specRevision: this.#specs.get(plugin),
      progress: this.#progress.get(plugin),
      revisions: this.#revisions.get(plugin) ?? new Set(),
      assignment,
      verdicts: keys
        .map(key => this.#verdicts.get(key))
        .filter(verdict => verdict !== undefined)
        .map(verdict => ({ verdict, live: this.#isLive(verdict) })),
      format,
      now,
    };
  }

  #isLive({ node, process, slot }: NodeVerdict): boolean {
    const presence = this.#presences.get(node);
    return presence?.connected === true && presence.process === process && presence.slots.includes(slot);
  }

  /** The key ends with the number: a deletion brings no value. */
  #applyRevision(key: string, exists: boolean): PluginName {
    const end = key.lastIndexOf('/');
    const plugin = key.slice(0, end);
    const number = Number(key.slice(end + 1));
    if (exists) addTo(this.#revisions, plugin, number);
    else removeFrom(this.#revisions, plugin, number);
    return plugin;
  }

  #applyVerdict(key: string, verdict: NodeVerdict | undefined): Iterable<PluginName> {
    const before = this.#verdicts.get(key);
    const was = mentionedIn(before);
    const is = mentionedIn(verdict);
    for (const plugin of was) if (!is.has(plugin)) removeFrom(this.#verdictsOfPlugin, plugin, key);
    for (const plugin of is) addTo(this.#verdictsOfPlugin, plugin, key);
    if (before !== undefined) removeFrom(this.#verdictsOfNode, before.node, key);
    if (verdict !== undefined) addTo(this.#verdictsOfNode, verdict.node, key);
    setOrDelete(this.#verdicts, key, verdict);
    return new Set([...was, ...is]);
  }

  /** Most changes of a presence (the time of its last ACK) decide nothing. */
  #applyPresence(node: string, presence: NodePresence | undefined): Iterable<PluginName> {
    const before = this.#presences.get(node);
    setOrDelete(this.#presences, node, presence);
    if (toLiveText(before) === toLiveText(presence)) return [];
    const keys = [...(this.#verdictsOfNode.get(node) ?? [])];
    return new Set(keys.flatMap(key => [...mentionedIn(this.#verdicts.get(key))]));
  }
}

/** What of a presence makes a verdict live. */
function toLiveText(presence: NodePresence | undefined): string {
  return presence?.connected === true ? JSON.stringify([presence.process, presence.slots]) : '';
}

function mentionedIn(verdict: NodeVerdict | undefined): ReadonlySet<PluginName> {
  const { tried, accepted, refused } = verdict ?? {};
  const plugins = [...(tried?.plugins ?? []), ...(accepted?.plugins ?? [])].map(({ plugin }) => plugin);
  return new Set(refused?.plugin === undefined ? plugins : [...plugins, refused.plugin]);
}

function setOrDelete<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function addTo<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const values = map.get(key) ?? new Set<V>();
  map.set(key, values.add(value));
}

function removeFrom<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const values = map.get(key);
  values?.delete(value);
  if (values?.size === 0) map.delete(key);
}
