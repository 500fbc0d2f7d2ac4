import { type Meter, NACK_REASONS, type NackReason } from '../../model/meter.ts';
import { EXTENSION_CONFIG_TYPE, XDS_TYPES } from '../../model/type-url.ts';
import { METRICS, type MetricRow, toOptions } from './metric-table.ts';
import { Counter, Gauge, Histogram, type Registry } from './prometheus.ts';
import { type Tally, toBuckets, toTallies } from './tallies.ts';

/** Fastify knows no others, and node:http may. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Of what an Envoy only ever says about a place of plugins. */
const PLACE_REASONS: readonly NackReason[] = NACK_REASONS.filter(
  reason => reason !== 'refused' && reason !== 'unconfirmed',
);

export function toCounter(row: MetricRow, registry: Registry): Counter {
  return new Counter({ ...toOptions(row), registers: [registry] });
}

export function toGauge(row: MetricRow, registry: Registry): Gauge {
  return new Gauge({ ...toOptions(row), registers: [registry] });
}

export function toHistogram(row: MetricRow, registry: Registry): Histogram {
  return new Histogram({ ...toOptions(row), buckets: [...(row.buckets ?? [])], registers: [registry] });
}

/** The Meter of a running Attaché. `now`: a clock that never goes back, ms with fractions. */
export function createMeter(registry: Registry, now: () => number): Meter {
  const pushes = toTallies(METRICS.pushes, registry);
  const acks = toTallies(METRICS.acks, registry);
  const nacks = toTallies(METRICS.nacks, registry);
  const converged = toBuckets(METRICS.convergence, registry);
  const lookups = toCounter(METRICS.lookups, registry);
  const fetches = toCounter(METRICS.fetches, registry);
  const preflight = toHistogram(METRICS.preflight, registry);
  const storeWrite = toHistogram(METRICS.storeWrite, registry);
  const storeErrors = toCounter(METRICS.storeErrors, registry);
  const requests = toCounter(METRICS.requests, registry);
  const byType = new Map(
    XDS_TYPES.map(({ typeUrl, short: type }) => {
      const isPlace = typeUrl === EXTENSION_CONFIG_TYPE;
      const reasons = NACK_REASONS.filter(reason => isPlace || !PLACE_REASONS.includes(reason));
      const ofType = {
        pushes: pushes({ type }),
        acks: acks({ type }),
        nacks: new Map(reasons.map(reason => [reason, nacks({ type, reason })])),
      };
      return [typeUrl, ofType];
    }),
  );
  // That nothing happened yet is known.
  for (const hit of ['true', 'false']) lookups.inc({ hit }, 0);
  fetches.inc({ result: 'ok' }, 0);
  return {
    pushed: typeUrl => add(byType.get(typeUrl)?.pushes),
    acked: typeUrl => add(byType.get(typeUrl)?.acks),
    nacked: (typeUrl, reason) => add(byType.get(typeUrl)?.nacks.get(reason)),
    converged,
    lookedUp: hit => lookups.inc({ hit: String(hit) }),
    fetched: result => fetches.inc({ result }),
    tried: (result, seconds) => preflight.observe({ result }, seconds),
    wrote: seconds => storeWrite.observe(seconds),
    writeFailed: code => storeErrors.inc({ code }),
    requested: (route = 'other', method, status) =>
      requests.inc({
        route,
        method: METHODS.includes(method) ? method : 'other',
        status: status === undefined ? 'none' : String(status),
      }),
    start() {
      const began = now();
      return () => (now() - began) / 1000;
    },
  };
}

/** undefined: a type that is none of ours, or a reason that it never has. */
function add(tally: Tally | undefined): void {
  if (tally !== undefined) tally.count += 1;
}
