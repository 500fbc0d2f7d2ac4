/** The first hour, with one Envoy that serves and one that has no listener. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { buildStamp, withSeed } from '../../harness/fixture-modules.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { until } from '../../harness/wait.ts';
import { startFleet } from './fleet-scene.ts';
import { AT_ONCE, assertPlainWords, rolloutOf, stamp } from './rollout-watch.ts';

test('the first hour: a plugin by its default document, and what may go wrong meanwhile', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1'], bare: ['bare'] });
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  const url = await attache.offer(await buildStamp('newcomer'));
  const header = await attache.offer(withSeed((await buildPlugin('add-header')).bytes, 'newcomer'));
  const document = terminal.write('auth', { url, phase: 'AUTHN', pluginConfig: { stamp: 'one' } });
  // A node that has just connected may still ask for places.
  const isKnown = async () => (await terminal.run('diff', '-f', document)).out.includes('not counted: bare');
  await until(isKnown, { what: 'bare to be known for having no place', everyMs: 300 });

  const applied = await terminal.run('apply', '-f', document);
  const watching = terminal.start(t, 'rollout', 'status', 'auth');
  const edge = fleet.node('edge-a-1');
  await until(async () => (await stamp(edge)) === 'one', { what: 'the plugin to work', everyMs: 10 });
  const { metadata } = await attache.must('GET', '/v1/plugins/default/auth');
  const effectMs = Date.now() - Date.parse(metadata.createdAt);

  await t.test(
    'C-A4: apply says what it did, what was checked, how many nodes, how long, how to watch',
    () => {
      assert.equal(applied.code, 0, applied.out + applied.err);
      for (const said of [
        /^plugin default\/auth created, revision 1\n/,
        /\n {2}module {3}file:.* → sha256 [0-9a-f]{12}, \d+ KB\n/,
        /\n {2}checked {2}ABI 0\.2\.1, 5 imports known to Envoy 1\.40/,
        /\n {2}targets {2}1 node \(namespace default, no selector\)\n/,
        /\n {2}rollout {2}default\.auth\.1, preset fast \(default below 10 nodes\): 1 node, then 1 min bake\n/,
        /\nwatch: attache rollout status auth\n$/,
      ])
        assert.match(applied.out, said);
    },
  );

  await t.test('C-A5: an Envoy without a listener is named, and no rollout waits for it', async () => {
    assert.match(applied.err, /warning: bare cannot run default\/auth: .*no listener/);
    assert.match((await terminal.run('get', 'plugins')).err, /note: 1 node .*auth: bare.*describe node bare/);
    const described = await terminal.run('describe', 'node', 'bare');
    assert.match(described.out, /\nauth .* NotTargeted \(NoPlace\) .*no listener/);
    const shown = await terminal.run('rollout', 'status', 'auth', '--once');
    assert.match(shown.out, /\nnot counted: bare \(NoPlace: .*no listener/);
    const selector = { matchLabels: { role: 'bare' } };
    const alone = terminal.write('alone', { url: header, selector });
    const done = await terminal.run('apply', '-f', alone, '--wait', '--timeout', '30s');
    assert.equal(done.code, 0, done.out + done.err);
    assert.match(done.out, /\nSucceeded: no connected node is to change/);
    assert.match(done.err, /bare cannot run default\/alone/);
  });

  await t.test('C-A6: a plugin that matches no node says which namespace or label differs', async () => {
    const edgeSpace = terminal.write('auth', { url: header }, { namespace: 'edge' });
    const elsewhere = await terminal.run('apply', '-f', edgeSpace);
    assert.equal(elsewhere.code, 0);
    assert.match(elsewhere.err, /edge\/auth matches no node\. It selects namespace edge; .* default\.\n/);
    assert.match(elsewhere.err, /attache bootstrap --namespace edge/);
    const selector = { matchLabels: { role: 'egde' } };
    const typo = await terminal.run('apply', '-f', terminal.write('typo', { url: header, selector }));
    assert.equal(typo.code, 0);
    assert.match(typo.err, /default\/typo matches no node, .*label role=egde; the node has (no label )?role/);
    assert.match(typo.out, /it reaches the first node of namespace default when that connects/);
  });

  await t.test('C-A7: undo, then the same file again: nothing changes, and the answer says why', async () => {
    const one = { url: header, pluginConfig: { header: 'x-a7', value: 'one' }, rollout: AT_ONCE };
    const two = { ...one, pluginConfig: { header: 'x-a7', value: 'two' } };
    const file = terminal.write('again', two);
    for (const path of [terminal.write('again', one), file])
      assert.equal((await terminal.run('apply', '-f', path, '--wait')).code, 0);
    assert.equal((await terminal.run('rollout', 'undo', 'again', '-m', 'liked the old one')).code, 0);
    const held = await terminal.run('apply', '-f', file);
    assert.equal(held.code, 4);
    assert.match(held.out, /undone by admin .*liked the old one/);
    assert.match(held.out, /attache rollout retry again\n$/);
    assert.equal((await rolloutOf(attache, 'again'))?.change, 'undo', 'nothing new began');
  });

  await t.test(
    'C-A4: created, configured, unchanged or held back; what the plugin refuses fails the apply itself',
    async () => {
      const picky = (await buildPlugin('faulty/refuses-config-by-value')).bytes;
      const told = { url: await attache.offer(withSeed(picky, 'told')), phase: 'STATS', rollout: AT_ONCE };
      const write = (pluginConfig: JsonObject) => terminal.write('told', { ...told, pluginConfig });
      const [first, second] = [write({ refuse: 'no' }), write({ refuse: 'never' })];
      const created = await terminal.run('apply', '-f', first, '--wait');
      assert.match(created.out, /^plugin default\/told created, revision 1\n/);
      const changed = await terminal.run('apply', '-f', second, '--wait');
      assert.match(
        changed.out,
        /^plugin default\/told configured, revision 2\n {2}module .*\n {2}checked .*\n/,
      );
      const same = await terminal.run('apply', '-f', second);
      assert.deepEqual(
        [same.code, same.out.split('\n')[0]],
        [0, 'plugin default/told unchanged, revision 2'],
      );
      assert.equal((await terminal.run('rollout', 'undo', 'told')).code, 0);
      assert.match((await terminal.run('apply', '-f', second)).out, /is held back/);
      const refused = await terminal.run('apply', '-f', write({ refuse: true }));
      assert.equal(refused.code, 1, refused.out + refused.err);
      assert.match(
        refused.out,
        /^plugin default\/told .* cannot start: the plugin refuses this configuration: "refuse: is true"\n {2}\S+told-\d+\.json:\d+:\d+: spec\.pluginConfig\.refuse\n/,
      );
      assert.match(refused.out, /\n {2}no node was touched; revision 1 stays /);
      assert.equal((await terminal.run('apply', '-f', first)).code, 0);
    },
  );

  await t.test(
    'C-A3: effect on the first node in 3 s, Succeeded in 3 min, exit 0, without traffic',
    async () => {
      assert.ok(effectMs < 3_000, `it worked after ${effectMs} ms`);
      assert.equal(await watching.ended, 0, watching.text.out + watching.text.err);
      assert.match(watching.text.out, /\nSucceeded in 1m [0-9.]+s: 1 of 1 node runs revision 1\n$/);
      const view = await rolloutOf(attache, 'auth', 1);
      const tookMs = Date.parse(view?.endedAt ?? '') - Date.parse(view?.startedAt ?? '');
      assert.ok(tookMs < 180_000, `it took ${tookMs} ms`);
      t.diagnostic(`effect after ${effectMs} ms, Succeeded after ${tookMs} ms`);
    },
  );

  await t.test('C-X1: none of it holds a word of ours', () => assertPlainWords(terminal.printed));
});
