import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type Meter, NACK_REASONS, type NackReason } from '../../model/meter.ts';
import { EXTENSION_CONFIG_TYPE, XDS_TYPES } from '../../model/type-url.ts';
import { METRICS, type MetricRow } from './metric-table.ts';

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

function toOptions({ name, help, labels }: MetricRow) {
  return { name, help, labelNames: Object.keys(labels) };
}

/** The Meter of a running Attaché. `now`: a clock that never goes back, ms with fractions. */
export function createMeter(registry: Registry, now: () => number): Meter {
  const pushes = toCounter(METRICS.pushes, registry);
  const acks = toCounter(METRICS.acks, registry);
  const nacks = toCounter(METRICS.nacks, registry);
  const convergence = toHistogram(METRICS.convergence, registry);
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
        pushes: pushes.labels({ type }),
        acks: acks.labels({ type }),
        nacks: new Map(reasons.map(reason => [reason, nacks.labels({ type, reason })])),
      };
      // That nothing happened yet is known.
      for (const one of [ofType.pushes, ofType.acks, ...ofType.nacks.values()]) one.inc(0);
      return [typeUrl, ofType];
    }),
  );
  for (const hit of ['true', 'false']) lookups.inc({ hit }, 0);
  fetches.inc({ result: 'ok' }, 0);
  return {
    pushed: typeUrl => byType.get(typeUrl)?.pushes.inc(),
    acked: typeUrl => byType.get(typeUrl)?.acks.inc(),
    nacked: (typeUrl, reason) => byType.get(typeUrl)?.nacks.get(reason)?.inc(),
    converged: seconds => convergence.observe(seconds),
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
