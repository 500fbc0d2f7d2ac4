/** The first token, as a person meets it: off loopback, on loopback where it is wanted, and when all tokens are lost. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AttacheProcess } from '../harness/attache-process.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';

const OFF_LOOPBACK = ['--api-listen', '0.0.0.0:0', '--allow-plaintext', 'api', '--advertise', '127.0.0.1'];

async function start(t: TestContext, flags: readonly string[]) {
  const attache = await AttacheProcess.start({ flags });
  t.after(() => attache.stop());
  const data = join(attache.folder, 'data');
  const tokenFile = join(data, 'admin-token');
  const server = (): string => attache.addresses.api.replace('0.0.0.0', '127.0.0.1');
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runAttache([...args, '--server', server()], { env });
  const asAdmin = { ATTACHE_TOKEN_FILE: tokenFile };
  return { attache, data, tokenFile, server, run, asAdmin };
}

test('off loopback the first start writes an admin token, and nothing goes without one', async t => {
  const { attache, data, tokenFile, server, run, asAdmin } = await start(t, OFF_LOOPBACK);
  assert.equal((await stat(tokenFile)).mode & 0o777, 0o600);
  // Neither the peer's address nor the Host that it sends makes anybody an admin.
  for (const headers of [{}, { host: 'localhost' }, { 'x-forwarded-for': '127.0.0.1' }]) {
    assert.equal((await fetch(`${server()}/v1/whoami`, { headers })).status, 401);
    assert.equal((await fetch(`${server()}/v1/freeze`, { method: 'PUT', headers })).status, 401);
  }
  const none = await run(['get', 'plugins']);
  assert.equal(none.code, 1);
  assert.match(none.err, /this takes a token[\s\S]*\$ATTACHE_TOKEN_FILE/);
  assert.match((await run(['whoami'], asAdmin)).out, /^admin \(admin; token att_/);
  const made = await run(
    [
      'token',
      'create',
      'ci',
      '--role',
      'deployer',
      '--plugins',
      'edge/',
      '--nodes',
      'tier=edge',
      '--expires',
      '1d',
    ],
    asAdmin,
  );
  assert.deepEqual([made.code, made.out.split('\n').length], [0, 2]);
  assert.match(made.err, /token ci created: deployer, plugins edge\/…, nodes with tier=edge, until /);
  const ci = { ATTACHE_TOKEN: made.out.trim() };
  assert.match(
    (await run(['whoami'], ci)).out,
    /^ci \(deployer, plugins edge\/…, nodes with tier=edge; token att_/,
  );
  const frozen = await run(['freeze'], ci);
  assert.match(frozen.err, /this takes the role admin, and the token ci has deployer/);
  const listed = (await run(['get', 'tokens'], asAdmin)).out.split('\n');
  assert.match(listed[0] ?? '', /^NAME +ROLE +PLUGINS +NODES +EXPIRES +LAST USED +AGE$/);
  assert.match(listed[2] ?? '', /^ci +deployer +edge\/… +tier=edge +\d/);
  assert.equal((await run(['token', 'revoke', 'ci', '-m', 'lost'], asAdmin)).code, 0);
  assert.equal((await run(['whoami'], ci)).code, 1);
  const secrets = [made.out.trim(), (await readFile(tokenFile, 'utf8')).trim()];
  await attache.end();
  const files = (await readdir(attache.folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => path !== tokenFile);
  assert.ok(files.some(path => path.endsWith('attache.db')) && files.some(path => path.endsWith('.log')));
  for (const path of files) {
    const bytes = await readFile(path);
    for (const secret of secrets) assert.equal(bytes.includes(secret.slice(13)), false, path);
  }
  await attache.startAgain();
  assert.equal((await readFile(tokenFile, 'utf8')).trim(), secrets[1]);
  await rm(tokenFile);
  await attache.end();
  await attache.startAgain();
  assert.deepEqual(
    (await readdir(data)).filter(name => name.startsWith('admin-token')),
    [],
  );
  assert.match((await run(['whoami'], { ATTACHE_TOKEN: secrets[1] ?? '' })).out, /^admin/);
});

test('a revoked admin token is made anew by the next start, in the file that is there', async t => {
  const { attache, tokenFile, run, asAdmin } = await start(t, ['--api-auth', 'token']);
  assert.equal((await run(['get', 'nodes'])).code, 1);
  const before = await readFile(tokenFile, 'utf8');
  assert.match(
    (await run(['token', 'revoke', 'admin'], asAdmin)).out,
    /next start that asks for tokens makes one/,
  );
  assert.equal((await run(['whoami'], asAdmin)).code, 1);
  await attache.end();
  await writeFile(tokenFile, 'old', { mode: 0o644 });
  await attache.startAgain();
  assert.notEqual(await readFile(tokenFile, 'utf8'), before);
  assert.equal((await stat(tokenFile)).mode & 0o777, 0o600);
  assert.match((await run(['whoami'], asAdmin)).out, /^admin/);
});

test('pushing to the built-in registry takes the token of the command line, with the role and within its scope', async t => {
  const { attache, run, asAdmin } = await start(t, ['--api-auth', 'token']);
  const file = join(attache.folder, 'plugin.wasm');
  await writeFile(file, Buffer.from('0061736d01000000', 'hex'));
  const make = async (name: string, ...grant: string[]) =>
    ({ ATTACHE_TOKEN: (await run(['token', 'create', name, ...grant], asAdmin)).out.trim() }) as const;
  const ci = await make('ci', '--role', 'deployer', '--plugins', 'edge/');
  const viewer = await make('eve', '--role', 'viewer');
  assert.equal((await run(['push', file, 'edge/auth:1'], ci)).code, 0);
  assert.match((await run(['push', file, 'auth:1'], ci)).err, /repository auth is outside/);
  assert.match((await run(['push', file, 'edge/auth:2'], viewer)).err, /takes the role deployer/);
  assert.equal((await run(['push', file, 'edge/auth:2'])).code, 1);
  assert.equal((await run(['tag', 'edge/auth:1', '2'], ci)).code, 0);
});

test('serve says where the first token is, and that loopback needs none', async t => {
  const says = async (flags: readonly string[], wanted: RegExp): Promise<void> => {
    const attache = await AttacheProcess.start({ flags });
    t.after(() => attache.stop());
    await until(async () => wanted.test(await attache.log()), { what: String(wanted) });
  };
  await says(['--api-auth', 'token'], /API .*admin token in .*admin-token/);
  await says([], /API .*no token needed: loopback only/);
});
