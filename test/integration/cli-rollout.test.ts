import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildPlugin } from '../../plugins/build.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { AttacheProcess } from '../harness/attache-process.ts';
import { serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { spawnChild } from '../harness/child-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { buildStamp, withSeed } from '../harness/fixture-modules.ts';
import { type Ran, runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));
const CLOCK = '\\d\\d:\\d\\d:\\d\\d';
const INSIDE = /\b(slots?|attempts?|verdicts?|process|processes|nonces?|cohorts?)\b/i;

interface Terminal {
  readonly attache: AttacheProcess;
  run(...args: readonly string[]): Promise<Ran>;
  /** Writes a document of the plugin `auth` and gives its path. */
  write(name: string, spec: JsonObject): string;
}

/** One Envoy with a listener, and a user's terminal. */
async function startTerminal(t: TestContext): Promise<Terminal> {
  const scene = await startAttacheScene(t);
  await serveMain(scene);
  const { attache } = scene;
  return {
    attache,
    async run(...args) {
      const ran = await runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
      assert.doesNotMatch(ran.out + ran.err, INSIDE, args.join(' '));
      return ran;
    },
    write(name, spec) {
      const path = join(attache.folder, `${name}.json`);
      const document = { apiVersion: 'attache/v1', kind: 'Plugin', metadata: { name: 'auth' }, spec };
      writeFileSync(path, JSON.stringify(document, null, 2));
      return path;
    },
  };
}

/** A verb that goes on, and what it has printed so far. */
function start(t: TestContext, attache: AttacheProcess, args: readonly string[]) {
  const env = { ...process.env, ATTACHE_SERVER: attache.addresses.api };
  const { child, ended } = spawnChild(PROGRAM, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', piece => {
    text.out += piece;
  });
  child.stderr?.setEncoding('utf8').on('data', piece => {
    text.err += piece;
  });
  const verb = {
    text,
    ended,
    says: (what: RegExp) => until(() => what.test(text.out + text.err), { what: `it to say ${what}` }),
    interrupt: () => child.kill('SIGINT'),
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
  return stopAfter(t, verb);
}

const AT_ONCE: JsonObject = { preset: 'all-at-once', bake: '1s' };

test('C-A7, C-A8: diff, apply --wait, undo, the same file again, retry, delete, undo', async t => {
  const { attache, run, write } = await startTerminal(t);
  const url = await attache.offer(await buildStamp('cli-rollout'));
  const one = write('one', { url, pluginConfig: { stamp: 'one' }, rollout: AT_ONCE });
  const two = write('two', { url, pluginConfig: { stamp: 'two' }, rollout: AT_ONCE });
  assert.equal((await run('apply', '-f', one, '--wait')).code, 0);

  const planned = await run('diff', '-f', two);
  assert.equal(planned.code, 3, planned.err);
  assert.match(
    planned.out,
    /^default\/auth {3}revision 1 → 2\n {2}spec\.pluginConfig\.stamp {3}"one" → "two"\n/,
  );
  assert.match(
    planned.out,
    /\nchain on 1 node \(edge-1\), listener main: auth → router; order unchanged, no listener update\n/,
  );
  assert.match(planned.out, /\nsteps: 1 edge-1; then 1 s bake\n/);
  const dry = await run('apply', '-f', two, '--dry-run');
  assert.deepEqual([dry.code, dry.out], [0, planned.out]);
  assert.equal((await run('diff', '-f', one)).code, 0);

  const applied = await run('apply', '-f', two, '-m', 'stamp two', '--wait');
  assert.equal(applied.code, 0, applied.out + applied.err);
  assert.match(applied.out, /^plugin default\/auth configured, revision 2\n/);
  assert.match(applied.out, /\n {2}rollout {2}default\.auth\.2, preset all-at-once: 1 node, then 1 s bake\n/);
  assert.match(applied.out, new RegExp(`\n${CLOCK} auth {2}1 → 2 {3}.* by admin {2}"stamp two"\n`));
  assert.match(applied.out, /\nSucceeded in .*: 1 of 1 node runs revision 2\n$/);

  const undone = await run('rollout', 'undo', 'auth', '-m', 'liked the old one');
  assert.equal(undone.code, 0, undone.err);
  assert.match(undone.out, /^default\/auth: revision 2 → 1 on 1 node, at once .* no registry needed\n/);
  assert.match(undone.out, /\nedge-1 {3}(Accepted|Loaded) +revision 1/);
  const held = await run('apply', '-f', two);
  assert.equal(held.code, 4, held.out + held.err);
  assert.match(held.out, /undone by admin .*\("liked the old one"\)/);
  assert.match(held.out, /\nto roll it out again: attache rollout retry auth\n$/);
  assert.equal((await run('rollout', 'undo', 'auth')).code, 0, 'already back');
  const history = await run('rollout', 'history', 'auth');
  assert.match(history.out, /\n2 .* Reverted +admin +stamp two +/);
  const retried = await run('rollout', 'retry', 'auth', '-m', 'after all');
  assert.equal(retried.code, 0, retried.err);
  assert.equal((await run('rollout', 'status', 'auth')).code, 0);

  const deleted = await run('delete', 'plugin', 'auth', '--wait');
  assert.equal(deleted.code, 0, deleted.err);
  assert.match(deleted.out, /^plugin default\/auth: removing from 1 node, preset all-at-once/);
  assert.match(deleted.out, /\nSucceeded in .*: 1 of 1 node runs without (default\/)?auth\n$/);
  assert.doesNotMatch((await run('get', 'plugins')).out, /auth/);
  assert.equal((await run('rollout', 'undo', 'auth', '-m', 'still needed')).code, 0);
  assert.match((await run('get', 'plugins')).out, /\ndefault +auth +2 +Succeeded +1\/1 /);
});

