import { toMessage } from '../../model/error.ts';
import type { Clock, Log } from '../../model/ports.ts';
import type { LimitUsage } from '../../model/xds-limits.ts';
import type { Fleet } from '../fleet.ts';
import { toCounter, toGauge } from './create-meter.ts';
import { countFleet, type FleetCounts } from './fleet-counts.ts';
import { METRICS } from './metric-table.ts';
import type { Registry } from './prometheus.ts';

/** What is read when somebody asks. */
export interface ScrapeSources {
  readonly readFleet: () => Promise<Fleet>;
  readonly readStoreRevision: () => Promise<number>;
  /** Seconds; undefined: nobody reads changes. */
  readonly readWatchLag: () => number | undefined;
  readonly readLimits: () => LimitUsage;
  /** When our certificates end, ms, by a word for each. */
  readonly readCertificates: () => Iterable<readonly [certificate: string, expiresAt: number]>;
  /** How often an Envoy did not prove to be the node that it says, by error code. */
  readonly readNodeRefusals: () => Iterable<readonly [code: string, count: number]>;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The text of a scrape: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export type Scrape = () => Promise<string>;

export const SCRAPE_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** To count a large fleet takes a while: several scrapers, or one that is in a hurry, cost no more than one. */
const FLEET_AGE_MS = 5_000;

/** Those who ask at once get one answer. What cannot be read is left out, never 0. */
export function createScrape(registry: Registry, sources: ScrapeSources): Scrape {
  const refresh = createRefresh(registry, sources);
  let running: Promise<string> | undefined;
  return () => {
    running ??= refresh()
      .then(() => registry.metrics())
      .finally(() => {
        running = undefined;
      });
    return running;
  };
}

function createRefresh(registry: Registry, sources: ScrapeSources): () => Promise<void> {
  const setFleet = createFleetGauges(registry);
  const setOwn = createOwnMetrics(registry, sources);
  const storeRevision = toGauge(METRICS.storeRevision, registry);
  const { clock, log } = sources;
  let fleet: { readonly counts: FleetCounts; readonly at: number } | undefined;
  return async () => {
    setOwn();
    storeRevision.remove();
    try {
      storeRevision.set(await sources.readStoreRevision());
      if (fleet === undefined || Math.abs(clock.now() - fleet.at) >= FLEET_AGE_MS)
        fleet = { counts: await countFleet(await sources.readFleet()), at: clock.now() };
    } catch (error) {
      log.warn({ error: toMessage(error) }, 'metrics of the fleet are left out: the store cannot be read');
      fleet = undefined;
    }
    setFleet(fleet?.counts);
  };
}

function createFleetGauges(registry: Registry): (counts: FleetCounts | undefined) => void {
  const connectedNodes = toGauge(METRICS.connectedNodes, registry);
  const knownNodes = toGauge(METRICS.knownNodes, registry);
  const stuckStreams = toGauge(METRICS.stuckStreams, registry);
  const rollouts = toGauge(METRICS.rollouts, registry);
  const rolloutNodes = toGauge(METRICS.rolloutNodes, registry);
  const frozen = toGauge(METRICS.frozen, registry);
  return counts => {
    for (const one of [connectedNodes, knownNodes, stuckStreams, frozen]) one.remove();
    for (const one of [rollouts, rolloutNodes]) one.reset();
    if (counts === undefined) return;
    connectedNodes.set(counts.connectedNodes);
    knownNodes.set(counts.knownNodes);
    stuckStreams.set(counts.stuckStreams);
    frozen.set(counts.isFrozen ? 1 : 0);
    for (const [phase, count] of counts.rollouts) rollouts.set({ phase }, count);
    for (const [state, count] of counts.states) rolloutNodes.set({ state }, count);
  };
}

/** What is known without the store. */
function createOwnMetrics(registry: Registry, sources: ScrapeSources): () => void {
  const connections = toGauge(METRICS.connections, registry);
  const streams = toGauge(METRICS.streams, registry);
  const limitHits = toCounter(METRICS.limitHits, registry);
  const nodeRefusals = toCounter(METRICS.nodeRefusals, registry);
  const watchLag = toGauge(METRICS.watchLag, registry);
  const certExpiry = toGauge(METRICS.certExpiry, registry);
  const cpu = toCounter(METRICS.cpu, registry);
  const memory = toGauge(METRICS.memory, registry);
  const heap = toGauge(METRICS.heap, registry);
  const { version, clock } = sources;
  toGauge(METRICS.buildInfo, registry).set({ version, node: process.version }, 1);
  toGauge(METRICS.startTime, registry).set(clock.now() / 1000 - process.uptime());
  return () => {
    const usage = sources.readLimits();
    connections.set(usage.connections);
    streams.set(usage.streams);
    limitHits.reset();
    for (const [limit, { count }] of Object.entries(usage.hits)) limitHits.inc({ limit }, count);
    nodeRefusals.reset();
    for (const [code, count] of sources.readNodeRefusals()) nodeRefusals.inc({ code }, count);
    const lag = sources.readWatchLag();
    watchLag.remove();
    if (lag !== undefined) watchLag.set(lag);
    certExpiry.reset();
    for (const [certificate, expiresAt] of sources.readCertificates())
      certExpiry.set({ certificate }, expiresAt / 1000);
    const { user, system } = process.cpuUsage();
    cpu.reset();
    cpu.inc((user + system) / 1e6);
    memory.set(process.memoryUsage.rss());
    heap.set(process.memoryUsage().heapUsed);
  };
}
