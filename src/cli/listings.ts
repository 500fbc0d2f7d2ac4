import type { LimitList } from '../api/schema/limit-view.ts';
import type { ModuleView } from '../api/schema/module-view.ts';
import type { NodeGroupView } from '../api/schema/node-group-view.ts';
import type { NodeView } from '../api/schema/node-view.ts';
import type { PluginView } from '../api/schema/plugin-view.ts';
import type { PullSecretView } from '../api/schema/pull-secret-view.ts';
import type { ResourceView } from '../api/schema/resource-view.ts';
import type { ConfigChange, HistoryRow, RolloutSide, RolloutView } from '../api/schema/rollout-view.ts';
import { toCountText, toDurationText, toNumberText } from '../model/quantity-text.ts';
import {
  formatAge,
  formatDigest,
  formatSince,
  formatSize,
  formatWhen,
  localizeTimes,
  NONE,
} from './format.ts';
import type { Table } from './table.ts';
import { toSingular, toTypedName } from './target.ts';

/** The columns of a kind: `wide` ones only with `-o wide`. `name` is what `-o name` prints. */
export interface Listing<T> {
  readonly columns: readonly {
    readonly heading: string;
    readonly wide?: true;
    cell(item: T, nowMs: number): string;
  }[];
  name(item: T): string;
}

export const NODES: Listing<NodeView> = {
  name: node => `node/${node.metadata.name}`,
  columns: [
    { heading: 'NAME', cell: node => node.metadata.name },
    { heading: 'GROUP', cell: ({ status }) => status.groups.map(toTypedName).join(',') || NONE },
    { heading: 'ZONE', cell: node => node.status.zone || NONE },
    { heading: 'ENVOY', cell: node => node.status.envoyVersion || NONE },
    { heading: 'STATE', cell: toNodeState },
    { heading: 'PLUGINS', cell: ({ status }) => `${status.accepted}/${status.desired}` },
    { heading: 'LAST ACK', cell: ({ status }, now) => formatSince(status.lastAckAt, now) },
    { heading: 'AGE', cell: ({ metadata }, now) => formatAge(Date.parse(metadata.firstSeenAt), now) },
    { heading: '', cell: toLastKnown },
    { heading: 'NAMESPACE', wide: true, cell: node => node.metadata.namespace },
    { heading: 'LABELS', wide: true, cell: node => formatLabels(node.metadata.labels) },
    { heading: 'LAYOUT', wide: true, cell: node => node.status.layout },
  ],
};

export const PLUGINS: Listing<PluginView> = {
  name: ({ metadata }) => `plugin/${metadata.namespace}/${metadata.name}`,
  columns: [
    { heading: 'NAMESPACE', cell: ({ metadata }) => metadata.namespace },
    { heading: 'NAME', cell: ({ metadata }) => metadata.name },
    { heading: 'REVISION', cell: ({ status }) => String(status.currentRevision ?? NONE) },
    { heading: 'PHASE', cell: ({ status }) => status.phase },
    { heading: 'NODES', cell: ({ status }) => `${status.nodes.accepted}/${status.nodes.targeted}` },
    {
      heading: 'MODULE',
      cell: ({ status }) => (status.module === null ? NONE : formatDigest(status.module.sha256)),
    },
    { heading: 'AGE', cell: ({ metadata }, now) => formatAge(Date.parse(metadata.createdAt), now) },
    { heading: 'URL', wide: true, cell: ({ spec }) => String(spec.url ?? NONE) },
    { heading: 'REASON', wide: true, cell: ({ status }) => status.reason ?? status.code ?? NONE },
  ],
};

/** `get rollouts` */
export const ROLLOUTS: Listing<RolloutView> = {
  name: ({ id }) => `rollout/${id}`,
  columns: [
    { heading: 'NAME', cell: ({ id }) => id },
    { heading: 'PLUGIN', cell: ({ plugin }) => plugin },
    { heading: 'FROM', cell: ({ from }) => toRevision(from) },
    { heading: 'TO', cell: ({ to }) => toRevision(to) },
    { heading: 'STEP', cell: ({ step, steps }) => (step === null ? NONE : `${step}/${steps.length}`) },
    { heading: 'NODES', cell: ({ counts }) => `${counts.touched}/${counts.targets}` },
    {
      heading: 'PHASE',
      cell: ({ phase, reason, active }) => (active && reason ? `${phase}, ${reason}` : phase),
    },
    { heading: 'AGE', cell: ({ startedAt }, now) => formatSince(startedAt, now) },
    { heading: 'WHO', wide: true, cell: ({ by }) => by },
    { heading: 'MESSAGE', wide: true, cell: ({ message }) => toOneLine(message ?? NONE) },
    { heading: 'WHY', wide: true, cell: ({ why }, now) => (why === null ? NONE : localizeTimes(why, now)) },
  ],
};

