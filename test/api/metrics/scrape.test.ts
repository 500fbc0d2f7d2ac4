import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createMeter } from '../../../src/api/metrics/create-meter.ts';
import { METRICS } from '../../../src/api/metrics/metric-table.ts';
import { watchEventLoop } from '../../../src/api/metrics/watch-event-loop.ts';
import { NACK_REASONS } from '../../../src/model/meter.ts';
import { PLUGIN_STATES } from '../../../src/model/plugin-state.ts';
import { ROLLOUT_PHASES } from '../../../src/model/rollout.ts';
import { XDS_TYPES } from '../../../src/model/type-url.ts';
import { XDS_LIMITS } from '../../../src/model/xds-limits.ts';
import { type Family, findValue, lint, parseExposition } from '../../harness/exposition.ts';
import { makePresence } from '../../model/records.ts';
import { FakeClock } from '../../xds/model/fake-clock.ts';
import { makeFleet, setUp } from './scrape-scene.ts';

test('a scrape is the text that Prometheus reads, with the names that promtool asks for', async () => {
  const { read, meter } = setUp({ readCertificates: () => [['api', 1_800_000_000_000]] });
  meter.requested('/v1/plugins/:namespace/:name', 'GET', 200);
  const families = await read();
  assert.deepEqual(lint(families.values()), []);
  assert.deepEqual(
    [...families.keys()].sort(),
    Object.values(METRICS)
      .map(({ name }) => name)
      .sort(),
  );
  for (const { name, type, help, labels } of Object.values(METRICS)) {
    const family = families.get(name);
    assert.deepEqual([family?.type, family?.help], [type, help]);
    for (const sample of family?.samples ?? [])
      assert.deepEqual(
        Object.keys(sample.labels).filter(label => label !== 'le'),
        Object.keys(labels),
        name,
      );
  }
  assert.equal(findValue(families, METRICS.certExpiry.name, { certificate: 'api' }), 1_800_000_000);
  assert.equal(findValue(families, METRICS.buildInfo.name, { version: '1.2.3', node: process.version }), 1);
});

test('every word of a label is there before it happened, and no other word can come', async () => {
  const { read, meter } = setUp();
  const wordsOf = (families: ReadonlyMap<string, Family>, name: string, label: string): string[] =>
    [...new Set(families.get(name)?.samples.map(({ labels }) => labels[label] ?? ''))].sort();
  for (const { typeUrl } of XDS_TYPES) for (const reason of NACK_REASONS) meter.nacked(typeUrl, reason);
  meter.pushed('type.googleapis.com/somebody.Elses');
  meter.requested(undefined, 'PROPFIND', undefined);
  const families = await read();
  const types = XDS_TYPES.map(({ short }) => short).sort();
  assert.deepEqual(wordsOf(families, METRICS.pushes.name, 'type'), types);
  assert.deepEqual(wordsOf(families, METRICS.nacks.name, 'type'), types);
  assert.deepEqual(wordsOf(families, METRICS.nacks.name, 'reason'), [...NACK_REASONS].sort());
  assert.deepEqual(wordsOf(families, METRICS.rollouts.name, 'phase'), [...ROLLOUT_PHASES].sort());
  assert.deepEqual(wordsOf(families, METRICS.rolloutNodes.name, 'state'), [...PLUGIN_STATES].sort());
  const limits = XDS_LIMITS.map(({ name }) => name).sort();
  assert.deepEqual(wordsOf(families, METRICS.limitHits.name, 'limit'), limits);
  const unknown = { route: 'other', method: 'other', status: 'none' };
  assert.equal(findValue(families, METRICS.requests.name, unknown), 1);
});

test('what the store cannot tell is left out, never 0, and the rest is told', async () => {
  const { read, store } = setUp();
  await store.close();
  const families = await read();
  for (const row of [
    METRICS.storeRevision,
    METRICS.connectedNodes,
    METRICS.frozen,
    METRICS.rollouts,
    METRICS.watchLag,
  ])
    assert.deepEqual(families.get(row.name)?.samples, [], row.name);
  assert.equal(findValue(families, METRICS.pushes.name, { type: 'ecds' }), 0);
  assert.equal(findValue(families, METRICS.connections.name), 0);
});

test('the fleet is counted anew when it was counted a while ago, and everything else at every scrape', async () => {
  const { read, clock, store } = setUp();
  await store.transaction(makeFleet(1, 0));
  assert.equal(findValue(await read(), METRICS.connectedNodes.name), 1);
  await store.put('NodePresence', 'edge-2', makePresence({ connected: false }, { id: 'edge-2' }));
  const soon = await read();
  assert.equal(findValue(soon, METRICS.knownNodes.name), 1);
  assert.equal(findValue(soon, METRICS.storeRevision.name), 2);
  clock.run(5_000);
  const later = await read();
  assert.equal(findValue(later, METRICS.knownNodes.name), 2);
  assert.equal(findValue(later, METRICS.connectedNodes.name), 1);
});

test('counters only grow, and limits that were hit are counted once', async () => {
  const { read, guard, meter } = setUp();
  guard.hit('names', '10.0.0.1:4', 'too many');
  await read();
  meter.fetched('registry-unreachable');
  const families = await read();
  assert.equal(findValue(families, METRICS.limitHits.name, { limit: 'names' }), 1);
  assert.equal(findValue(families, METRICS.fetches.name, { result: 'registry-unreachable' }), 1);
  const cpu = findValue(families, METRICS.cpu.name) ?? 0;
  assert.ok(cpu > 0 && cpu <= (findValue(await read(), METRICS.cpu.name) ?? 0));
});

test('a timer that fires late is lag, and one in time is none', async () => {
  const clock = new FakeClock();
  const registry = new Registry();
  let lateMs = 0;
  const busy = { after: (ms: number, callback: () => void) => clock.after(ms + lateMs, callback) };
  const stop = watchEventLoop(
    registry,
    createMeter(registry, () => clock.now()),
    busy,
  );
  clock.run(100);
  lateMs = 2_000;
  clock.run(100 + 2_100);
  stop();
  clock.run(10_000);
  const families = parseExposition(await registry.metrics());
  const { name } = METRICS.eventLoopLag;
  assert.equal(findValue(families, `${name}_bucket`, { le: '0.005' }), 2);
  assert.equal(findValue(families, `${name}_sum`), 2);
  assert.equal(findValue(families, `${name}_count`), 3);
});

test('those who scrape at once are answered by one reading', async () => {
  let readings = 0;
  const { scrape } = setUp({
    readStoreRevision: async () => {
      readings += 1;
      return 7;
    },
  });
  const [one, two] = await Promise.all([scrape(), scrape()]);
  assert.equal(one, two);
  assert.equal(readings, 1);
});
