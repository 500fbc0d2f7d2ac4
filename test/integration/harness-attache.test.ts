import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { buildStamp } from '../harness/fixture-modules.ts';
import { rawCluster } from '../harness/raw-resources.ts';
import { until } from '../harness/wait.ts';

test('Attaché as a process is killed, started again on its data and ports, and ended', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const { addresses, pid } = attache;
  await attache.applyResource('clusters', 'upstream', rawCluster('upstream', 1));
  await attache.applyPlugin('stamp', { url: await attache.offer(await buildStamp('harness')) });
  const isChecked = async () =>
    (await attache.request('GET', '/v1/plugins/default/stamp/revisions')).body.items?.length === 1;
  await until(isChecked, { what: 'a revision' });

  await attache.kill9();
  assert.equal(attache.isRunning, false);
  await attache.startAgain();
  assert.deepEqual(attache.addresses, addresses);
  assert.notEqual(attache.pid, pid);
  assert.equal((await attache.request('GET', '/v1/resources/clusters/default/upstream')).status, 200);
  assert.ok(await isChecked());
  assert.match(await attache.bootstrap(['--id', 'edge-1']), /id: edge-1/);
  await assert.rejects(attache.must('GET', '/v1/nodes/nobody'), /404/);
  assert.deepEqual(await attache.end(), { code: 0, signal: null });
});
