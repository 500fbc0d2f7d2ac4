import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bakingView, refusedView, succeededView } from './rollout-views.ts';
import { answer, PATH, run, VALIDATION, withServer, writeDocument } from './run-main.ts';
import { nodeView, onNode, pluginView, revisionView } from './views.ts';

test('apply validates everything before it stores anything', async () => {
  const file = writeDocument('good.yaml', '  url: oci://r.example/auth:1\n');
  const problem = {
    status: 422,
    code: 'unknown-field',
    detail: 'spec.phase: …',
    errors: [{ pointer: '/documents/0/spec/url', message: 'is not allowed', hint: 'Take another.' }],
  };
  await withServer({ [VALIDATION]: problem }, async (server, asked) => {
    const { code, err } = await run(['apply', '-f', file, '--server', server]);
    assert.equal(code, 1);
    assert.match(err, /good\.yaml:5:3: spec\.url: is not allowed\. Take another\./);
    assert.match(err, /nothing was changed {3}\(code unknown-field, docs\/errors\.md#unknown-field\)/);
    assert.deepEqual(asked, [VALIDATION]);
  });
});

const FOLLOWED = {
  [VALIDATION]: { kind: 'Plan', differs: true, items: [] },
  [`GET ${PATH}/revisions`]: { kind: 'RevisionList', items: [revisionView()] },
  'GET /v1/nodes': { kind: 'NodeList', items: [nodeView()] },
};
const ROLLOUT = {
  id: 'default.auth.1',
  phase: 'Baking',
  active: true,
  plan: 'preset fast: 1 node, then 1 min bake',
  by: 'admin',
} as const;

test('apply reports what was checked; --wait draws it to its end; message and preset are handed on', async () => {
  const file = writeDocument('auth.yaml', '  url: oci://r.example/auth:1\n');
  const view = { ...pluginView({ phase: 'Baking', rollout: ROLLOUT }), onNodes: [onNode()] };
  const answers = {
    ...FOLLOWED,
    'POST /v1/plans?preset=fast&modules=false': FOLLOWED[VALIDATION],
    [`PUT ${PATH}?message=why%20not&preset=fast`]: answer(view),
    [`PUT ${PATH}`]: { ...answer(view), warnings: ['mind the gap'] },
    [`GET ${PATH}`]: view,
    'GET /v1/rollouts/default.auth.1': succeededView(),
  };
  await withServer(answers, async server => {
    const flags = ['-m', 'why not', '--preset', 'fast', '--wait', '--server', server];
    const waited = await run(['apply', '-f', file, ...flags]);
    assert.equal(waited.code, 0, waited.err);
    assert.match(waited.out, /^plugin default\/auth created, revision 1\n/);
    assert.match(waited.out, /27 imports known to Envoy 1\.40, configure ran: ok\n/);
    assert.match(waited.out, /\n {2}rollout {2}default\.auth\.1, preset fast: 1 node, then 1 min bake\n/);
    assert.match(waited.out, /\nSucceeded in 1m 2s: 1 of 1 node runs revision 1\n$/);
    assert.doesNotMatch(waited.out, /watch:/);
    const stored = await run(['apply', '-f', file, '--no-wait', '--server', server]);
    assert.deepEqual([stored.code, stored.err], [0, 'warning: mind the gap\n']);
    assert.match(stored.out, /^plugin default\/auth created\nwatch: attache rollout status auth\n$/);
  });
});

test('apply --wait exits 4 where it was rolled back, 5 where a person has to act', async () => {
  const file = writeDocument('auth.yaml', '  url: oci://r.example/auth:1\n');
  const view = { ...pluginView({ phase: 'Baking', rollout: ROLLOUT }), onNodes: [] };
  const ends = [
    [4, refusedView({ id: ROLLOUT.id, plugin: 'default/auth' }), /RolledBack in 2\.9 s/],
    [5, bakingView({ phase: 'Paused', reason: 'Human', waitsForPerson: true }), /Paused \(Human\)/],
  ] as const;
  for (const [expected, end, text] of ends) {
    const answers = {
      ...FOLLOWED,
      [`PUT ${PATH}`]: answer(view),
      [`GET ${PATH}`]: view,
      'GET /v1/rollouts/default.auth.1': end,
    };
    await withServer(answers, async server => {
      const { code, out } = await run(['apply', '-f', file, '--wait', '--server', server]);
      assert.equal(code, expected, out);
      assert.match(out, text);
    });
  }
});

test('a freeze is no fault of the document', async () => {
  const file = writeDocument('auth.yaml', '  url: oci://r.example/auth:1\n');
  const frozen = {
    status: 423,
    code: 'frozen',
    detail: 'frozen by admin',
    hint: 'attache unfreeze lifts it.',
    errors: [],
  };
  await withServer({ ...FOLLOWED, [`PUT ${PATH}`]: frozen }, async server => {
    const { code, err } = await run(['apply', '-f', file, '--server', server]);
    assert.deepEqual([code, err], [1, 'error: frozen by admin. attache unfreeze lifts it.\n']);
  });
});

test('delete hands on what is asked, and says how to watch', async () => {
  const deleted = { kind: 'Plugin', namespace: 'default', name: 'auth' };
  const text = 'plugin default/auth: removing from 2 nodes, preset fast';
  const gone = { kind: 'Deleted', deleted, nodes: 2, rollout: 'default.auth.2', text };
  const answers = {
    [`DELETE ${PATH}?message=gone&now=true`]: gone,
    'GET /v1/plugins': { kind: 'PluginList', items: [pluginView()] },
  };
  await withServer(answers, async server => {
    const { code, out } = await run(['delete', 'plugin', 'auth', '-m', 'gone', '--now', '--server', server]);
    assert.deepEqual([code, out], [0, `${text}\nwatch: attache rollout status auth\n`]);
    const missing = await run(['delete', 'plugin', 'auht', '--server', server]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /Did you mean auth\?\n$/);
    assert.equal((await run(['delete', 'listener', 'x', '--now', '--server', server])).code, 2);
  });
});

test('rollout status leaves with the code of the phase, as a tree or as data', async () => {
  const answers = {
    [`GET ${PATH}`]: pluginView(),
    'GET /v1/rollouts/default.auth.latest': bakingView({ phase: 'Paused', waitsForPerson: true }),
    'GET /v1/rollouts/edge.auth.8': refusedView(),
  };
  await withServer(answers, async server => {
    const env = { ATTACHE_SERVER: server };
    const paused = await run(['rollout', 'status', 'auth', '--once'], { env });
    assert.equal(paused.code, 5);
    assert.match(paused.out, /^auth {2}– → revision 1 {3}Paused/);
    const data = await run(['rollout', 'status', 'edge.auth.8', '-o', 'json'], { env });
    assert.equal(data.code, 4);
    assert.equal(JSON.parse(data.out).id, 'edge.auth.8');
    assert.equal((await run(['rollout', 'status', 'auth', '--timeout', '5'], { env })).code, 2);
    assert.equal((await run(['rollout'], { env })).code, 2);
  });
});
