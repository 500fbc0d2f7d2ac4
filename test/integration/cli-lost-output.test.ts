import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));
/** A file that says of every write that its disk is full. */
const FULL = '/dev/full';
const folder = mkdtempSync(join(tmpdir(), 'attache-lost-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs a command whose stdout or stderr nobody reads, or goes to a full disk. */
async function runUnread(
  args: readonly string[],
  lost: { readonly out?: typeof FULL | 'closed'; readonly err?: 'closed' },
): Promise<{ readonly code: number | null; readonly err: string }> {
  const out = lost.out === FULL ? openSync(FULL, 'w') : 'pipe';
  const env = { ...process.env, ATTACHE_SERVER: '' };
  const child = spawn(PROGRAM, args, { env, stdio: ['ignore', out, 'pipe'] });
  let err = '';
  if (lost.out === 'closed') child.stdout?.destroy();
  else child.stdout?.resume();
  if (lost.err === 'closed') child.stderr?.destroy();
  else child.stderr?.setEncoding('utf8').on('data', piece => (err += piece));
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  return { code, err };
}

test('a full disk behind stdout is an error: what was printed, a bootstrap or a token, is lost', async () => {
  const { code, err } = await runUnread(['bootstrap', '--id', 'a'], { out: FULL });
  assert.equal(code, 1);
  assert.match(err, /^error: what is printed cannot be written: ENOSPC.*\n.*room/m);
});

test('a reader that went away is none, neither of stdout nor of stderr', async () => {
  assert.equal((await runUnread(['bootstrap', '--id', 'a'], { out: 'closed' })).code, 0);
  assert.equal((await runUnread(['get', 'nosuch'], { err: 'closed' })).code, 2);
});

test('apply stores all that it was given, whether anybody reads of it or not', async t => {
  const attache = stopAfter(t, await AttacheProcess.start());
  const documents = ['one', 'two', 'three'].map(name => {
    const type = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
    return JSON.stringify({ '@type': type, name, type: 'STATIC', connect_timeout: '1s' });
  });
  const file = join(folder, 'clusters.yaml');
  writeFileSync(file, documents.join('\n---\n'));
  const apply = ['apply', '-f', file, '--server', attache.addresses.api];
  assert.equal((await runUnread(apply, { out: 'closed', err: 'closed' })).code, 0);
  const { body } = await attache.request('GET', '/v1/resources/clusters');
  assert.equal(body.items.length, 3);
  assert.equal((await runUnread(apply, { out: FULL })).code, 1, 'what it did is not known to who typed it');
});

test('the server outlives a full disk under its log and its first lines, and ends as ever', async t => {
  const command = ['/bin/sh', '-c', `exec "$0" "$@" >${FULL} 2>${FULL}`, PROGRAM] as const;
  const attache = stopAfter(t, await AttacheProcess.start({ command, flags: ['--log-level', 'debug'] }));
  // Each of them is a line in the log.
  assert.equal((await attache.request('PUT', '/v1/freeze', { message: 'night' })).status, 200);
  assert.equal((await attache.request('GET', '/v1/freeze')).status, 200);
  assert.deepEqual(await attache.end(), { code: 0, signal: null });
});
