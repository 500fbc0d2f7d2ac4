import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'attache-watch-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, document: object): string {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(document));
  return path;
}

const cluster = (name: string) => ({
  '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  name,
  type: 'STATIC',
  connect_timeout: '1s',
});

/** A verb that goes on until it is interrupted. */
function start(t: TestContext, server: string, ...args: readonly string[]) {
  const child = spawn(PROGRAM, args, {
    env: { ...process.env, ATTACHE_SERVER: server },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', piece => {
    text.out += piece;
  });
  child.stderr.setEncoding('utf8').on('data', piece => {
    text.err += piece;
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  stopAfter(t, {
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  });
  const says = (what: RegExp) => until(() => what.test(text.out + text.err), { what: `it to say ${what}` });
  return { text, ended, says, interrupt: () => child.kill('SIGINT') };
}

test('get --watch tells each change in a line, outlives a restart of the server, and ends with Ctrl-C', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const server = attache.addresses.api;
  const run = (...args: string[]) => runAttache(args, { env: { ATTACHE_SERVER: server } });
  const apply = async (name: string) => {
    const { code, err } = await run('apply', '-f', write(name, cluster(name)), '-m', 'watched');
    assert.equal(code, 0, err);
  };
  await apply('one');
  const watched = start(t, server, 'get', 'clusters', '--watch');
  await watched.says(/^clusters +one +0 /m);
  await apply('two');
  await watched.says(/^clusters +two +0 /m);
  await attache.kill9();
  await watched.says(/lost http.*, trying again/);
  await attache.startAgain();
  await watched.says(/connected again/);
  assert.equal((await run('delete', 'cluster', 'one', '-m', 'gone')).code, 0);
  await watched.says(/^cluster\/default\/one is gone$/m);
  watched.interrupt();
  assert.equal(await watched.ended, 0);
  const names = watched.text.out
    .trimEnd()
    .split('\n')
    .map(line => line.split(/ {2,}/)[1] ?? line);
  assert.deepEqual(names, ['NAME', 'one', 'two', 'cluster/default/one is gone'], 'each change once');
});

test('what is stored is described, limits are listed, and a dry run of any change changes nothing', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const run = async (...args: string[]) => {
    const ran = await runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.out}${ran.err}`);
    return ran.out;
  };
  await run('apply', '-f', write('app', cluster('app')));
  const auths = { 'reg.example': { auth: Buffer.from('ann:hunter2').toString('base64') } };
  const secret = { apiVersion: 'attache/v1', kind: 'PullSecret', metadata: { name: 'reg' } };
  await run('apply', '-f', write('secret', { ...secret, dockerConfig: { auths } }));

  const described = await run('describe', 'cluster', 'app');
  assert.match(described, /^cluster default\/app {3}stored \d+s ago\n {2}nodes {4}0 connected nodes\n\n/);
  assert.match(described, /connect_timeout/);
  assert.match(await run('describe', 'pullsecret', 'reg'), /for {6}reg\.example\n {2}used by {2}no plugin/);
  assert.equal(JSON.parse(await run('describe', 'cluster', 'app', '-o', 'json')).metadata.name, 'app');
  assert.match(await run('get', 'limits'), /^NAME +VALUE +USED +HITS +LAST HIT\n/);
  assert.match(await run('get', 'clusters', 'app'), /\nclusters +app /);
  const missing = await runAttache(['get', 'clusters', 'ap'], {
    env: { ATTACHE_SERVER: attache.addresses.api },
  });
  assert.deepEqual([missing.code, /Did you mean app\?/.test(missing.err)], [1, true]);

  const before = await run('get', 'resources', '-o', 'json');
  for (const change of [
    ['freeze', '-m', 'maybe'],
    ['delete', 'pullsecret', 'reg'],
    ['delete', 'cluster', 'app'],
    ['node', 'set', 'edge-1', '--new', '--namespace', 'edge'],
  ])
    assert.notEqual(await run(...change, '--dry-run'), '', change.join(' '));
  assert.equal(await run('get', 'resources', '-o', 'json'), before);
  assert.match(await run('get', 'pullsecrets', '-o', 'name'), /^pullsecret\/default\/reg\n$/);
  assert.match(await run('unfreeze', '--dry-run'), /not frozen/);
});
