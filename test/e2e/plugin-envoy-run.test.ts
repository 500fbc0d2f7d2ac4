import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildPlugin } from '../../plugins/build.ts';
import { endChild, spawnChild } from '../harness/child-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { freePort } from '../harness/free-port.ts';
import { until } from '../harness/wait.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));

/** `attache envoy run` with a folder of its own for all that is temporary. */
function start(t: TestContext, ...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'attache-run-'));
  const env = { ...process.env, TMPDIR: folder };
  const running = spawnChild(PROGRAM, ['envoy', 'run', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { out: '', err: '' };
  running.child.stdout?.setEncoding('utf8').on('data', chunk => (text.out += chunk));
  running.child.stderr?.setEncoding('utf8').on('data', chunk => (text.err += chunk));
  stopAfter(t, {
    async stop() {
      await endChild(running);
      rmSync(folder, { recursive: true });
    },
  });
  return { ...running, folder, text };
}

test('envoy run --plugin puts a plugin into a real Envoy, and Ctrl-C leaves nothing', async t => {
  const { path } = await buildPlugin('probe');
  const port = await freePort();
  const { child, ended, folder, text } = start(t, '--plugin', path, '--port', String(port));
  await until(() => text.err.includes('Ctrl-C ends it'), { what: 'the Envoy', deadlineMs: 60_000 });
  const response = await fetch(`http://127.0.0.1:${port}/x`, { headers: { 'x-probe': 'none' } });
  assert.deepEqual([response.status, response.headers.get('x-probed')], [200, 'yes']);
  assert.equal(await response.text(), 'GET /x\n');
  await until(() => text.out.includes('  log      warning: log none 200\n'), { what: 'the log line' });
  const admin = /http:\/\/127\.0\.0\.1:\d+(?= {3}Ctrl-C)/.exec(text.err)?.[0];
  assert.equal((await fetch(`${admin}/ready`)).status, 200);

  child.kill('SIGINT');
  assert.deepEqual(await ended, { code: 0, signal: null });
  await assert.rejects(fetch(`${admin}/ready`));
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  assert.deepEqual(readdirSync(folder), []);
});

test('a plugin that refuses its configuration is quoted, and the Envoy is gone', async t => {
  const { path } = await buildPlugin('basic-auth');
  const { ended, folder, text } = start(t, '--plugin', path, '--config', write(t, 'users: {}'));
  assert.deepEqual(await ended, { code: 1, signal: null });
  assert.match(text.out, /^ {2}log {6}error: users: there is nobody in it\n/);
  assert.match(text.err, /error: the Envoy ended when it started: Unable to create Wasm plugin basic-auth\n/);
  assert.deepEqual(readdirSync(folder), []);
});

function write(t: TestContext, config: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'attache-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'config.yaml');
  writeFileSync(path, config);
  return path;
}
