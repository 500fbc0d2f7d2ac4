import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { XDS_TYPES } from '../../src/model/type-url.ts';
import { folder, run, VALIDATION, withServer } from './run-main.ts';

test('apply stores what others need before them, whatever the order in the files', async () => {
  const types = ['listeners', 'runtimes', 'routes', 'extensions', 'clusters', 'endpoints', 'secrets'];
  const documents = types.map(type => {
    const typeUrl = XDS_TYPES.find(({ plural }) => plural === type)?.typeUrl;
    return JSON.stringify({ '@type': typeUrl, [type === 'endpoints' ? 'cluster_name' : 'name']: 'x' });
  });
  const file = join(folder, 'all.yaml');
  writeFileSync(file, documents.join('\n---\n'));
  const view = {
    kind: 'EnvoyResource',
    metadata: { namespace: 'default', name: 'x' },
    status: { nodes: { targeted: 1, refused: 0, disconnected: 0 }, refusals: [] },
    result: 'created',
    warnings: [],
  };
  const answers = Object.fromEntries(types.map(type => [`PUT /v1/resources/${type}/default/x`, view]));
  await withServer(
    { ...answers, [VALIDATION]: { kind: 'Plan', differs: true, items: [] } },
    async (server, asked) => {
      const { code, err } = await run(['apply', '-f', file, '--server', server]);
      assert.deepEqual([code, err], [0, '']);
      assert.deepEqual(
        asked.slice(1).map(path => path.split('/')[3]),
        ['secrets', 'endpoints', 'clusters', 'routes', 'extensions', 'listeners', 'runtimes'],
      );
    },
  );
});

test('delete --dry-run prints the plan and deletes nothing', async () => {
  const none = { count: 0, nodes: [] };
  const removed = {
    listener: 'in',
    effect: 'removed',
    detail: 'it is removed',
    count: 1,
    nodes: ['a'],
    traffic: { carries: none, idle: none, unknown: { count: 1, nodes: ['a'] } },
    open: 0,
    opened: 0,
    text: 'listener in: it is removed. Whether it carries traffic is not known',
  };
  const item = {
    kind: 'ResourcePlan',
    type: 'listeners',
    namespace: 'edge',
    name: 'in',
    envoyName: 'in',
    result: 'deleted',
    differs: true,
    changes: [],
    count: 1,
    nodes: ['a'],
    disconnected: 0,
    listeners: [removed],
    frozen: null,
    text: 'taken from 1 node at once',
    warnings: [],
  };
  const answers = { 'POST /v1/plans': { kind: 'Plan', differs: true, items: [item] } };
  await withServer(answers, async (server, asked) => {
    const { code, out, err } = await run(['delete', 'listener', 'edge/in', '--dry-run', '--server', server]);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^listener edge\/in {3}deleted: taken from 1 node at once\n/);
    assert.match(out, /\n {2}! listener in: it is removed\. Whether/);
    assert.deepEqual(asked, ['POST /v1/plans']);
    for (const wrong of [
      ['delete', 'listener', 'a', '--dry-run', '--now'],
      ['delete', 'plugin', 'a', '--dry-run', '--wait'],
    ])
      assert.equal((await run([...wrong, '--server', server])).code, 2, wrong.join(' '));
  });
});