/** `rollout history` */
export const HISTORY: Listing<HistoryRow> = {
  name: ({ rollout }) => `rollout/${rollout}`,
  columns: [
    { heading: 'REVISION', cell: row => (row.change === 'delete' ? 'none' : String(row.revision ?? NONE)) },
    { heading: 'DIGEST', cell: ({ digest }) => (digest === null ? NONE : formatDigest(digest)) },
    { heading: 'CONFIG', cell: ({ config }) => config ?? NONE },
    { heading: 'RESULT', cell: ({ result }) => result },
    { heading: 'WHO', cell: ({ by }) => by },
    { heading: 'MESSAGE', cell: ({ message }) => toOneLine(message ?? NONE) },
    { heading: 'WHEN', cell: ({ startedAt }, now) => formatWhen(startedAt, now) },
    // What went wrong stands behind the table, where it is seen.
    { heading: '', cell: ({ cause }, now) => localizeTimes(cause ?? '', now) },
    { heading: 'ROLLOUT', wide: true, cell: ({ rollout }) => rollout },
    { heading: 'CHANGE', wide: true, cell: ({ change, title }) => `${change} ${title}` },
    { heading: 'TOOK', wide: true, cell: ({ durationMs }) => toDurationText(durationMs) },
    { heading: 'DIFF', wide: true, cell: ({ diff }) => diff.map(toChangeText).join('; ') || NONE },
  ],
};

export const RESOURCES: Listing<ResourceView> = {
  name: ({ type, metadata }) => `${toSingular(type)}/${metadata.namespace}/${metadata.name}`,
  columns: [
    { heading: 'TYPE', cell: ({ type }) => type },
    { heading: 'NAME', cell: ({ metadata }) => metadata.name },
    { heading: 'NODES', cell: ({ status }) => String(status.nodes.targeted) },
    { heading: 'REFUSED', cell: ({ status }) => String(status.nodes.refused) },
    { heading: 'AGE', cell: ({ metadata }, now) => formatAge(Date.parse(metadata.createdAt), now) },
    { heading: 'NAMESPACE', wide: true, cell: ({ metadata }) => metadata.namespace },
    { heading: 'ENVOY NAME', wide: true, cell: ({ status }) => status.envoyName },
  ],
};

export const MODULES: Listing<ModuleView> = {
  name: module => `module/${module.sha256}`,
  columns: [
    { heading: 'DIGEST', cell: module => formatDigest(module.sha256) },
    { heading: 'SIZE', cell: module => formatSize(module.sizeBytes) },
    { heading: 'SIGNED', cell: toSigned },
    { heading: 'NODES', cell: module => String(module.nodes) },
    { heading: 'FROM', cell: module => module.from.join(', ') || NONE },
    { heading: 'ABI', wide: true, cell: module => module.abi },
    { heading: 'LAYOUT', wide: true, cell: module => module.layout },
    { heading: 'MIRROR', wide: true, cell: module => module.mirrors.join(', ') || NONE },
    { heading: 'KEPT FOR', wide: true, cell: toKeptFor },
    {
      heading: 'SIGNATURE',
      wide: true,
      cell: ({ signatures }) => signatures.map(({ text }) => text).join('; ') || NONE,
    },
  ],
};

export const NODE_GROUPS: Listing<NodeGroupView> = {
  name: ({ metadata }) => `nodegroup/${metadata.namespace}/${metadata.name}`,
  columns: [
    { heading: 'NAMESPACE', cell: ({ metadata }) => metadata.namespace },
    { heading: 'NAME', cell: ({ metadata }) => metadata.name },
    { heading: 'NODES', cell: ({ status }) => `${status.nodes.connected}/${status.nodes.known}` },
    { heading: 'USED BY', cell: ({ status }) => status.usedBy.join(', ') || NONE },
    { heading: 'AGE', cell: ({ metadata }, now) => formatAge(Date.parse(metadata.createdAt), now) },
  ],
};

export const PULL_SECRETS: Listing<PullSecretView> = {
  name: ({ metadata }) => `pullsecret/${metadata.namespace}/${metadata.name}`,
  columns: [
    { heading: 'NAMESPACE', cell: ({ metadata }) => metadata.namespace },
    { heading: 'NAME', cell: ({ metadata }) => metadata.name },
    { heading: 'REGISTRIES', cell: ({ status }) => status.registries.join(', ') || NONE },
    { heading: 'USED BY', cell: ({ status }) => status.usedBy.join(', ') || NONE },
    { heading: 'AGE', cell: ({ metadata }, now) => formatAge(Date.parse(metadata.createdAt), now) },
  ],
};

