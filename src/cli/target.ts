import { findNearestName } from '../model/nearest-name.ts';
import { XDS_TYPES } from '../model/type-url.ts';
import { CliError } from './cli-error.ts';
import { toPath } from './rest-client.ts';

/** What a verb is about: a plugin, a node, or a raw resource of some type. */
export interface Target {
  /** As people say it: `plugin`, `listener`, `node`. */
  readonly word: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
}

/** As people type it; `secret` is Envoy's. */
export const PULL_SECRET_WORDS: readonly string[] = [
  'pullsecret',
  'pullsecrets',
  'pull-secret',
  'pull-secrets',
];

export const NODE_GROUP_WORDS: readonly string[] = ['nodegroup', 'nodegroups', 'node-group', 'node-groups'];

const RESOURCE_TYPES = XDS_TYPES.map(type => type.plural);

/** `listener`, `listeners` → `listeners`; undefined for what is no resource type. */
export function findResourceType(word: string): string | undefined {
  return RESOURCE_TYPES.find(plural => word === plural || word === toSingular(plural));
}

/** `listeners` → `listener`. */
export function toSingular(plural: string): string {
  return plural.replace(/s$/, '');
}

/** `NAME` or `NAMESPACE/NAME`; `-n` says the namespace of the first form. */
export function parseName(text: string, namespace: string | undefined): { namespace: string; name: string } {
  const parts = text.split('/');
  const [first, second] = parts;
  if (parts.length === 2 && first && second) return { namespace: first, name: second };
  if (parts.length === 1 && first) return { namespace: namespace ?? 'default', name: first };
  throw new CliError('bad-usage', `${text}: expected NAME or NAMESPACE/NAME`);
}

/** `<namespace>/<name>` as short as it can be typed: the default namespace is left out. */
export function toTypedName(name: string): string {
  return name.replace(/^default\//, '');
}

/** A kind and a name as typed, e.g. `plugin auth`, `listener edge/ingress`, `node edge-1`. */
export function parseTarget(kind: string, text: string, namespace: string | undefined): Target {
  const word = kind.toLowerCase();
  if (word === 'node' || word === 'nodes')
    return { word: 'node', namespace: '', name: text, path: toPath('v1', 'nodes', text) };
  const named = parseName(text, namespace);
  if (word === 'plugin' || word === 'plugins' || word === 'wasmplugin')
    return { word: 'plugin', ...named, path: toPath('v1', 'plugins', named.namespace, named.name) };
  if (PULL_SECRET_WORDS.includes(word))
    return { word: 'pullsecret', ...named, path: toPath('v1', 'pullsecrets', named.namespace, named.name) };
  if (NODE_GROUP_WORDS.includes(word))
    return { word: 'nodegroup', ...named, path: toPath('v1', 'nodegroups', named.namespace, named.name) };
  const type = findResourceType(word);
  if (type === undefined)
    throw toUnknownKind(kind, [
      'plugin',
      'node',
      'nodegroup',
      'pullsecret',
      ...RESOURCE_TYPES.map(toSingular),
    ]);
  return {
    word: toSingular(type),
    ...named,
    path: toPath('v1', 'resources', type, named.namespace, named.name),
  };
}

/** Names the nearest of the words that would do, else all of them. */
export function toUnknownKind(word: string, known: readonly string[]): CliError {
  const nearest = findNearestName(word.toLowerCase(), known);
  return new CliError('bad-usage', `${word}: no such kind`, {
    hint: nearest === undefined ? `Known: ${known.join(', ')}` : `Did you mean ${nearest}?`,
  });
}