test('acceptance 11, C-B7: exit codes of steps that wait, of time, of a freeze, of verbs that are not legal', async t => {
  const { attache, run, write } = await startTerminal(t);
  const url = await attache.offer(await buildStamp('cli-human'));
  const human = { steps: [{ pause: 'human' }, { share: '100%' }], bake: '0s' };
  const file = write('human', { url, pluginConfig: { stamp: 'one' }, rollout: human });
  const waiting = await run('apply', '-f', file, '--wait');
  assert.equal(waiting.code, 5, waiting.out + waiting.err);
  assert.match(waiting.out, /\nnext: attache rollout promote auth /);
  assert.equal((await run('rollout', 'status', 'auth')).code, 5);
  const illegal = await run('rollout', 'retry', 'auth');
  assert.equal(illegal.code, 7);
  assert.match(illegal.err, /^error: default\.auth\.1 is Paused: retry is not possible/);
  assert.equal((await run('rollout', 'promote', 'auth', '-m', 'looks good')).code, 0);
  assert.equal((await run('rollout', 'status', 'auth')).code, 0);

  const slow = { preset: 'all-at-once', bake: '10m' };
  const long = write('long', { url, pluginConfig: { stamp: 'two' }, rollout: slow });
  const late = await run('apply', '-f', long, '--wait', '--timeout', '1s');
  assert.equal(late.code, 6, late.out + late.err);
  assert.match(
    (await run('freeze', '-m', 'on-call, until 09:00')).out,
    /^frozen: changes answer 423 with your message; /,
  );
  const frozen = await run('apply', '-f', file);
  assert.equal(frozen.code, 1);
  assert.match(
    frozen.err,
    new RegExp(
      `^error: frozen by admin since ${CLOCK}: "on-call, until 09:00"\\. attache unfreeze lifts it\\.\n$`,
    ),
  );
  assert.equal((await run('rollout', 'status', 'auth', '--once')).code, 5);
  assert.equal((await run('unfreeze')).code, 0);
  const aborted = await run('rollout', 'abort', 'auth', '-m', 'enough');
  assert.equal(aborted.code, 0, aborted.out + aborted.err);
  assert.match(aborted.out, /edge-1 is back on revision 1 \(confirmed\)/);
  assert.equal((await run('rollout', 'status', 'auth')).code, 4);

  const typo = await run('rollout', 'status', 'auht', '--once');
  assert.deepEqual(
    [typo.code, typo.err],
    [1, 'error: there is no plugin default/auht. Did you mean auth?\n'],
  );
  assert.equal((await run('delete', 'node', 'edge-1')).code, 7);
  assert.match((await run('node', 'exclude', 'edge-1', '-m', 'drained')).out, /^node edge-1 is excluded: /);
  assert.match((await run('get', 'nodes')).out, /\nedge-1 .* Connected, excluded /);
  assert.equal((await run('node', 'include', 'edge-1')).code, 0);
});

