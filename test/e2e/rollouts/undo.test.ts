import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopAfter } from '../../harness/cleanup.ts';
import { buildStamp, toStampModule } from '../../harness/fixture-modules.ts';
import { freePort } from '../../harness/free-port.ts';
import { startModuleHost } from '../../harness/module-host.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { holds, until } from '../../harness/wait.ts';
import { type FleetNode, startFleet, startFleetLoad, startNode } from './fleet-scene.ts';
import {
  AT_ONCE,
  assertPlainWords,
  install,
  rolloutOf,
  stamp,
  stamps,
  touchedSince,
  untilPhase,
} from './rollout-watch.ts';

/** Which build of the module a node runs. */
async function buildOn({ port }: FleetNode): Promise<string | null> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  await response.arrayBuffer();
  return response.headers.get('x-stamp-module');
}

test('the registry is down: undo, restarts of six Envoys, and what is applied meanwhile', async t => {
  const host = stopAfter(t, await startModuleHost());
  const fleet = await startFleet(t, { attache: { flags: ['--allow-private-host', '127.0.0.1'] } });
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  const offer = async (seed: string) => {
    const module = await buildStamp(seed);
    host.add(module);
    return `http://127.0.0.1:${host.port}/m/${module.sha256}`;
  };
  const first = { url: await offer('undo-one'), pluginConfig: { stamp: 'one' } };
  const second = { url: await offer('undo-two'), pluginConfig: { stamp: 'two' }, rollout: AT_ONCE };
  const file = terminal.write('auth', second);
  await install(attache, 'auth', first);
  assert.equal((await terminal.run('apply', '-f', file, '--wait')).code, 0);
  const [restarted, ...others] = fleet.nodes.keys();
  assert.ok(restarted !== undefined);
  const loads = startFleetLoad(t, fleet, { nodes: others });
  await host.stop();
  let nodes = [...fleet.nodes.values()];
  const everyBuild = async () => new Set(await Promise.all(nodes.map(buildOn)));

  await t.test('acceptance 22: Envoys that start while the registry is down get the plugin', async () => {
    await fleet.node(restarted).envoy.stop();
    const again = await startNode(t, attache, restarted);
    const late = await startNode(t, attache, 'edge-a-9');
    nodes = [again, late, ...others.map(id => fleet.node(id))];
    for (const node of [again, late])
      await until(async () => (await stamp(node)) === 'two', { what: `${node.id} to have the plugin` });
  });

  await t.test(
    'acceptance 5, acceptance 22: undo with the registry down: one command, the bytes of before on every node in seconds',
    async () => {
      const askedAt = Date.now();
      const undone = await terminal.run('rollout', 'undo', 'auth', '-m', 'liked the old one');
      assert.equal(undone.code, 0, undone.err);
      assert.match(
        undone.out,
        /^default\/auth: revision 2 → 1 on 7 nodes, at once .*; bytes are here, no registry needed\n/,
      );
      assert.deepEqual(await everyBuild(), new Set([toStampModule('undo-one')]), 'when the command is over');
      const tookMs = Date.now() - askedAt;
      assert.ok(tookMs < 10_000, `it took ${tookMs} ms`);
      t.diagnostic(`undone ${tookMs} ms after it was typed`);
      const end = await untilPhase(attache, 'auth', 3, ['Succeeded'], 1_000);
      assert.deepEqual([end.change, end.message], ['undo', 'liked the old one']);
      assert.match((await terminal.run('rollout', 'history', 'auth')).out, /\n2 .* Reverted /);
    },
  );

  await t.test(
    'C-A7: the same file again changes nothing, says why and what to type; retry lifts it',
    async () => {
      const before = Date.now();
      const held = await terminal.run('apply', '-f', file);
      assert.equal(held.code, 4);
      assert.match(
        held.out,
        /revision 2 .*was undone by admin .*\("liked the old one"\).*\n(nothing was changed.*\n)?to roll it out again: attache rollout retry auth\n$/,
      );
      assert.match(
        (await terminal.run('rollout', 'undo', 'auth')).out,
        /revision 1|already/,
        'and back it is',
      );
      assert.deepEqual(touchedSince(fleet, before), []);
      assert.equal((await terminal.run('rollout', 'retry', 'auth', '-m', 'once more')).code, 0);
      assert.equal((await terminal.run('rollout', 'status', 'auth')).code, 0);
      assert.deepEqual(await everyBuild(), new Set([toStampModule('undo-two')]));
    },
  );

  await t.test(
    'C-B4: an apply tells it within a minute, the fleet is unaffected, and nothing starts later',
    async () => {
      const module = await buildStamp('undo-three');
      const port = await freePort();
      const url = `http://127.0.0.1:${port}/m/${module.sha256}`;
      // What is an hour by default is seconds here.
      const rollout = { ...AT_ONCE, moduleDeadline: '13s' };
      const third = terminal.write('auth', { url, pluginConfig: { stamp: 'three' }, rollout });
      const askedAt = Date.now();
      const waiting = await terminal.run('apply', '-f', third);
      assert.equal(waiting.code, 6, waiting.out + waiting.err);
      assert.ok(Date.now() - askedAt < 60_000);
      for (const said of [
        /^plugin default\/auth configured, revision pending: no module yet\n/,
        /\bThe fleet runs revision 2 and needs no registry\.\n/,
        /\n {2}Attaché keeps trying until \d\d:\d\d.*, then gives up\. No node is touched meanwhile\.\n/,
        /stop: attache rollout abort auth\n/,
      ])
        assert.match(waiting.out, said);
      const gaveUp = await terminal.run('rollout', 'status', 'auth');
      assert.equal(gaveUp.code, 1, gaveUp.out);
      assert.match(gaveUp.out, /\nNotStarted: no node was touched; revision 2 stays\n/);
      const described = (await terminal.run('describe', 'plugin', 'auth')).out;
      assert.match(described, /\bgave up: retry the rollout, or apply again\./);
      assert.doesNotMatch(described, /is tried again/);
      const back = stopAfter(t, await startModuleHost(port));
      back.add(module);
      const isQuiet = async () => (await rolloutOf(attache, 'auth'))?.phase === 'NotStarted';
      await holds(isQuiet, { what: 'no rollout by itself', forMs: 3_000 });
      assert.deepEqual(touchedSince(fleet, askedAt), []);
      assert.deepEqual(
        new Set(
          Object.values(await stamps({ ...fleet, nodes: new Map(nodes.map(node => [node.id, node])) })),
        ),
        new Set(['two']),
      );
    },
  );

  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
  assertPlainWords(terminal.printed);
});
