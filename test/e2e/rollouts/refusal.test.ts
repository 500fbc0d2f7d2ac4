import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { buildStamp, withSeed } from '../../harness/fixture-modules.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { until } from '../../harness/wait.ts';
import { isSigned, startReceiver } from '../../harness/webhook-receiver.ts';
import { type FleetNode, startFleet, startFleetLoad } from './fleet-scene.ts';
import {
  assertPlainWords,
  install,
  rolloutOf,
  SHORT_STEPS,
  stamps,
  touchedSince,
  untilPhase,
} from './rollout-watch.ts';

const ENVOY_TEXT = 'Unable to create Wasm plugin default/auth';
const CLOCK = '\\d\\d:\\d\\d:\\d\\d';

const refusing = async (seed: string) =>
  withSeed((await buildPlugin('faulty/refuses-config')).bytes, `refusal-${seed}`);

/** What an Envoy said no to, on the wire. */
const nacksOf = ({ spy }: FleetNode) => spy.requests.filter(({ error }) => error !== undefined);

test('acceptance 2, C-B2: the canary of six Envoys refuses: RolledBack in 5 s with its text, nobody else touched; the same file again is held back, and wakes nobody', async t => {
  const fleet = await startFleet(t, { attache: { flags: ['--allow-private-host', '127.0.0.1'] } });
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  const good = await attache.offer(await buildStamp('refusal-good'));
  await install(attache, 'auth', { url: good, pluginConfig: { stamp: 'one' } });
  const loads = startFleetLoad(t, fleet);

  const pager = stopAfter(t, await startReceiver());
  const { secret } = await attache.must('PUT', '/v1/webhooks/on-call', { url: pager.url });
  const url = await attache.offer(await refusing('canary'));
  const file = terminal.write('auth', { url, rollout: SHORT_STEPS });
  const appliedAt = Date.now();
  assert.equal((await terminal.run('apply', '-f', file, '-m', 'auth 1.6.0', '--wait')).code, 4);
  const end = await untilPhase(attache, 'auth', 2, ['RolledBack']);

  assert.equal(end.failure?.kind, 'refusal');
  assert.equal(end.failure?.count, 1);
  const canary = end.failure?.node ?? '';
  assert.deepEqual(touchedSince(fleet, appliedAt), [canary], 'nothing was sent to any other node');
  const confirming = nacksOf(fleet.node(canary)).at(-1);
  assert.ok(confirming !== undefined, 'it said no on the wire');
  assert.ok(confirming.error?.includes(ENVOY_TEXT), `Envoy said ${confirming.error}`);
  assert.equal(end.failure?.text, ENVOY_TEXT);
  const tookMs = Date.parse(end.endedAt ?? '') - confirming.at;
  assert.ok(tookMs <= 5_000, `back ${tookMs} ms after the refusal`);
  t.diagnostic(`all back ${tookMs} ms after the answer that confirmed the refusal`);
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));
  const shown = await terminal.run('rollout', 'status', 'auth', '--once');
  assert.equal(shown.code, 4);
  assert.match(
    shown.out,
    new RegExp(`\n {2}why: ${canary} refused revision 2 at ${CLOCK}: "${ENVOY_TEXT}"\n`),
  );
  assert.match(
    shown.out,
    new RegExp(
      `\nRolledBack in .*: ${canary} is back on revision 1 \\(confirmed\\)\\. 5 nodes never touched\n`,
    ),
  );

  const page = await until(() => pager.received.find(({ body }) => body.includes('rollout.rolled-back')), {
    what: 'the page',
  });
  assert.ok(isSigned(page, secret));
  assert.match(
    JSON.parse(page.body).text,
    new RegExp(
      `^default/auth RolledBack: revision 2 was refused by 1 of 1 node of step 1; ${canary} at ${CLOCK} UTC: "${ENVOY_TEXT}"\\. ` +
        `The 1 node that had it runs revision 1 since ${CLOCK} UTC\\. 5 nodes were never touched\\. http.*/v1/rollouts/default\\.auth\\.2$`,
    ),
  );

  const pages = pager.received.length;
  const againAt = Date.now();
  const again = await terminal.run('apply', '-f', file, '--wait');
  assert.deepEqual([again.code, again.err], [4, '']);
  assert.match(
    again.out,
    new RegExp(
      `^default/auth: revision 2 \\(.*\\) was refused .*by ${canary}\\b.* is held back.*\n(nothing was changed; .*\n)?to try it again: attache rollout retry auth\n$`,
    ),
  );
  assert.deepEqual(touchedSince(fleet, againAt), []);
  assert.equal((await rolloutOf(attache, 'auth'))?.id, 'default.auth.2', 'nothing new began');
  assert.equal((await attache.must('GET', '/v1/plugins/default/auth')).status.desiredRevision, 1);
  // What pages somebody is made of rollouts and nodes: there is one line, and it is about neither.
  const events = await terminal.run('events', '--since', new Date(againAt).toISOString(), '-o', 'json');
  const types = events.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).type);
  assert.deepEqual(types, ['plugin.held-back']);
  assert.equal(pager.received.length, pages);
  const audit = await terminal.run('audit', '--since', new Date(againAt).toISOString());
  assert.match(audit.out, /^\S+ +admin +plugin\.held-back +default\/auth: apply by admin: held back\n$/);
  const verified = await terminal.run('audit', '--verify');
  assert.equal(verified.code, 0, verified.err);
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
  assertPlainWords(terminal.printed);
});