test('C-B1, C-B2: a refusal as a log tells it, exit 4, and what is held back', async t => {
  const { attache, run, write } = await startTerminal(t);
  const url = await attache.offer(
    withSeed((await buildPlugin('faulty/refuses-config')).bytes, 'cli-refused'),
  );
  const file = write('bad', { url, pluginConfig: { stamp: 'one' }, rollout: AT_ONCE });
  const refused = await run('apply', '-f', file, '--wait');
  assert.equal(refused.code, 4, refused.out + refused.err);
  assert.match(
    refused.out,
    new RegExp(
      `\n${CLOCK} why: edge-1 refused revision 1 at ${CLOCK}: "Unable to create Wasm plugin default/auth"\n`,
    ),
  );
  assert.match(refused.out, /grep 'wasm log default\/auth' <envoy log>/);
  assert.match(refused.out, /\nnext: fix and apply\n {6}attache rollout retry auth {3}to try it again\n$/);
  const again = await run('apply', '-f', file, '--wait');
  assert.equal(again.code, 4);
  assert.match(
    again.out,
    /was refused by edge-1 .*held back.*\nto try it again: attache rollout retry auth\n$/,
  );
  const told = await run('describe', 'node', 'edge-1');
  assert.match(
    told.out,
    new RegExp(`revision 1 refused at ${CLOCK}: "Unable to create Wasm plugin default/auth"`),
  );
  const events = await run('events', '--since', '1h', '-o', 'json', '--plugin', 'auth', '--type', 'rollout');
  const types = events.out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).type);
  assert.equal(types[0], 'rollout.started');
  assert.equal(types.at(-1), 'rollout.rolled-back');
});

test('C-B4: a registry that is away is told while it is tried, exit 6, and abort ends it', async t => {
  const { run, write } = await startTerminal(t);
  const file = write('away', { url: 'oci://registry.invalid/edge/auth:1.6.2', rollout: AT_ONCE });
  const away = await run('apply', '-f', file);
  assert.equal(away.code, 6, away.out + away.err);
  assert.match(
    away.out,
    /^plugin default\/auth created, revision pending: no module yet\n {2}registry\.invalid /,
  );
  assert.match(away.out, /Attaché keeps trying.*No node is touched meanwhile\.\n/);
  assert.match(
    away.out,
    /have the file\? attache push auth\.wasm auth:1\.6\.2 {5}stop: attache rollout abort auth\n/,
  );
  const status = await run('rollout', 'status', 'auth', '--once');
  assert.equal(status.code, 6);
  assert.match(status.out, /^auth {2}.* Validating {3}ModuleUnavailable /);
  assert.equal((await run('rollout', 'abort', 'auth')).code, 0);
  assert.equal((await run('rollout', 'status', 'auth')).code, 4);
});

test('C-B5: rollout status and events survive a restart of the server', async t => {
  const { attache, run, write } = await startTerminal(t);
  const url = await attache.offer(await buildStamp('cli-restart'));
  const rollout = { preset: 'all-at-once', bake: '8s' };
  const file = write('one', { url, pluginConfig: { stamp: 'one' }, rollout });
  const events = start(t, attache, ['events', '-f', '--type', 'rollout']);
  assert.equal((await run('apply', '-f', file)).code, 0);
  const status = start(t, attache, ['rollout', 'status', 'auth']);
  await status.says(/Baking/);
  await events.says(/rollout\.baking/);
  await attache.end();
  const lost = new RegExp(`${CLOCK} lost ${attache.addresses.api}, trying again`);
  await status.says(lost);
  await events.says(lost);
  await attache.startAgain();
  assert.deepEqual(await status.ended, { code: 0, signal: null });
  assert.match(status.text.out, new RegExp(`\n${CLOCK} connected again\n`));
  assert.match(status.text.out, /\nSucceeded in .*: 1 of 1 node runs revision 1\n$/);
  await events.says(/rollout\.succeeded/);
  assert.equal(events.text.out.match(/rollout\.baking/g)?.length, 1, 'no event comes twice');
  events.interrupt();
  assert.deepEqual(await events.ended, { code: 0, signal: null });
});
