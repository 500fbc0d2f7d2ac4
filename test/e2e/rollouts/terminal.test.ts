/** What somebody on call types and reads, on three Envoys. The stories of one plugin, `auth`, follow each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { buildStamp, withSeed } from '../../harness/fixture-modules.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { until } from '../../harness/wait.ts';
import { startFleet } from './fleet-scene.ts';
import { AT_ONCE, assertPlainWords, install, SHORT_STEPS, stamps, untilPhase } from './rollout-watch.ts';

const CLOCK = '\\d\\d:\\d\\d:\\d\\d';
const ESCAPE = '\u001b[';

test('three Envoys, seen from a terminal', async t => {
  const nodes = ['edge-a-1', 'edge-a-2', 'edge-b-1'];
  const fleet = await startFleet(t, { nodes });
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  const url = await attache.offer(await buildStamp('terminal'));
  const header = await attache.offer(withSeed((await buildPlugin('add-header')).bytes, 'terminal'));
  const auth = (stamp: string, rollout: object) =>
    terminal.write('auth', { url, phase: 'AUTHN', pluginConfig: { stamp }, rollout: { ...rollout } });

  await t.test(
    'acceptance 12: a rollout is watched live, as a tree in a terminal and as lines elsewhere',
    async () => {
      assert.equal((await terminal.run('apply', '-f', auth('one', SHORT_STEPS))).code, 0);
      const tree = terminal.startInTerminal(t, 'rollout', 'status', 'auth');
      const lines = terminal.start(t, 'rollout', 'status', 'auth');
      assert.deepEqual([await tree.ended, await lines.ended], [0, 0], tree.text.out + lines.text.err);
      const frames = tree.text.out.replaceAll('\r\n', '\n').split(`${ESCAPE}J`).slice(1);
      assert.ok(frames.length > 2, 'it was drawn again and again');
      assert.ok(
        frames.slice(1).every((_, i) => frames[i]?.endsWith('F')),
        'each time at the same place',
      );
      for (const branch of [
        /^auth {2}– → revision 1 {3}(Progressing|Baking) .*started \d+ s ago by admin\n/,
        /├─ step 1 {3}1 node asked, 1 of 3 nodes +(soaking +0:0\d of 0:02|passed)/,
        /├─ bake +(2 s, not started|0:0\d of 0:02)\n/,
        /└─ gates +refusals 0 +crashes 0 +broken 0 +5xx /,
      ])
        assert.match(frames[0] ?? '', branch);
      assert.match(
        frames.at(-1) ?? '',
        /├─ step 3 .* 3 of 3 nodes +done .*\n[\s\S]*\nSucceeded in .*: 3 of 3 nodes run revision 1\n$/,
      );
      assert.ok(!lines.text.out.includes(ESCAPE));
      assert.match(
        lines.text.out,
        new RegExp(`^(${CLOCK} .*\n)+Succeeded in .*: 3 of 3 nodes run revision 1\n$`),
      );
      for (const event of ['step 1 .* passed', 'step 2 .* soaking', 'step 3 .* done', 'Baking', 'Succeeded'])
        assert.match(lines.text.out, new RegExp(`\n${CLOCK} ${event}`));
    },
  );

  await t.test(
    'acceptance 9: diff shows spec, chain before and after per group, nodes of each step; exit 3',
    async () => {
      const selector = { matchLabels: { zone: 'b' } };
      await install(attache, 'only-b', {
        url: header,
        phase: 'AUTHN',
        pluginConfig: { value: 'b' },
        selector,
      });
      const spec = {
        url,
        phase: 'AUTHN',
        priority: -1,
        pluginConfig: { stamp: 'two' },
        rollout: SHORT_STEPS,
      };
      const file = terminal.write('auth', spec);
      const { code, out, err } = await terminal.run('diff', '-f', file);
      assert.equal(code, 3, err);
      assert.match(out, /^default\/auth {3}revision 1 → 2\n/);
      assert.match(out, /\n {2}spec\.pluginConfig\.stamp +"one" → "two"\n/);
      assert.match(out, /\n {2}spec\.priority +– → -1\n/);
      assert.match(out, /\n {2}module +unchanged \([0-9a-f]{12}\)\n/);
      assert.match(
        out,
        /\nchain on 2 nodes \(edge-a-1, edge-a-2\), listener main: auth \(AUTHN\) → router; order unchanged, no listener update\n/,
      );
      assert.match(
        out,
        /\nchain on 1 node \(edge-b-1\), listener main: order changed, no listener update\n {2}before {3}auth \(AUTHN\) → only-b \(AUTHN\) → router\n {2}after {4}only-b \(AUTHN\) → auth \(AUTHN\) → router\n/,
      );
      assert.match(out, /\nsteps: 1, 2, 3 nodes; then 2 s bake\n/);
      const named = [...out.matchAll(/^ {2}step \d .*: (edge-\S+?)(?:; then 2 s soak)?$/gm)].map(
        ([, node]) => node,
      );
      assert.deepEqual(named.toSorted(), nodes, 'each node in the step that reaches it');
      const dry = await terminal.run('apply', '-f', file, '--dry-run');
      assert.deepEqual([dry.code, dry.out], [0, out]);
      assert.equal((await terminal.run('diff', '-f', auth('one', SHORT_STEPS))).code, 0, 'nothing to change');
      assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']), 'nothing was changed');
    },
  );

  await t.test(
    'acceptance 15: chain order is explained; two plugins claiming one place give a warning',
    async () => {
      const plan = { url: header, phase: 'AUTHZ', rollout: AT_ONCE };
      const [limit, quota] = ['limit', 'quota'].map(name => terminal.write(name, plan));
      assert.equal((await terminal.run('apply', '-f', limit ?? '', '--wait')).code, 0);
      const tied = await terminal.run('apply', '-f', quota ?? '', '--wait');
      assert.equal(tied.code, 0);
      const words =
        /default\/limit and default\/quota have the same place: phase AUTHZ and priority 0\.\s+default\/limit comes first, because it was created earlier\.\s+To choose, give them different priorities\./;
      assert.match(tied.err, words);
      const told = await terminal.run('describe', 'node', 'edge-a-1');
      assert.match(
        told.out,
        /\nlistener main: auth \(AUTHN\) → limit \(AUTHZ\) → quota \(AUTHZ\) → router\n/,
      );
      assert.match(told.out, words);
      const higher = terminal.write('quota', { ...plan, priority: 1 });
      const chosen = await terminal.run('apply', '-f', higher, '--wait');
      assert.deepEqual([chosen.code, chosen.err], [0, '']);
      const now = await terminal.run('describe', 'node', 'edge-a-1');
      assert.match(now.out, /\nlistener main: auth \(AUTHN\) → quota \(AUTHZ\) → limit \(AUTHZ\) → router\n/);
      assert.doesNotMatch(now.out, /same place/);
    },
  );

  await t.test(
    'acceptance 11: status with a timeout tells by its exit code how it ended, or that it did not',
    async () => {
      const status = async (...more: string[]) =>
        (await terminal.run('rollout', 'status', 'auth', ...more)).code;
      assert.equal(await status('--timeout', '20s'), 0, 'Succeeded');
      const refuses = withSeed((await buildPlugin('faulty/refuses-config')).bytes, 'terminal');
      const badUrl = await attache.offer(refuses);
      const bad = terminal.write('auth', { url: badUrl, phase: 'AUTHN', rollout: SHORT_STEPS });
      assert.equal((await terminal.run('apply', '-f', bad, '-m', 'auth 1.6.0')).code, 0);
      assert.equal(await status('--timeout', '20s'), 4, 'RolledBack');
      const human = { steps: [{ nodes: 1 }, { pause: 'human' }], bake: '10m' };
      assert.equal((await terminal.run('apply', '-f', auth('two', human), '-m', 'by hand')).code, 0);
      assert.equal(await status('--timeout', '20s'), 5, 'waits for a person');
      const slow = { url: header, phase: 'STATS', rollout: { steps: [{ nodes: 1, soak: '10m' }] } };
      assert.equal((await terminal.run('apply', '-f', terminal.write('slow', slow))).code, 0);
      const late = await terminal.run('rollout', 'status', 'slow', '--timeout', '2s');
      assert.equal(late.code, 6, 'not over in that time');
      assert.equal((await terminal.run('rollout', 'abort', 'slow')).code, 0);
    },
  );

  await t.test(
    'acceptance 3: of each node what it is to run, what was sent, accepted and loaded, since when',
    async () => {
      const serving = await stamps(fleet);
      assert.equal(nodes.filter(id => serving[id] === 'two').length, 1);
      for (const id of nodes) {
        const { out } = await terminal.run('describe', 'node', id);
        const revision = serving[id] === 'two' ? 3 : 1;
        assert.match(out, new RegExp(`^${id} {3}Connected since \\d+[sm] .*Envoy 1\\.40\\.0`));
        assert.match(out, new RegExp(`\nauth +${revision} +${revision} +(Accepted|Loaded) +\\d+[sm]`));
      }
      const plugin = (await terminal.run('describe', 'plugin', 'auth')).out;
      assert.match(
        plugin,
        /^default\/auth {3}Paused .* revision 1 .*\n[\s\S]*\nNODE +WANTED +RUNS +STATE +AGE /,
      );
      // Nothing but only-b changed when it came: what its Envoy counts proves that it runs.
      const isLoaded = async () =>
        /\nonly-b +1 +1 +Loaded +\d+[sm]/.test((await terminal.run('describe', 'node', 'edge-b-1')).out);
      await until(isLoaded, { what: 'only-b to be Loaded', everyMs: 500 });
    },
  );

  await t.test('C-B7: one flag for an emergency, or one verb where a rollout runs already', async () => {
    const promoted = await terminal.run('rollout', 'promote', 'auth', '--full', '-m', 'CVE-2026-1');
    assert.equal(promoted.code, 0, promoted.err);
    await until(async () => Object.values(await stamps(fleet)).every(one => one === 'two'), {
      what: 'two everywhere',
    });
    assert.equal((await terminal.run('rollout', 'status', 'auth', '--timeout', '1s')).code, 6, 'it bakes');
    const slow = auth('three', { preset: 'cautious' });
    const urgent = await terminal.run('apply', '-f', slow, '--preset', 'all-at-once', '-m', 'CVE-2026-2');
    assert.equal(urgent.code, 0);
    assert.match(urgent.out, /\n {2}rollout {2}default\.auth\.4, preset all-at-once \(this rollout only/);
    await until(async () => Object.values(await stamps(fleet)).every(one => one === 'three'), {
      what: 'three everywhere',
    });
    assert.equal(
      (await terminal.run('apply', '-f', auth('four', AT_ONCE), '--wait', '-m', 'calm again')).code,
      0,
    );
  });

  await t.test(
    'acceptance 14: history shows revision, digest, difference, who, why, result and duration',
    async () => {
      assert.equal((await terminal.run('rollout', 'undo', 'auth', '-m', 'it was slower')).code, 0);
      await untilPhase(attache, 'auth', 5, ['Reverted']);
      const { out } = await terminal.run('rollout', 'history', 'auth', '-o', 'wide');
      const [head = '', ...rows] = out.trimEnd().split('\n');
      assert.match(head, /^REVISION +DIGEST +CONFIG +RESULT +WHO +MESSAGE +WHEN .*TOOK +DIFF$/);
      const told = (row: RegExp) =>
        assert.ok(
          rows.some(one => row.test(one)),
          `${row} in\n${out}`,
        );
      told(
        /^5 +[0-9a-f]{12} +[0-9a-f]{6} +Reverted +admin +calm again .* \d+(\.\d)? s +spec\.pluginConfig\.stamp "three" → "four"/,
      );
      told(/^4 .* Superseded +admin +CVE-2026-2 /);
      told(/^3 .* Superseded +admin +by hand /);
      told(
        /^2 +[0-9a-f]{12} +[0-9a-f]{6} +RolledBack +admin +auth 1\.6\.0 .*refused by edge-.*module "[0-9a-f]{12}" → "[0-9a-f]{12}"/,
      );
      told(/^1 .* Succeeded +admin /);
      assert.match(rows[0] ?? '', /^4 .* Succeeded +admin +it was slower /);
    },
  );

  await t.test('C-B8: history and events tell the night without a log file', async () => {
    const events = await terminal.run('events', '--since', '1h', '-o', 'json');
    const told = events.out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    const about = told.filter(one => one.plugin === 'default/auth').map(one => one.type);
    for (const type of [
      ...[
        'plugin.created',
        'rollout.started',
        'rollout.step.started',
        'rollout.step.passed',
        'rollout.baking',
      ],
      ...[
        'rollout.succeeded',
        'rollout.rolling-back',
        'rollout.rolled-back',
        'rollout.paused',
        'rollout.superseded',
      ],
      ...['rollout.reverted'],
    ])
      assert.ok(about.includes(type), `${type} in ${[...new Set(about)]}`);
    const refused = told.find(one => one.type === 'node.refused');
    assert.match(
      `${refused?.node} ${refused?.message}`,
      /edge-.* Unable to create Wasm plugin default\/auth/,
    );
    assert.ok(
      told.some(({ message }) => message.includes('CVE-2026-2')),
      'and who said why',
    );
  });

  await t.test(
    'acceptance 3, C-B6: unplugging a node gives Disconnected, with what it last ran; it can be forgotten',
    async () => {
      await fleet.node('edge-b-1').envoy.stop();
      await until(
        async () =>
          /\nedge-b-1 .* Disconnected .*last: .*auth 4/.test((await terminal.run('get', 'nodes')).out),
        {
          what: 'edge-b-1 to be shown as gone',
        },
      );
      const { out } = await terminal.run('describe', 'node', 'edge-b-1');
      assert.match(out, /^edge-b-1 {3}Disconnected since \d+s /);
      assert.match(out, /\nauth +4 +4 +(Accepted|Loaded), last known +\d+[sm]/);
      const forgotten = await terminal.run('delete', 'node', 'edge-b-1', '-m', 'VM retired');
      assert.equal(forgotten.code, 0);
      assert.equal(forgotten.out, 'node edge-b-1 forgotten. It comes back as new if it connects again.\n');
      assert.doesNotMatch((await terminal.run('get', 'nodes')).out, /edge-b-1/);
    },
  );

  await t.test('C-X1: none of it holds a word of ours', () => assertPlainWords(terminal.printed));
});
