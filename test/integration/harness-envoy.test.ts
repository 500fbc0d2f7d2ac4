import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { startLoad } from '../harness/load.ts';
import { rawBootstrap, rawListener } from '../harness/raw-resources.ts';
import { RawXdsServer } from '../harness/raw-xds-server.ts';
import { startUpstream } from '../harness/upstream.ts';
import { until } from '../harness/wait.ts';

for (const apiType of ['DELTA_GRPC', 'GRPC'] as const)
  test(`an Envoy takes a listener by hand over ${apiType}, serves it, refuses a bad one, and ends`, async t => {
    const upstream = stopAfter(t, await startUpstream());
    const xds = stopAfter(t, await RawXdsServer.start());
    const ports = { xdsPort: xds.port, modulesPort: 1, upstreamPort: upstream.port };
    const envoy = stopAfter(
      t,
      await startEnvoy({ bootstrap: rawBootstrap({ id: 'one', apiType, ...ports }) }),
    );
    const first = await xds.waitRequest(one => one.typeUrl === LISTENER_TYPE, 'the first listener request');
    assert.equal(first.nodeId, 'one');
    assert.equal(first.mode, apiType === 'GRPC' ? 'sotw' : 'delta');
    assert.equal(await envoy.isReady(), false);

    assert.deepEqual((await xds.pushListener('1', rawListener('main', [])).verdict).ok, true);
    await envoy.waitReady();
    const port = await envoy.listenerPort('main');
    const load = stopAfter(t, startLoad({ port, hasPlugin: response => 'x-absent' in response.headers }));
    await until(() => load.total >= 100, { what: 'a hundred requests' });
    await load.stop();
    assert.equal(load.failed, 0, JSON.stringify(load.failures));
    assert.equal(load.withoutPlugin, load.total);
    assert.equal(load.opened, 4);
    assert.equal(upstream.count(), load.total);
    assert.equal(await envoy.stat('http.main.downstream_rq_2xx'), load.total);

    const bad = { ...rawListener('other', []), filter_chains: [] };
    const verdict = await xds.pushListener('2', bad).verdict;
    assert.equal(verdict.ok, false);
    assert.match(verdict.text, /other/);
    await envoy.stop();
    assert.equal((await envoy.ended).signal, null);
  });

test('an Envoy that cannot start says why', async () => {
  await assert.rejects(startEnvoy({ bootstrap: { node: { unknown_field: 1 } } }), /unknown_field/);
});

test('load counts an answer that is not 200, and a connection that nobody takes', async t => {
  const upstream = stopAfter(t, await startUpstream());
  const load = stopAfter(
    t,
    startLoad({ port: upstream.port, isFailure: response => response.status === 200 }),
  );
  await until(() => load.failed >= 10, { what: 'ten failures' });
  assert.equal(load.failures[0]?.what, '200');
  await upstream.stop();
  await until(() => load.failures.some(failure => failure.what === 'ECONNREFUSED'), {
    what: 'a refused connection',
  });
});
