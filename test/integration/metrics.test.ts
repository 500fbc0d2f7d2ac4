/** `/metrics` of a running control plane, as a scraper reads it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { METRICS } from '../../src/api/metrics/metric-table.ts';
import { CLUSTER_TYPE } from '../../src/model/type-url.ts';
import { makeFleet, setUp } from '../api/metrics/scrape-scene.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { type Family, findValue, lint, parseExposition } from '../harness/exposition.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';
import { XdsConnection } from './xds-client.ts';

function countSeries(families: ReadonlyMap<string, Family>): number {
  return [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
}

test('a thousand nodes and three plugins make no series more than one of each, and no name of theirs is told', async () => {
  const small = setUp();
  await small.store.transaction(makeFleet(1, 1));
  const large = setUp();
  await large.store.transaction(makeFleet(1000, 3));
  const families = await large.read();
  assert.equal(countSeries(families), countSeries(await small.read()));
  assert.equal(findValue(families, METRICS.connectedNodes.name), 1000);
  const states = families.get(METRICS.rolloutNodes.name)?.samples ?? [];
  assert.equal(
    states.reduce((sum, { value }) => sum + value, 0),
    3_000,
  );
  assert.doesNotMatch(await large.scrape(), /customer/);
});

test('both ports tell the same metrics, and the port for scrapers tells nothing else', async t => {
  const attache = stopAfter(t, await AttacheProcess.start({ flags: ['--metrics-listen', '127.0.0.1:0'] }));
  const { api, xds } = attache.addresses;
  const { metrics } = JSON.parse(readFileSync(join(attache.folder, 'data', 'addresses.json'), 'utf8'));
  assert.ok((await attache.log()).includes(`  metrics  http://${metrics}/metrics   plain text`));
  const connection = stopAfter(t, new XdsConnection(Number(xds.split(':').at(-1))));
  await connection.open('edge-of-a-customer').ask(CLUSTER_TYPE).next();
  const families = await until(
    async () => {
      const found = await read(`http://${metrics}/metrics`);
      return findValue(found, METRICS.connectedNodes.name) === 1 && found;
    },
    { what: 'the node to be counted' },
  );
  assert.deepEqual(lint(families.values()), []);
  const doc = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const listed = [...doc.matchAll(/^\| `(\w+)` +\| (?:counter|gauge|histogram)/gm)].map(([, name]) => name);
  assert.deepEqual([...families.keys()].sort(), listed.sort());
  assert.deepEqual([...(await read(`${api}/metrics`)).keys()].sort(), listed.sort());
  assert.ok((findValue(families, METRICS.pushes.name, { type: 'cds' }) ?? 0) >= 1);
  assert.equal(findValue(families, METRICS.streams.name), 1);
  assert.ok((findValue(families, METRICS.storeRevision.name) ?? 0) > 0);
  assert.ok((findValue(families, `${METRICS.storeWrite.name}_count`) ?? 0) > 0);
  assert.equal(findValue(families, METRICS.watchLag.name), 0);
  const ready = { route: '/readyz', method: 'GET', status: '200' };
  assert.ok((findValue(families, METRICS.requests.name, ready) ?? 0) >= 1);

  await fetch(`${api}/v1/plugins/default/a-customers`);
  await fetch(`${api}/nowhere/a-customers`);
  const after = await fetch(`${api}/metrics`);
  const text = await after.text();
  assert.match(after.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.doesNotMatch(text, /customer/);
  const counted = parseExposition(text);
  const one = { route: '/v1/plugins/:namespace/:name', method: 'GET', status: '404' };
  assert.equal(findValue(counted, METRICS.requests.name, one), 1);
  const other = { route: 'other', method: 'GET', status: '404' };
  assert.equal(findValue(counted, METRICS.requests.name, other), 1);

  for (const path of ['/', '/v1/plugins', '/healthz']) {
    const refused = await fetch(`http://${metrics}${path}`);
    assert.deepEqual(
      [refused.status, ((await refused.json()) as { code: string }).code],
      [404, 'unknown-path'],
    );
  }
  const post = await fetch(`http://${metrics}/metrics`, { method: 'POST', body: 'x' });
  assert.equal(post.status, 404);
});

test('a port for metrics that is taken is named', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const { host } = new URL(attache.addresses.api);
  const others = ['xds', 'modules', 'api'].flatMap(name => [`--${name}-listen`, '127.0.0.1:0']);
  const data = join(attache.folder, 'other');
  const { code, err } = await runAttache(['serve', '--data', data, ...others, '--metrics-listen', host]);
  assert.equal(code, 1);
  assert.match(err, /--metrics-listen HOST:PORT/);
});

async function read(url: string): Promise<ReadonlyMap<string, Family>> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  return parseExposition(await response.text());
}
