import type { NodeIdentity } from './node.ts';
import { type PluginName, type PluginSpec, parsePluginName } from './plugin-spec.ts';

/** What a token is about. What is absent bounds nothing; with neither it is about everything. */
export interface Scope {
  /** What plugin names begin with: `edge/`, a namespace, or `edge/auth`, which is also the beginning of `edge/auth-v2`. */
  readonly plugins?: string;
  /** Labels that all nodes in it have. */
  readonly nodes?: Readonly<Record<string, string>>;
}

/** What chooses the nodes of a document: its labels alone are looked at. */
export type Reach = Pick<PluginSpec, 'selector'>;

export const EVERYTHING: Scope = Object.freeze({});

export function isEverything({ plugins, nodes }: Scope): boolean {
  return plugins === undefined && nodes === undefined;
}

/** A prefix names a whole namespace at least: `edge` alone would also be the beginning of `edge-2/…`. */
export function isPluginPrefix(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[-a-z0-9.]{0,253}$/.test(text);
}

export function isNameInScope({ plugins }: Scope, plugin: PluginName): boolean {
  return plugins === undefined || plugin.startsWith(plugins);
}

/**
 * Whether a document can reach only nodes of the scope, whichever nodes there are or come: its selector asks for every
 * label of the scope. Whether the nodes of now have them proves nothing for those that join tomorrow.
 */
export function isReachInScope({ nodes = {} }: Scope, { selector }: Reach): boolean {
  return hasLabels(selector?.matchLabels ?? {}, nodes);
}

/** A node that plugins of the scope can be on. */
export function isNodeInScope(
  scope: Scope,
  { namespace, labels }: Pick<NodeIdentity, 'namespace' | 'labels'>,
  rootNamespace: string,
): boolean {
  const { plugins, nodes = {} } = scope;
  const wanted = plugins === undefined ? undefined : parsePluginName(plugins).namespace;
  const inNamespace = wanted === undefined || wanted === rootNamespace || wanted === namespace;
  return inNamespace && hasLabels(labels, nodes);
}

function hasLabels(
  actual: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(actual, key) && actual[key] === value);
}

/** `plugins edge/…, nodes with tier=edge`; of everything `everything`. */
export function toScopeText({ plugins, nodes }: Scope): string {
  const parts = [
    ...(plugins === undefined ? [] : [`plugins ${plugins}…`]),
    ...(nodes === undefined ? [] : [`nodes with ${toLabelText(nodes)}`]),
  ];
  return parts.length === 0 ? 'everything' : parts.join(', ');
}

/** `tier=edge,zone=a`: as `--nodes` takes it. */
export function toLabelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
