import type { TokenView } from '../api/schema/token-view.ts';
import { formatClock, formatSince } from './format.ts';
import { formatLabels, type Listing } from './listings.ts';

export const TOKENS: Listing<TokenView> = {
  name: ({ name }) => `token/${name}`,
  columns: [
    { heading: 'NAME', cell: ({ name }) => name },
    { heading: 'ROLE', cell: ({ role }) => role },
    { heading: 'PLUGINS', cell: ({ plugins }) => (plugins === null ? 'all' : `${plugins}…`) },
    { heading: 'NODES', cell: ({ nodes }) => (nodes === null ? 'all' : formatLabels(nodes)) },
    { heading: 'EXPIRES', cell: toExpiry },
    { heading: 'LAST USED', cell: ({ lastUsedAt }, now) => formatSince(lastUsedAt, now) },
    { heading: 'AGE', cell: ({ createdAt }, now) => formatSince(createdAt, now) },
    { heading: 'PREFIX', wide: true, cell: ({ prefix }) => prefix },
    { heading: 'CREATED BY', wide: true, cell: ({ createdBy }) => createdBy },
  ],
};

/** `never`, `expired`, or the day. */
function toExpiry({ expired, expiresAt }: TokenView, now: number): string {
  if (expiresAt === null) return 'never';
  return expired ? 'expired' : formatDay(expiresAt, now);
}

/** A time to come: the hour where it is today or tomorrow, else the day. */
function formatDay(time: string, now: number): string {
  const isSoon = Date.parse(time) - now < 86_400_000;
  return isSoon ? formatClock(Date.parse(time), now).slice(0, 5) : time.slice(0, 10);
}

/** `deployer, plugins edge/…, nodes with tier=edge` */
export function toGrantText({ role, plugins, nodes }: Pick<TokenView, 'role' | 'plugins' | 'nodes'>): string {
  return [
    role,
    ...(plugins === null ? [] : [`plugins ${plugins}…`]),
    ...(nodes === null ? [] : [`nodes with ${formatLabels(nodes)}`]),
  ].join(', ');
}
