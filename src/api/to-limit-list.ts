import { type LimitUsage, XDS_LIMITS, type XdsLimitRow } from '../model/xds-limits.ts';
import type { LimitList } from './schema/limit-view.ts';

const UNITS: Readonly<Record<XdsLimitRow['kind'], LimitList['items'][number]['unit']>> = {
  count: 'count',
  size: 'bytes',
  duration: 'ms',
};

/** The limits of the xDS port, with what is in use and what was refused. */
export function toLimitList({ limits, hits, connections, streams }: LimitUsage): LimitList {
  const used: Readonly<Partial<Record<XdsLimitRow['name'], number>>> = { connections, streams };
  const items = XDS_LIMITS.map(({ name, kind, help }) => {
    const { count, lastAt } = hits[name];
    return {
      name,
      value: limits[name],
      unit: UNITS[kind],
      used: used[name] ?? null,
      hits: count,
      lastHitAt: lastAt === null ? null : new Date(lastAt).toISOString(),
      text: help,
    };
  });
  return { kind: 'LimitList', items };
}
