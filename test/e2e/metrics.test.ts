/** What /metrics says of a real Envoy that gets, refuses and keeps plugins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { METRICS } from '../../src/api/metrics/metric-table.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { type Family, findValue, parseExposition } from '../harness/exposition.ts';
import { until } from '../harness/wait.ts';

test('an install and a refusal are counted as what they were', async t => {
  const scene = await startAttacheScene(t);
  const { attache, node } = scene;
  const read = async (): Promise<ReadonlyMap<string, Family>> =>
    parseExposition((await attache.request('GET', '/metrics')).body);
  const count = (families: ReadonlyMap<string, Family>, name: string, labels = {}): number =>
    findValue(families, name, labels) ?? Number.NaN;
  await serveMain(scene);
  const before = await read();
  assert.equal(count(before, METRICS.connectedNodes.name), 1);
  assert.ok(count(before, METRICS.acks.name, { type: 'lds' }) >= 1);

  const good = await attache.offer(await buildPlugin('add-header'));
  await attache.applyPlugin('first', { url: good, pluginConfig: { header: 'x-a', value: 'b' } });
  await attache.waitAccepted(node, 'first', 1);
  const runs = (families: ReadonlyMap<string, Family>): number =>
    count(families, METRICS.rolloutNodes.name, { state: 'Accepted' }) +
    count(families, METRICS.rolloutNodes.name, { state: 'Loaded' });
  const installed = await until(
    async () => {
      const found = await read();
      return runs(found) === 1 && found;
    },
    { what: 'the plugin to be counted on its node' },
  );
  const phases = ['Progressing', 'Baking', 'Succeeded'];
  const rollouts = phases.map(phase => count(installed, METRICS.rollouts.name, { phase }));
  assert.equal(
    rollouts.reduce((sum, one) => sum + one, 0),
    1,
  );
  assert.equal(count(installed, METRICS.fetches.name, { result: 'ok' }), 1);
  assert.equal(count(installed, METRICS.lookups.name, { hit: 'false' }), 1);
  assert.equal(count(installed, `${METRICS.preflight.name}_count`, { result: 'ok' }), 1);
  assert.ok(
    count(installed, METRICS.acks.name, { type: 'ecds' }) >
      count(before, METRICS.acks.name, { type: 'ecds' }),
  );
  assert.ok(
    count(installed, METRICS.nacks.name, { type: 'ecds', reason: 'missing' }) >= 1,
    'the Envoy had to fetch it',
  );
  assert.equal(count(installed, METRICS.nacks.name, { type: 'ecds', reason: 'refused' }), 0);
  assert.ok(count(installed, `${METRICS.convergence.name}_count`) >= 1);

  const refused = await attache.offer(await buildPlugin('faulty/refuses-config'));
  await attache.applyPlugin('second', { url: refused });
  const after = await until(
    async () => {
      const found = await read();
      return count(found, METRICS.nacks.name, { type: 'ecds', reason: 'refused' }) >= 1 && found;
    },
    { what: 'the refusal to be counted', deadlineMs: 60_000 },
  );
  assert.ok(count(after, METRICS.nacks.name, { type: 'ecds', reason: 'unconfirmed' }) >= 1);
  assert.ok(count(after, METRICS.nacks.name, { type: 'ecds', reason: 'probe' }) >= 1);
  assert.equal(count(after, METRICS.nacks.name, { type: 'ecds', reason: 'unreachable' }), 0);
  assert.equal(count(after, METRICS.nacks.name, { type: 'ecds', reason: 'unexplained' }), 0);
});
