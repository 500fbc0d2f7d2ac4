/** Who may push to the built-in registry. docs/registry.md, "Who may push" */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ApiToken } from '../../src/model/api-token.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { CheckToken } from '../../src/model/token-finding.ts';
import { makePublishRight } from '../../src/module/publish-right.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createRegistryAudit } from '../../src/module/registry-audit.ts';
import { createDenialLog } from '../../src/store/denial-log.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { makeDirectory, makeModule, startRegistry, systemClock } from '../module/actors.ts';

const TOKEN = '0123456789abcdef';

const ALL: ApiToken = {
  id: '00000000',
  name: 'ci',
  sha256: '',
  role: 'deployer',
  scope: {},
  createdBy: 'admin',
  createdAt: 0,
};
const TOKENS: Readonly<Record<string, Partial<ApiToken>>> = {
  att_ci: {},
  att_viewer: { role: 'viewer' },
  att_auth: { scope: { plugins: 'auth/' } },
  att_nodes: { scope: { nodes: { tier: 'edge' } } },
};
const checkToken: CheckToken = async text => {
  const over = TOKENS[text];
  if (text === 'att_old') return { kind: 'expired', token: ALL };
  return over === undefined ? { kind: 'unknown' } : { kind: 'good', token: { ...ALL, ...over } };
};

async function start(t: TestContext, { token, asksTokens }: { token?: string; asksTokens: boolean }) {
  const directory = await makeDirectory(t);
  const tokenPath = token === undefined ? undefined : join(directory, 'token');
  const say = async (text: string): Promise<void> => writeFile(join(directory, 'token'), text);
  if (token !== undefined) await say(`${token}\n`);
  const authorize = makePublishRight({
    ...{ tokenPath, checkToken, asksTokens },
    rootNamespace: 'istio-system',
    log: silentLog,
  });
  const store = createMemoryStore();
  const denials = createDenialLog(store, systemClock, silentLog);
  t.after(() => denials.stop());
  const audit = createRegistryAudit({ store, clock: systemClock, denials });
  const entries = async () => (await store.list('AuditEntry')).records.map(({ value }) => value);
  const { host } = await startRegistry(t, undefined, { authorize, audit });
  const pushWith = async (password?: string): Promise<unknown> => {
    const dockerConfigPath = join(directory, 'config.json');
    const auth = Buffer.from(`anybody:${password}`).toString('base64');
    const auths = password === undefined ? {} : { [host]: { auth } };
    await writeFile(dockerConfigPath, JSON.stringify({ auths }));
    return pushModule({
      bytes: makeModule('one'),
      reference: `${host}/auth:1`,
      insecureRegistries: [],
      dockerConfigPath,
    });
  };
  const ask = (method: string, path: string, authorization = '') =>
    fetch(`http://${host}${path}`, { method, headers: { authorization } });
  return { host, directory, say, pushWith, ask, entries };
}

test('on loopback, without a token, every program may push and delete', async t => {
  const { pushWith, ask } = await start(t, { asksTokens: false });
  await pushWith();
  assert.equal((await ask('GET', '/v2/')).status, 200);
  assert.equal((await ask('DELETE', '/v2/auth/manifests/1')).status, 202);
});

test('with a token: who has it may push and delete; to pull nobody needs it', async t => {
  const { host, pushWith, ask } = await start(t, { token: TOKEN, asksTokens: true });
  await assert.rejects(pushWith(), {
    code: 'unauthorized',
    hint: `Pushing takes a login: attache registry login ${host}`,
  });
  await assert.rejects(pushWith('another word 123'), { code: 'unauthorized' });
  await pushWith(TOKEN);
  assert.equal((await ask('GET', '/v2/auth/manifests/1')).status, 200);
  assert.equal((await ask('GET', '/v2/auth/manifests/1', 'Basic Og==')).status, 200);
  for (const none of ['', 'Basic Og==', 'Bearer', `Bearer ${TOKEN}x`, `Digest ${TOKEN}`])
    assert.equal((await ask('DELETE', '/v2/auth/manifests/1', none)).status, 401, none);
  assert.equal((await ask('DELETE', '/v2/auth/manifests/1', `Bearer ${TOKEN}`)).status, 202);
});

