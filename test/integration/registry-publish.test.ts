/** Who may push to the built-in registry. docs/registry.md, "Who may push" */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../../src/model/ports.ts';
import { makePublishRight } from '../../src/module/publish-right.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { makeDirectory, makeModule, startRegistry } from '../module/actors.ts';

const TOKEN = '0123456789abcdef';

async function start(t: TestContext, { token, isLocal }: { token?: string; isLocal: boolean }) {
  const directory = await makeDirectory(t);
  const tokenPath = token === undefined ? undefined : join(directory, 'token');
  const say = async (text: string): Promise<void> => writeFile(join(directory, 'token'), text);
  if (token !== undefined) await say(`${token}\n`);
  const authorize = makePublishRight({ tokenPath, isLocal, log: silentLog });
  const { host } = await startRegistry(t, undefined, { authorize });
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
  return { host, directory, say, pushWith, ask };
}

test('on loopback, without a token, every program may push and delete', async t => {
  const { pushWith, ask } = await start(t, { isLocal: true });
  await pushWith();
  assert.equal((await ask('GET', '/v2/')).status, 200);
  assert.equal((await ask('DELETE', '/v2/auth/manifests/1')).status, 202);
});

test('with a token: who has it may push and delete; to pull nobody needs it', async t => {
  const { host, pushWith, ask } = await start(t, { token: TOKEN, isLocal: false });
  await assert.rejects(pushWith(), {
    code: 'unauthorized',
    hint: `Pushing takes a login: docker login ${host}`,
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
  const { ask } = await start(t, { token: TOKEN, isLocal: true });
  const challenge = await ask('GET', '/v2/');
  assert.equal(challenge.status, 401);
  assert.equal(challenge.headers.get('www-authenticate'), 'Basic realm="attache"');
  const { errors } = (await challenge.json()) as { errors: { code: string; message: string }[] };
  assert.equal(errors[0]?.code, 'UNAUTHORIZED');
  assert.match(errors[0]?.message ?? '', /publish token/);
  const login = `Basic ${Buffer.from(`me:${TOKEN}`).toString('base64')}`;
  assert.equal((await ask('GET', '/v2/', login)).status, 200);
});

test('a new token counts at once; one that cannot be read lets nobody push', async t => {
  const { directory, say, pushWith } = await start(t, { token: TOKEN, isLocal: true });
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

test('off loopback, without a token, nobody may push, and is told what to do', async t => {
  const { pushWith, ask } = await start(t, { isLocal: false });
  await assert.rejects(pushWith(), /--publish-token/);
  assert.equal((await ask('GET', '/v2/')).status, 200);
  const refused = await ask('DELETE', '/v2/auth/manifests/1');
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /--publish-token FILE/);
});
