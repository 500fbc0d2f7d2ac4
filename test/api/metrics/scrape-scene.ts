import { Registry } from 'prom-client';
import { readFleet } from '../../../src/api/fleet.ts';
import { createMeter } from '../../../src/api/metrics/create-meter.ts';
import { createScrape, type ScrapeSources } from '../../../src/api/metrics/create-scrape.ts';
import { watchEventLoop } from '../../../src/api/metrics/watch-event-loop.ts';
import { silentLog } from '../../../src/model/ports.ts';
import { DEFAULT_XDS_LIMITS } from '../../../src/model/xds-limits.ts';
import { createMemoryStore } from '../../../src/store/memory-store.ts';
import { meterStore } from '../../../src/store/metered-store.ts';
import type { Operation } from '../../../src/store/store.ts';
import { nextTurn } from '../../../src/system.ts';
import { LimitGuard } from '../../../src/xds/limits/limit-guard.ts';
import { type Family, parseExposition } from '../../harness/exposition.ts';
import { makePresence, makeSpec } from '../../model/records.ts';
import { FakeClock } from '../../xds/model/fake-clock.ts';

/** A metered store, a meter and a scrape, on a fake clock. */
export function setUp(over: Partial<ScrapeSources> = {}) {
  const clock = new FakeClock();
  const registry = new Registry();
  const meter = createMeter(registry, () => clock.now());
  const { store, readWatchLag } = meterStore(createMemoryStore(), meter);
  const guard = new LimitGuard({
    limits: DEFAULT_XDS_LIMITS,
    clock,
    steady: clock,
    nextTurn,
    log: silentLog,
  });
  watchEventLoop(registry, meter, clock);
  const scrape = createScrape(registry, {
    readFleet: () =>
      readFleet({ store, rootNamespace: 'r', startedAt: 0, now: clock.now(), metrics: () => undefined }),
    readStoreRevision: async () => (await store.list('Freeze')).revision,
    readWatchLag,
    readLimits: () => guard.usage(),
    readCertificates: () => [],
    readNodeRefusals: () => [],
    version: '1.2.3',
    clock,
    log: silentLog,
    ...over,
  });
  const read = async (): Promise<ReadonlyMap<string, Family>> => parseExposition(await scrape());
  return { clock, meter, store, guard, scrape, read };
}

export function makeFleet(nodes: number, plugins: number): Operation[] {
  const ids = Array.from({ length: nodes }, (_, i) => `edge-of-a-customer-${i}`);
  return [
    ...ids.map(
      id => ({ op: 'put', kind: 'NodePresence', key: id, value: makePresence({}, { id }) }) as const,
    ),
    ...Array.from({ length: plugins }, (_, i) => {
      const name = `plugin-of-a-customer-${i}`;
      return { op: 'put', kind: 'PluginSpec', key: `default/${name}`, value: makeSpec({ name }) } as const;
    }),
  ];
}