/** `get limits`: of the xDS port. */
export const LIMITS: Listing<LimitList['items'][number]> = {
  name: ({ name }) => `limit/${name}`,
  columns: [
    { heading: 'NAME', cell: ({ name }) => name },
    { heading: 'VALUE', cell: ({ value, unit }) => toAmount(value, unit) },
    { heading: 'USED', cell: ({ used, unit }) => (used === null ? NONE : toAmount(used, unit)) },
    { heading: 'HITS', cell: ({ hits }) => toNumberText(hits) },
    { heading: 'LAST HIT', cell: ({ lastHitAt }, now) => formatSince(lastHitAt, now) },
    { heading: 'BOUNDS', wide: true, cell: ({ text }) => text },
  ],
};

function toAmount(value: number, unit: LimitList['items'][number]['unit']): string {
  if (unit === 'bytes') return formatSize(value);
  return unit === 'ms' ? toDurationText(value) : toNumberText(value);
}

/** `default/auth 3 in use, default/auth 2 history`, and where its bytes are missing. */
function toKeptFor({ heldBy, inRegistry, here }: ModuleView): string {
  const parts = [
    ...heldBy.map(({ plugin, revision, why }) => `${plugin} ${revision} ${HELD_WORDS[why]}`),
    ...(inRegistry ? ['built-in registry'] : []),
    ...(here ? [] : ['not here']),
  ];
  return parts.join(', ') || NONE;
}

const HELD_WORDS: Readonly<Record<ModuleView['heldBy'][number]['why'], string>> = {
  live: 'in use',
  wanted: 'asked for',
  node: 'on a node',
  history: 'history',
  spare: 'spare',
};

/** Who signed, or that nobody did; the worst first, and nothing where nobody asked. */
function toSigned({ signatures }: ModuleView): string {
  const cells = SIGNED_STATES.flatMap(([state, word]) =>
    signatures
      .filter(signature => signature.state === state)
      .map(({ text }) => word ?? text.replace(/^verified by /, '')),
  );
  return [...new Set(cells)].join(', ') || NONE;
}

const SIGNED_STATES: readonly (readonly [ModuleView['signatures'][number]['state'], string?])[] = [
  ['failed', 'failed'],
  ['unsigned', 'no'],
  ['unchecked', 'not checked'],
  ['verified'],
];

/** A column without a heading is left out where it has nothing to say. */
export function toTable<T>(listing: Listing<T>, items: readonly T[], nowMs: number, wide: boolean): Table {
  const columns = listing.columns
    .filter(column => wide || !column.wide)
    .map(({ heading, cell }) => ({ heading, cells: items.map(item => cell(item, nowMs)) }))
    .filter(({ heading, cells }) => heading !== '' || cells.some(cell => cell !== ''));
  return {
    headings: columns.map(({ heading }) => heading),
    rows: items.map((_, row) => columns.map(({ cells }) => cells[row] ?? '')),
  };
}

/** `a=b c=d` */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? NONE : pairs.join(' ');
}

/** `spec.pluginConfig.realm "example" → "laptop"` */
export function toChangeText({ path, before, after }: ConfigChange): string {
  return `${path} ${before ?? NONE} → ${after ?? NONE}`;
}

/** The worst plugin state is named where it is not a good one, what Envoy refuses besides, and that it takes part in nothing. */
function toNodeState({ status }: NodeView): string {
  const good = status.worst === null || GOOD_STATES.includes(status.worst);
  const worst = good || status.state === 'Disconnected' ? [] : [status.worst];
  const silent = status.silentSince === null ? [] : ['silent'];
  const twins = status.envoys.length < 2 ? [] : [toCountText(status.envoys.length, 'Envoy')];
  const refused = status.refusedResources.length;
  const resources = refused === 0 ? [] : [`${toCountText(refused, 'resource')} refused`];
  const excluded = status.excluded === null ? [] : ['excluded'];
  return [status.state, ...twins, ...silent, ...worst, ...resources, ...excluded].join(', ');
}

const GOOD_STATES: readonly string[] = ['Accepted', 'Loaded', 'NotTargeted'];

/** What a node that is gone ran when it was last heard is no fact any more. */
function toLastKnown({ status }: NodeView): string {
  if (status.state === 'Connected') return '';
  const ran = status.plugins.filter(({ revision }) => revision !== null);
  const last = ran.map(({ plugin, revision }) => `${plugin.slice(plugin.indexOf('/') + 1)} ${revision}`);
  return last.length === 0 ? 'runs unknown' : `runs unknown; last: ${last.join(', ')}`;
}

function toRevision(side: RolloutSide | null): string {
  return side === null ? NONE : String(side.revision ?? 'none');
}

function toOneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
