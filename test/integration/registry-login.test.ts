import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { runAttache } from '../harness/run-attache.ts';
import { makeModule } from '../module/actors.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-login-'));
after(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string | Uint8Array, mode = 0o600) => {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), mode);
  return join(folder, name);
};
const file = join(folder, 'docker', 'config.json');
mkdirSync(join(folder, 'docker'));

/** A shell line with `attache` in it; passwords come on stdin, as people give them. */
function type(args: readonly string[], password: string, env: Readonly<Record<string, string>> = {}) {
  const stdin = write('password', `${password}\n`);
  return runAttache([...args, '--password-stdin'], {
    env: { DOCKER_CONFIG: join(folder, 'docker'), ...env },
    stdin,
  });
}

test('a login is verified by the registry, kept as docker keeps it, and used by push', async t => {
  const publish = write('publish-token', 'a-word-of-some-length-0123456789\n');
  const attache = stopAfter(t, await AttacheProcess.start({ flags: ['--publish-token', publish] }));
  const env = { ATTACHE_SERVER: attache.addresses.api, DOCKER_CONFIG: join(folder, 'docker') };
  const host = new URL(attache.addresses.api).host;
  write('docker/config.json', '{"auths": {"other.example": {"auth": "eDp5"}}, "detachKeys": "ctrl-x"}');
  const wasm = write('a.wasm', makeModule('login'));
  assert.match((await runAttache(['push', wasm, 'auth:1'], { env })).err, /401/);

  const wrong = await type(['registry', 'login'], 'not-the-word-0123456789-0123456789', env);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /does not know attache with this password \(401\)/);
  assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(host), 'nothing is kept of what was refused');

  const right = await type(['registry', 'login'], 'a-word-of-some-length-0123456789', env);
  assert.deepEqual([right.code, right.err], [0, '']);
  assert.equal(right.out, `logged in to the built-in registry as attache, kept in ${file}\n`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const kept = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(kept.auths['other.example'], { auth: 'eDp5' });
  assert.equal(kept.detachKeys, 'ctrl-x');
  assert.equal((await runAttache(['push', wasm, 'auth:1'], { env })).code, 0);

  const out = await runAttache(['registry', 'logout', `http://${host}/`], { env });
  assert.equal(out.out, `logged out of ${host} (${file})\n`);
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(file, 'utf8')).auths), ['other.example']);
  assert.match((await runAttache(['registry', 'logout'], { env })).out, /there was no login/);
  assert.match((await runAttache(['push', wasm, 'auth:2'], { env })).err, /401/);
  assert.match((await runAttache(['registry', 'login'], { env })).err, /--password-stdin/);
});

test('a registry with a token service of its own, and a credential helper', async t => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    seen.push(`${request.url} ${authorization.split(' ')[0]}`);
    const good = authorization === `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    if (request.url?.startsWith('/token'))
      return response.writeHead(good ? 200 : 401).end(JSON.stringify({ token: 'of-ann' }));
    if (authorization === 'Bearer of-ann') return response.writeHead(200).end('{}');
    const challenge = `Bearer realm="http://${request.headers.host}/token",service="here"`;
    return response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const vault = join(folder, 'vault');
  const helper = `#!/bin/sh
case $1 in
  store) cat > ${vault};;
  get) if [ -s ${vault} ]; then cat ${vault}; else echo "credentials not found in native keychain"; exit 1; fi;;
  erase) : > ${vault};;
esac
`;
  mkdirSync(join(folder, 'bin'));
  write('bin/docker-credential-vault', helper, 0o755);
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  write('docker/config.json', JSON.stringify({ credHelpers: { [host]: 'vault' } }));
  const login = ['registry', 'login', host, '-u', 'ann'];
  const wrong = await type(login, 'nope', env);
  assert.match(wrong.err, /does not know ann with this password/);
  const right = await type(login, 'secret', env);
  assert.match(right.out, /kept in docker-credential-vault\n$/, right.err);
  assert.ok(seen.includes('/token?service=here Basic'), seen.join(', '));
  assert.deepEqual(JSON.parse(readFileSync(vault, 'utf8')), {
    ServerURL: host,
    Username: 'ann',
    Secret: 'secret',
  });
  assert.doesNotMatch(readFileSync(file, 'utf8'), /secret|auth"/);
  const out = await runAttache(['registry', 'logout', host], {
    env: { DOCKER_CONFIG: join(folder, 'docker'), ...env },
  });
  assert.match(out.out, /logged out of .* \(docker-credential-vault\)/);
  assert.equal(readFileSync(vault, 'utf8'), '');
});
