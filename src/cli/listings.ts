import type { ModuleView } from '../api/schema/module-view.ts';
import type { NodeView } from '../api/schema/node-view.ts';
import type { PluginView } from '../api/schema/plugin-view.ts';
import type { ResourceView } from '../api/schema/resource-view.ts';
import { formatAge, formatDigest, formatSince, formatSize, NONE } from './format.ts';
import type { Table } from './table.ts';
import { toSingular } from './target.ts';

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
    // Node groups come with their issue; the column keeps its place.
    { heading: 'GROUP', cell: () => NONE },
    { heading: 'ZONE', cell: node => node.status.zone || NONE },
    { heading: 'ENVOY', cell: node => node.status.envoyVersion || NONE },
    { heading: 'STATE', cell: toNodeState },
    { heading: 'PLUGINS', cell: ({ status }) => `${status.accepted}/${status.desired}` },
    { heading: 'LAST ACK', cell: ({ status }, now) => formatSince(status.lastAckAt, now) },
    { heading: 'AGE', cell: ({ metadata }, now) => formatAge(Date.parse(metadata.firstSeenAt), now) },
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
    // Signatures come with their issue; the column keeps its place.
    { heading: 'SIGNED', cell: () => NONE },
    { heading: 'NODES', cell: module => String(module.nodes) },
    { heading: 'FROM', cell: module => module.from.join(', ') || NONE },
    { heading: 'ABI', wide: true, cell: module => module.abi },
    { heading: 'LAYOUT', wide: true, cell: module => module.layout },
  ],
};

export function toTable<T>(listing: Listing<T>, items: readonly T[], nowMs: number, wide: boolean): Table {
  const columns = listing.columns.filter(column => wide || !column.wide);
  return {
    headings: columns.map(column => column.heading),
    rows: items.map(item => columns.map(column => column.cell(item, nowMs))),
  };
}

/** `a=b c=d` */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? NONE : pairs.join(' ');
}

/** The worst plugin state is named where it is not the good one. */
function toNodeState({ status }: NodeView): string {
  const good = status.worst === null || status.worst === 'Accepted';
  return good ? status.state : `${status.state}, ${status.worst}`;
}
