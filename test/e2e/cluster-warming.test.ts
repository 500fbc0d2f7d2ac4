/**
 * A cluster whose endpoints come by EDS waits for them each time it changes, also for the same ones; meanwhile Envoy answers
 * for no cluster. Who waits for that answer before the endpoints waits for 15 s.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#resource-warming
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ENDPOINT_TYPE } from '../../src/model/type-url.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { startEnvoy } from '../harness/envoy-process.ts';
import { rawCluster } from '../harness/raw-resources.ts';
import { startUpstream } from '../harness/upstream.ts';
import { until } from '../harness/wait.ts';
import { toApiType } from '../harness/xds-form.ts';

/** Envoy waits for 15 s where nothing comes. */
const SOON_MS = 5_000;

for (const form of ['delta', 'sotw'] as const)
  test(`a changed cluster and a new one serve at once with the endpoints that there are, ${form}`, t =>
    change(t, form));

async function change(t: TestContext, form: ProtocolForm): Promise<void> {
  const upstream = stopAfter(t, await startUpstream());
  const attache = stopAfter(t, await AttacheProcess.start());
  const { load_assignment: endpoints, ...cluster } = rawCluster('upstream', upstream.port);
  const toCluster = (connectTimeout: string, name = 'upstream') => ({
    ...cluster,
    name,
    type: 'EDS',
    connect_timeout: connectTimeout,
    eds_cluster_config: {
      service_name: 'upstream',
      eds_config: { ads: {}, resource_api_version: 'V3' },
    },
  });
  await attache.applyResource('endpoints', 'upstream', { '@type': ENDPOINT_TYPE, ...(endpoints as object) });
  await attache.applyResource('clusters', 'upstream', toCluster('5s'));
  const printed = await attache.bootstrap(['--id', 'edge-1']);
  const bootstrap = printed.replace('DELTA_GRPC', toApiType(form));
  const envoy = stopAfter(t, await startEnvoy({ bootstrap }));
  await envoy.waitReady();
  const timeouts = async (name = 'upstream'): Promise<Record<string, string | undefined>> => {
    const dump = JSON.parse(JSON.stringify(await envoy.configDump()));
    const clusters = dump.configs.find((it: { '@type': string }) =>
      it['@type'].endsWith('.ClustersConfigDump'),
    );
    const of = (list: string): string | undefined =>
      clusters[list]?.find(({ cluster: it }: { cluster: { name: string } }) => it.name === name)?.cluster
        .connect_timeout;
    return { active: of('dynamic_active_clusters'), warming: of('dynamic_warming_clusters') };
  };
  await until(async () => (await timeouts()).active === '5s', { what: 'the cluster' });
  for (const changed of ['4s', '3s']) {
    const before = performance.now();
    await attache.applyResource('clusters', 'upstream', toCluster(changed));
    const active = async () =>
      assert.deepEqual(await timeouts(), { active: changed, warming: undefined }) ?? true;
    await until(active, { what: `the cluster with ${changed}` });
    assert.ok(performance.now() - before < SOON_MS, `${performance.now() - before} ms`);
  }
  const before = performance.now();
  await attache.applyResource('clusters', 'other', toCluster('2s', 'other'));
  await until(async () => (await timeouts('other')).active === '2s', {
    what: 'the other cluster',
  });
  assert.ok(performance.now() - before < SOON_MS, `${performance.now() - before} ms`);
  if (form === 'sotw') return;
  // That there are no endpoints can be told in this form alone.
  const missing = toCluster('1s', 'missing');
  const source = { ...missing.eds_cluster_config, service_name: 'nowhere' };
  const since = performance.now();
  await attache.applyResource('clusters', 'missing', { ...missing, eds_cluster_config: source });
  await until(async () => (await timeouts('missing')).active === '1s', {
    what: 'the cluster without endpoints',
  });
  assert.ok(performance.now() - since < SOON_MS, `${performance.now() - since} ms`);
}
