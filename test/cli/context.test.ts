import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveConnection } from '../../src/cli/connection.ts';
import { folder, run } from './run-main.ts';

const TOKEN = join(folder, 'token');
writeFileSync(TOKEN, 'of-prod\n');
const CERTIFICATE = fileURLToPath(new URL('../fixtures/tls/loopback.pem', import.meta.url));

/** A home of its own, with `prod` (token and CA) in use and `lab` beside it. */
async function newHome(name: string): Promise<Readonly<Record<string, string>>> {
  const env = { XDG_CONFIG_HOME: join(folder, name) };
  const set = ['context', 'set', 'prod', '--server', 'https://prod.example', '--token-file', TOKEN];
  assert.equal((await run([...set, '--ca-file', CERTIFICATE], { env })).code, 0);
  assert.equal((await run(['context', 'set', 'lab', '--server', 'http://lab.example/'], { env })).code, 0);
  return env;
}

test('a flag wins over the environment, that over the context in use, that over loopback', async () => {
  const env = await newHome('order');
  const server = (options: object, more: object = {}) =>
    resolveConnection(options, { ...env, ...more }).server;
  assert.equal(server({}), 'https://prod.example');
  assert.equal(server({}, { ATTACHE_SERVER: 'http://env.example' }), 'http://env.example');
  assert.equal(server({ context: 'lab' }, { ATTACHE_SERVER: 'http://env.example' }), 'http://lab.example');
  assert.equal(
    server({ server: 'http://flag.example' }, { ATTACHE_SERVER: 'http://env.example' }),
    'http://flag.example',
  );
  assert.equal(
    resolveConnection({}, { XDG_CONFIG_HOME: join(folder, 'nobody') }).server,
    'http://127.0.0.1:18002',
  );
});

test('a context gives its token and its CA to no other server than its own', async () => {
  const env = await newHome('own');
  const inUse = resolveConnection({}, env);
  assert.deepEqual([inUse.token, inUse.ca], ['of-prod', readFileSync(CERTIFICATE, 'utf8')]);
  for (const elsewhere of [
    resolveConnection({ server: 'http://flag.example' }, env),
    resolveConnection({ context: 'lab' }, env),
    resolveConnection({}, { ...env, ATTACHE_SERVER: 'http://env.example' }),
  ])
    assert.deepEqual([elsewhere.token, elsewhere.ca], [undefined, undefined]);
  // What is set for the environment's server is not for one that a flag names by a context.
  const named = resolveConnection({ context: 'prod' }, { ...env, ATTACHE_TOKEN: 'of-env' });
  assert.equal(named.token, 'of-prod');
  assert.equal(resolveConnection({}, { ...env, ATTACHE_TOKEN: 'of-env' }).token, 'of-env');
  // One that moves to another server leaves its token behind.
  await run(['context', 'set', 'prod', '--server', 'https://other.example'], { env });
  assert.equal(resolveConnection({}, env).token, undefined);
});

test('what no header can carry is told as such, and never printed', async () => {
  const broken = join(folder, 'broken-token');
  writeFileSync(broken, 'att_secret\r\nmore\n');
  const server = 'http://127.0.0.1:1';
  const worlds = [
    { ATTACHE_SERVER: server, ATTACHE_TOKEN: 'att_secret\nmore' },
    { ATTACHE_SERVER: server, ATTACHE_TOKEN: 'att_secret…' },
    { ATTACHE_SERVER: server, ATTACHE_TOKEN_FILE: broken },
    { ATTACHE_SERVER: 'http://me:att_secret@127.0.0.1:1' },
  ];
  for (const env of worlds) {
    const { code, out, err } = await run(['get', 'nodes'], { env: { XDG_CONFIG_HOME: folder, ...env } });
    assert.notEqual(code, 0);
    assert.doesNotMatch(out + err, /secret|does not answer/);
    assert.match(err, /\$ATTACHE_TOKEN|broken-token/);
  }
  assert.equal(resolveConnection({}, { ATTACHE_SERVER: server, ATTACHE_TOKEN: 'att_1\r\n' }).token, 'att_1');
});

test('contexts are set, used, listed and forgotten, in a file that nobody else may read', async () => {
  const env = await newHome('verbs');
  const path = join(env.XDG_CONFIG_HOME ?? '', 'attache', 'contexts.json');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o644);
  assert.match((await run(['context', 'use', 'lab'], { env })).out, /^in use: lab, http:\/\/lab\.example/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /of-prod/, 'the token stays in its own file');
  const { out } = await run(['context', 'list'], { env });
  assert.match(out, /^ +NAME +SERVER +TOKEN +CA\n +prod .*\n\* +lab /);
  assert.equal((await run(['context', 'list', '-o', 'name'], { env })).out, 'prod\nlab\n');
  assert.equal((await run(['context', 'current'], { env })).out, 'lab: http://lab.example\n');
  await run(['context', 'delete', 'lab'], { env });
  assert.match((await run(['context', 'current'], { env })).out, /^http:\/\/127\.0\.0\.1:18002 \(none/);
});

test('what cannot be used is not written, and what is not there is named', async () => {
  const env = await newHome('faults');
  const codeOf = async (...args: string[]) => (await run(['context', ...args], { env })).code;
  assert.equal(await codeOf('set', 'new'), 2);
  assert.equal(await codeOf('set', '../x', '--server', 'http://x.example'), 2);
  assert.equal(await codeOf('set', 'prod', '--server', 'ftp://x'), 2);
  assert.equal(await codeOf('set', 'prod', '--token-file', join(folder, 'nobody')), 1);
  assert.equal(await codeOf('use', 'nobody'), 1);
  assert.equal(await codeOf('delete', '__proto__'), 1);
  assert.equal(
    (await run(['get', 'nodes', '--context', 'lab', '--server', 'http://x.example'], { env })).code,
    2,
  );
  assert.match(
    (await run(['get', 'nodes', '--context', 'nobody'], { env })).err,
    /^error: there is no context nobody\. attache context list/,
  );
  writeFileSync(join(env.XDG_CONFIG_HOME ?? '', 'attache', 'contexts.json'), '{');
  assert.match((await run(['context', 'list'], { env })).err, /contexts\.json: not a file of contexts/);
});
