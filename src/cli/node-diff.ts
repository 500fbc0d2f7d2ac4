import type { NodeView, PluginOnNode, ResourceOnNode } from '../api/schema/node-view.ts';
import { toCountText } from '../model/quantity-text.ts';
import { formatVersion, toOneLine, toResourceName } from './node-resources-text.ts';

/** What a node has against what it should have. */
export interface NodeDiff {
  readonly node: string;
  readonly connected: boolean;
  readonly differs: boolean;
  readonly resources: readonly ResourceDiff[];
  readonly plugins: readonly PluginDiff[];
}

/**
 * - `same`, `not-asked`: no difference; the second is there for the node, and nothing on it uses it
 * - `on-its-way`: sent and not answered; `missing`, `older`, `extra`: to be sent, or to be taken away
 * - `refused`: Envoy said no, and keeps what it had; `unknown`: the node is not connected
 */
export type DiffWord =
  | 'same'
  | 'not-asked'
  | 'on-its-way'
  | 'missing'
  | 'older'
  | 'extra'
  | 'refused'
  | 'unknown';

export interface ResourceDiff {
  readonly type: string;
  readonly name: string;
  readonly is: DiffWord;
  readonly wanted: string | null;
  readonly has: string | null;
  /** Envoy's text, where it refused. */
  readonly message: string | null;
}

/** A plugin that does not run as it should. */
export interface PluginDiff {
  readonly plugin: string;
  readonly state: string;
  readonly wanted: number | null;
  readonly has: number | null;
  readonly refused: number | null;
  readonly message: string | null;
}

const EQUAL: readonly DiffWord[] = ['same', 'not-asked'];

export function diffNode({ metadata, status }: NodeView): NodeDiff {
  const resources = (status.resources ?? []).map(
    (one): ResourceDiff => ({
      type: one.type,
      name: one.name,
      is: toWord(one),
      wanted: one.wantedVersion,
      has: one.ackedVersion,
      message: one.message,
    }),
  );
  const connected = status.state === 'Connected';
  const plugins = connected ? status.plugins.filter(isOther).map(toPluginDiff) : [];
  const differs = !connected || plugins.length > 0 || resources.some(({ is }) => !EQUAL.includes(is));
  return { node: metadata.name, connected, differs, resources, plugins };
}

function toWord({ state, wantedVersion, ackedVersion }: ResourceOnNode): DiffWord {
  switch (state) {
    case 'Accepted':
      return 'same';
    case 'Sent':
      return 'on-its-way';
    case 'Refused':
      return 'refused';
    case 'NotAsked':
      return 'not-asked';
    case 'Unknown':
      return 'unknown';
    case 'Pending':
      if (wantedVersion === null) return 'extra';
      return ackedVersion === null ? 'missing' : 'older';
    default:
      return state satisfies never;
  }
}

/** A refusal is a difference as well where the rollout went back: the document asks for what was refused. */
function isOther({ state, revision, desiredRevision, refusedRevision }: PluginOnNode): boolean {
  if (state === 'NotTargeted') return revision !== null;
  return revision !== desiredRevision || refusedRevision !== null;
}

function toPluginDiff({
  plugin,
  state,
  revision,
  desiredRevision,
  refusedRevision,
  message,
}: PluginOnNode): PluginDiff {
  return { plugin, state, wanted: desiredRevision, has: revision, refused: refusedRevision, message };
}

/** The differences, one a line, and a sentence for the rest. */
export function describeNodeDiff(diff: NodeDiff): readonly string[] {
  const { node, connected, resources, plugins } = diff;
  if (!connected)
    return [
      `${node} is not connected: nothing is known of what it has now`,
      ...resources
        .filter(({ wanted }) => wanted !== null)
        .map(one => `  ${toResourceName(one)}: is to have ${formatVersion(one.wanted)}${sayLast(one)}`),
    ];
  const count = (is: DiffWord): number => resources.filter(one => one.is === is).length;
  const unused = count('not-asked') === 0 ? '' : `, ${count('not-asked')} not asked for`;
  return [
    ...resources
      .filter(({ is }) => !EQUAL.includes(is))
      .map(one => `${SIGNS[one.is]} ${toResourceName(one)}: ${sayResource(one)}`),
    ...plugins.map(one => `! plugin ${one.plugin}: ${sayPlugin(one)}`),
    `${node}: ${toCountText(count('same'), 'resource')} as it should be${unused}${diff.differs ? '' : '; no differences'}`,
  ];
}

const SIGNS: Readonly<Record<DiffWord, string>> = {
  same: ' ',
  'not-asked': ' ',
  'on-its-way': '~',
  missing: '+',
  older: '~',
  extra: '-',
  refused: '!',
  unknown: '?',
};

function sayResource({ is, wanted, has, message }: ResourceDiff): string {
  const instead = has === null ? 'it has none' : `it has ${formatVersion(has)}`;
  switch (is) {
    case 'on-its-way':
      return wanted === null
        ? 'its removal is on its way'
        : `${formatVersion(wanted)} is on its way; ${instead}`;
    case 'missing':
      return `missing: is to have ${formatVersion(wanted)}`;
    case 'older':
      return `is to have ${formatVersion(wanted)}; ${instead}`;
    case 'extra':
      return `is to go; ${instead}`;
    case 'refused':
      return `refused "${toOneLine(message ?? '')}"; ${instead}`;
    default:
      return is;
  }
}

function sayLast({ has }: ResourceDiff): string {
  return has === null ? '' : `; had ${formatVersion(has)} as known last`;
}

function sayPlugin({ state, wanted, has, refused, message }: PluginDiff): string {
  const is = `is to run ${wanted ?? 'none'}, runs ${has ?? 'none'} (${state})`;
  if (refused === null) return is;
  return `${is}; refused revision ${refused}: "${toOneLine(message ?? '')}"`;
}
