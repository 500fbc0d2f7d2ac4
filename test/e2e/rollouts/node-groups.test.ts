/** A node group that changes under a plugin on real Envoys. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { until } from '../../harness/wait.ts';
import { startFleet, startFleetLoad } from './fleet-scene.ts';
import { assertPlainWords, rolloutOf, SHORT_STEPS, stamps, untilPhase } from './rollout-watch.ts';

const having = (all: Readonly<Record<string, string | null>>) =>
  Object.keys(all).filter(id => all[id] !== null);

test('a changed group is a rollout of placement: nodes enter and leave in steps, and the others keep what they have', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-a-2', 'edge-b-1', 'edge-b-2'] });
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  let files = 0;
  const group = (spec: object): string => {
    files += 1;
    const path = join(attache.folder, `group-${files}.json`);
    const document = { apiVersion: 'attache/v1', kind: 'NodeGroup', metadata: { name: 'canaries' }, spec };
    writeFileSync(path, JSON.stringify(document));
    return path;
  };
  const url = await attache.offer(await buildStamp('grouped'));
  const targetRefs = [{ kind: 'NodeGroup', name: 'canaries' }];
  const plugin = terminal.write('auth', {
    url,
    pluginConfig: { stamp: 'one' },
    targetRefs,
    rollout: { ...SHORT_STEPS },
  });
  const loads = startFleetLoad(t, fleet);
  const both = await terminal.run('apply', '-f', plugin, group({ nodes: ['edge-a-1'] }), '--wait');
  assert.equal(both.code, 0, both.err);
  assert.match(both.out, /^node group default\/canaries created, 1 node\n/);
  assert.deepEqual(having(await stamps(fleet)), ['edge-a-1']);

  const all = group({ selector: { matchLabels: { role: 'edge' } } });
  assert.equal((await terminal.run('diff', '-f', all)).code, 3);
  const wider = await terminal.run('apply', '-f', all, '-m', 'everywhere');
  assert.equal(wider.code, 0, wider.err);
  assert.match(wider.out, /canaries configured, 4 nodes\n {2}default\/auth goes to them by a rollout/);
  const counts = new Set<number>();
  await until(
    async () => {
      const now = having(await stamps(fleet));
      counts.add(now.length);
      assert.ok(now.includes('edge-a-1'), 'what has it keeps it');
      return (await rolloutOf(attache, 'auth', 2))?.phase === 'Succeeded';
    },
    { what: 'all to have it', deadlineMs: 60_000, everyMs: 100 },
  );
  assert.deepEqual(
    [...counts].sort(),
    [1, 2, 3, 4].filter(count => counts.has(count)),
  );
  assert.ok(counts.has(2), `one enters first: ${[...counts].join(', ')}`);
  const second = await rolloutOf(attache, 'auth', 2);
  assert.equal(second?.change, 'placement');

  const nodes = await terminal.run('get', 'nodes');
  assert.match(nodes.out, /^edge-b-1 +canaries /m);
  const refused = await terminal.run('delete', 'nodegroup', 'canaries');
  assert.equal(refused.code, 7, refused.err);
  assert.match(refused.err, /named by default\/auth/);

  const fewer = await terminal.run('apply', '-f', group({ nodes: ['edge-b-*'] }));
  assert.equal(fewer.code, 0, fewer.err);
  await untilPhase(attache, 'auth', 3, ['Succeeded']);
  assert.deepEqual(having(await stamps(fleet)), ['edge-b-1', 'edge-b-2']);
  const described = await terminal.run('describe', 'nodegroup', 'canaries');
  assert.match(
    described.out,
    /nodes {4}2 nodes, 2 connected\n {2}ids +edge-b-\*\n {2}used by {2}default\/auth\n/,
  );
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
  assertPlainWords(terminal.printed);
});