test('C-B1: two of three nodes of a step refuse: one status tells what, why, who first, how many, all back or not, what next', async t => {
  const nodes = ['edge-a-1', 'edge-b-11', 'edge-b-12', 'edge-b-2', 'edge-c-1', 'edge-c-2'];
  const fleet = await startFleet(t, { nodes });
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  await install(attache, 'auth', { url: await attache.offer(await buildStamp('refusal-some')) });
  const url = await attache.offer(await refusing('some'));
  const steps = [{ share: '100%', soak: '1s' }];
  const waves = ['a', 'b', 'c'].map(zone => ({
    name: `zone ${zone}`,
    selector: { matchLabels: { zone } },
    steps,
  }));
  const loads = startFleetLoad(t, fleet);
  // Only edge-b-11 and edge-b-12 are meant.
  const spec = { url, pluginConfig: { node: 'edge-b-1' }, rollout: { waves, bake: '1s' } };
  const file = terminal.write('auth', spec);
  const appliedAt = Date.now();
  assert.equal((await terminal.run('apply', '-f', file, '-m', 'JIRA-812', '--wait')).code, 4);
  const end = await untilPhase(attache, 'auth', 2, ['RolledBack']);
  const tookMs = Date.parse(end.endedAt ?? '') - Date.parse(end.failure?.at ?? '');
  assert.ok(tookMs <= 5_000, `back ${tookMs} ms after the refusal`);
  t.diagnostic(`${end.back?.touched} nodes back ${tookMs} ms after the answer that confirmed the refusal`);
  assert.deepEqual(touchedSince(fleet, appliedAt).toSorted(), nodes.slice(0, 4));

  const { code, out } = await terminal.run('rollout', 'status', 'auth', '--once');
  assert.equal(code, 4);
  const first = end.failure?.node ?? '';
  assert.match(first, /^edge-b-1[12]$/);
  // The second one may refuse after it was decided, or be sent back before anybody knows that it would have refused.
  const who = `(2 nodes refused revision 2, first ${first}|${first} refused revision 2)`;
  const refused = `(2 Refused +edge-b-11, edge-b-12|1 Refused +${first})`;
  const others = '(1 Accepted +edge-b-2|2 Accepted +edge-b-1[12], edge-b-2)';
  for (const said of [
    `^auth {2}1 → 2 {3}RolledBack {3}${CLOCK} +started ${CLOCK} by admin {2}"JIRA-812"\n`,
    `\n {2}why: ${who} at ${CLOCK}: "${ENVOY_TEXT}"\n`,
    '\n├─ step 1 zone a .* 1 of 6 nodes +passed ',
    '\n├─ step 2 zone b .* 4 of 6 nodes +FAILED +after ',
    `\n│ {2}├─ ${others} +revision 2, back on 1 \\((1 of 1|2 of 2) confirmed, `,
    `\n│ {2}[├└]─ ${refused} +never left revision 1\n`,
    '\n├─ step 3 zone c .* not started\n',
    "\nthe cause is in the Envoy log of .*: grep 'wasm log default/auth' <envoy log>, around ",
    '\nRolledBack in .*: 4 of 4 nodes are back on revision 1 \\(confirmed\\)\\. 2 nodes never touched\n',
    '\nnext: fix and apply\n {6}attache rollout retry auth {3}to try it again\n$',
  ])
    assert.match(out, new RegExp(said));
  const byNode = (await attache.must('GET', '/v1/plugins/default/auth')).onNodes;
  for (const on of byNode) assert.equal(on.revision, 1, `${on.node} runs revision 1 again`);
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
  assertPlainWords(terminal.printed);
});
