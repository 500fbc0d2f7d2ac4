import type { MetricSample } from '../../model/node-metrics.ts';
import type { Flush } from './decode-metrics.ts';

/** Most of the plugins' own metrics that are kept of one Envoy. */
const MOST_CUSTOM = 64;

/**
 * The sample of a flush. `previous` is the one before of the same process: its latencies are added to, because
 * Envoy sends those of one interval, and its parts are used again where nothing moved, so that a quiet node costs little.
 */
export function toSample(flush: Flush, at: number, previous: MetricSample | undefined): MetricSample {
  const latency = flush.latency.map((count, i) => count + (previous?.latency[i] ?? 0));
  return {
    at,
    byClass: shareList(flush.byClass, previous?.byClass),
    latency: shareList(latency, previous?.latency),
    vmCreated: flush.vmCreated,
    vmActive: flush.vmActive,
    workers: flush.workers,
    reloads: shareRecord(Object.fromEntries(flush.reloads), previous?.reloads, Object.is),
    ecds: shareRecord(toEcds(flush), previous?.ecds, (a, b) => a.reload === b.reload && a.fail === b.fail),
    custom: shareRecord(toCustom(flush, previous), previous?.custom, Object.is),
    listeners: shareRecord(
      toListeners(flush),
      previous?.listeners,
      (a, b) => a.opened === b.opened && a.open === b.open,
    ),
    memoryBytes: flush.memoryBytes,
  };
}

/** Several messages of one flush, as an Envoy with a `batch_size` sends it. */
export function mergeFlush(one: Flush, other: Flush): Flush {
  return {
    takenAt: one.takenAt || other.takenAt,
    byClass: one.byClass.map((count, i) => count + (other.byClass[i] ?? 0)) as Flush['byClass'],
    latency: one.latency.map((count, i) => count + (other.latency[i] ?? 0)),
    requestsActive:
      one.requestsActive === null && other.requestsActive === null
        ? null
        : (one.requestsActive ?? 0) + (other.requestsActive ?? 0),
    vmCreated: other.vmCreated ?? one.vmCreated,
    vmActive: other.vmActive ?? one.vmActive,
    workers: other.workers ?? one.workers,
    memoryBytes: other.memoryBytes ?? one.memoryBytes,
    connections: other.connections ?? one.connections,
    hotRestartEpoch: other.hotRestartEpoch ?? one.hotRestartEpoch,
    reloads: mergeNamed(one.reloads, other.reloads),
    reloaded: one.reloaded + other.reloaded,
    ecdsReload: mergeNamed(one.ecdsReload, other.ecdsReload),
    ecdsFail: mergeNamed(one.ecdsFail, other.ecdsFail),
    custom: mergeNamed(one.custom, other.custom),
    listenerOpened: mergeNamed(one.listenerOpened, other.listenerOpened),
    listenerOpen: mergeNamed(one.listenerOpen, other.listenerOpen),
  };
}

function mergeNamed(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): Map<string, number> {
  const merged = new Map(one);
  for (const [name, value] of other) merged.set(name, (merged.get(name) ?? 0) + value);
  return merged;
}

function toEcds({ ecdsReload, ecdsFail }: Flush): MetricSample['ecds'] {
  const places = new Set([...ecdsReload.keys(), ...ecdsFail.keys()]);
  return Object.fromEntries(
    [...places].map(place => [place, { reload: ecdsReload.get(place) ?? 0, fail: ecdsFail.get(place) ?? 0 }]),
  );
}

function toListeners({ listenerOpened, listenerOpen }: Flush): MetricSample['listeners'] {
  const names = new Set([...listenerOpened.keys(), ...listenerOpen.keys()]);
  return Object.fromEntries(
    [...names].map(name => [
      name,
      { opened: listenerOpened.get(name) ?? 0, open: listenerOpen.get(name) ?? 0 },
    ]),
  );
}

/** Where there are too many, those that were kept before stay, so that a gate does not lose its metric. */
function toCustom({ custom }: Flush, previous: MetricSample | undefined): MetricSample['custom'] {
  const entries = [...custom];
  if (entries.length <= MOST_CUSTOM) return Object.fromEntries(entries);
  const kept = entries.filter(([name]) => previous !== undefined && Object.hasOwn(previous.custom, name));
  const others = entries.filter(entry => !kept.includes(entry)).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries([...kept, ...others].slice(0, MOST_CUSTOM));
}

function shareList<T extends readonly number[]>(next: T, previous: T | undefined): T {
  return previous?.every((value, i) => value === next[i]) ? previous : next;
}

function shareRecord<V>(
  next: Readonly<Record<string, V>>,
  previous: Readonly<Record<string, V>> | undefined,
  equals: (a: V, b: V) => boolean,
): Readonly<Record<string, V>> {
  if (previous === undefined) return next;
  const names = Object.keys(next);
  if (names.length !== Object.keys(previous).length) return next;
  const same = names.every(name => {
    const [a, b] = [next[name], previous[name]];
    return a !== undefined && b !== undefined && equals(a, b);
  });
  return same ? previous : next;
}
