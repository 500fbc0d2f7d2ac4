import type { NodeView } from '../api/schema/node-view.ts';

/** What nodes can be sorted by. */
export const NODE_ORDERS = ['name', 'state', 'age', 'zone', 'envoy'] as const;
export type NodeOrder = (typeof NODE_ORDERS)[number];

/** Worst first. */
const STATES: readonly NodeView['status']['worst'][] = [
  'Refused',
  'Degraded',
  'Stale',
  'Fetching',
  'Sent',
  'Pending',
  'Accepted',
  'Loaded',
];

/** A copy in order; equal ones by name. `state`: what is gone or worst comes first; `age`: the newest. */
export function sortNodes(nodes: readonly NodeView[], by: NodeOrder): readonly NodeView[] {
  return nodes.toSorted((a, b) => compare(a, b, by) || toName(a).localeCompare(toName(b), 'en', NUMERIC));
}

const NUMERIC = { numeric: true } as const;

function compare(a: NodeView, b: NodeView, by: NodeOrder): number {
  switch (by) {
    case 'name':
      return 0;
    case 'state':
      return rankOf(a) - rankOf(b);
    case 'age':
      return Date.parse(b.metadata.firstSeenAt) - Date.parse(a.metadata.firstSeenAt);
    case 'zone':
      return a.status.zone.localeCompare(b.status.zone, 'en', NUMERIC);
    case 'envoy':
      return a.status.envoyVersion.localeCompare(b.status.envoyVersion, 'en', NUMERIC);
    default:
      return by satisfies never;
  }
}

function rankOf({ status }: NodeView): number {
  if (status.state === 'Disconnected') return -1;
  const rank = STATES.indexOf(status.worst);
  return rank < 0 ? STATES.length : rank;
}

function toName({ metadata }: NodeView): string {
  return metadata.name;
}

/** Whether a node has all of these labels. */
export function hasLabels({ metadata }: NodeView, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(metadata.labels, key) && metadata.labels[key] === value,
  );
}
