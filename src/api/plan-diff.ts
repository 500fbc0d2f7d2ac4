import type { Revision } from '../model/revision.ts';
import type { ConfigChange } from './schema/rollout-view.ts';

/**
 * What differs between two JSON values, leaf by leaf, in the order of the paths: `spec.pluginConfig.realm`,
 * `spec.match[0].ports[1].number`, `spec.selector.matchLabels["a.b/c"]`. undefined is absence; an empty object or
 * list is a leaf where the other side has none of its kind.
 */
export function diffLeaves(before: unknown, after: unknown, path: string): ConfigChange[] {
  const [was, is] = [new Map<string, string>(), new Map<string, string>()];
  collect(before, after, path, was, is);
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter(key => was.get(key) !== is.get(key))
    .toSorted(comparePaths)
    .map(key => ({ path: key, before: was.get(key) ?? null, after: is.get(key) ?? null }));
}

/** What differs between two revisions of a plugin: what they say, and the module. */
export function diffRevisions(before: Revision, after: Revision): ConfigChange[] {
  const module = diffLeaves(before.module.sha256.slice(0, 12), after.module.sha256.slice(0, 12), 'module');
  return [...diffLeaves(before.config, after.config, 'spec'), ...module];
}

type Leaves = Map<string, string>;

/** The JSON text of each leaf by its path, of both sides at once. */
function collect(before: unknown, after: unknown, path: string, was: Leaves, is: Leaves): void {
  const [old, fresh] = [childrenOf(before), childrenOf(after)];
  const sameKind = Array.isArray(before) === Array.isArray(after) && old !== undefined && fresh !== undefined;
  if (!sameKind) {
    addLeaf(before, old, path, was);
    addLeaf(after, fresh, path, is);
  }
  for (const step of new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])])) {
    // A list is no older form of an object.
    if (sameKind) collect(old.get(step), fresh.get(step), path + step, was, is);
    else {
      collect(old?.get(step), undefined, path + step, was, is);
      collect(undefined, fresh?.get(step), path + step, was, is);
    }
  }
}

function addLeaf(value: unknown, children: Children | undefined, path: string, into: Leaves): void {
  if (value !== undefined && (children === undefined || children.size === 0))
    into.set(path, JSON.stringify(value));
}

type Children = ReadonlyMap<string, unknown>;

/** What stands in an object or list, by its step in the path; undefined: the value is neither. */
function childrenOf(value: unknown): Children | undefined {
  if (Array.isArray(value)) return new Map(value.map((item, i) => [`[${i}]`, item]));
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map(Object.entries(value).map(([key, child]) => [toStep(key), child]));
}

/** A key that is no plain word stands in brackets, so that no two paths look alike. */
function toStep(key: string): string {
  return /^[A-Za-z_@$][\w$@-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** By text, but `[2]` before `[10]`. */
function comparePaths(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}