test('with a token: the base says how to log in, and that a login holds', async t => {
  const { ask } = await start(t, { token: TOKEN, asksTokens: false });
  const challenge = await ask('GET', '/v2/');
  assert.equal(challenge.status, 401);
  assert.equal(challenge.headers.get('www-authenticate'), 'Basic realm="attache"');
  const { errors } = (await challenge.json()) as { errors: { code: string; message: string }[] };
  assert.equal(errors[0]?.code, 'UNAUTHORIZED');
  assert.match(errors[0]?.message ?? '', /token as password/);
  const login = `Basic ${Buffer.from(`me:${TOKEN}`).toString('base64')}`;
  assert.equal((await ask('GET', '/v2/', login)).status, 200);
});

test('a new token counts at once; one that cannot be read lets nobody push', async t => {
  const { directory, say, pushWith } = await start(t, { token: TOKEN, asksTokens: false });
  await say('fedcba9876543210');
  await assert.rejects(pushWith(TOKEN), { code: 'unauthorized' });
  await pushWith('fedcba9876543210');
  for (const change of [() => say('short'), () => rm(join(directory, 'token'))]) {
    await change();
    await assert.rejects(
      pushWith('fedcba9876543210'),
      /403 .* the publish token of the server cannot be read/,
    );
  }
});

test('where tokens are asked for, one of the API pushes with the role and within its scope', async t => {
  const { pushWith, ask } = await start(t, { asksTokens: true });
  await assert.rejects(pushWith(), { code: 'unauthorized' });
  assert.equal((await ask('GET', '/v2/')).status, 401);
  await pushWith('att_ci');
  assert.equal((await ask('GET', '/v2/', 'Bearer att_viewer')).status, 200);
  const status = async (token: string): Promise<number> =>
    (await ask('DELETE', '/v2/auth/manifests/1', `Bearer ${token}`)).status;
  assert.deepEqual(
    await Promise.all(['att_old', 'att_no', 'atn_ci', 'att_viewer', 'att_auth', 'att_nodes'].map(status)),
    [401, 401, 401, 403, 403, 403],
  );
  assert.equal(await status('att_ci'), 202);
  const within = await ask('POST', '/v2/auth/one/blobs/uploads/', 'Bearer att_auth');
  assert.equal(within.status, 202);
});

test('a refusal names the role or the scope', async t => {
  const { ask } = await start(t, { asksTokens: true });
  const textOf = async (token: string): Promise<string> =>
    (await ask('DELETE', '/v2/auth/manifests/1', `Bearer ${token}`)).text();
  assert.match(await textOf('att_viewer'), /role deployer/);
  assert.match(await textOf('att_auth'), /plugins auth\//);
  assert.match(await textOf('att_nodes'), /tier=edge/);
});

test('beside a publish token, one of the API pushes too; where none is asked for, one that is sent counts', async t => {
  const both = await start(t, { token: TOKEN, asksTokens: true });
  await both.pushWith('att_ci');
  await both.pushWith(TOKEN);
  const open = await start(t, { asksTokens: false });
  await open.pushWith('anything');
  for (const [token, status] of [
    ['att_no', 401],
    ['att_viewer', 403],
    ['att_ci', 202],
  ] as const)
    assert.equal((await open.ask('DELETE', '/v2/auth/manifests/1', `Bearer ${token}`)).status, status, token);
});

test('what is pushed and deleted is in the audit, with who did it; so is who may not, but no client that only asks', async t => {
  const { pushWith, ask, entries } = await start(t, { asksTokens: true });
  await pushWith('att_ci');
  await assert.rejects(pushWith('att_viewer'));
  await assert.rejects(pushWith());
  const basic = `Basic ${Buffer.from('x:att_ci').toString('base64')}`;
  assert.equal((await ask('DELETE', '/v2/auth/manifests/1', basic)).status, 202);
  const told = (await entries()).map(({ actor, address, action, subject, result }) =>
    [actor, address, action, subject, result].join(' '),
  );
  assert.deepEqual(told, [
    'ci 127.0.0.1 registry.pushed auth:1 done',
    'unknown 127.0.0.1 registry.push auth denied',
    'ci 127.0.0.1 registry.deleted auth:1 done',
  ]);
});
