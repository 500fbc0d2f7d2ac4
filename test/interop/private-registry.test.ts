import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushModule } from '../../src/module/push-module.ts';
import { AttacheProcess } from '../harness/attache-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { runAttache } from '../harness/run-attache.ts';
import { until } from '../harness/wait.ts';
import { makeDirectory, makeModule } from '../module/actors.ts';
import { startDockerRegistry } from './tools.ts';

/** bcrypt of `secret`. */
const HASH = '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
const AUTH = Buffer.from('ann:secret').toString('base64');

test('docker-registry behind a login and a mirror of it: secret, mirror and moved tag on the command line', async t => {
  const folder = await makeDirectory(t);
  await writeFile(join(folder, 'htpasswd'), `ann:${HASH}\n`);
  const login = `auth: {htpasswd: {realm: test, path: ${join(folder, 'htpasswd')}}}`;
  const origin = await startDockerRegistry(t, login);
  // As a pull-through cache it would know no Basic: it is one that somebody fills.
  const mirror = await startDockerRegistry(t, login);
  const both = { [origin.host]: { auth: AUTH }, [mirror.host]: { auth: AUTH } };
  const dockerConfigPath = join(folder, 'config.json');
  await writeFile(dockerConfigPath, JSON.stringify({ auths: both }));
  const push = async (bytes: Uint8Array) => {
    for (const { host } of [origin, mirror])
      await pushModule({ bytes, reference: `${host}/auth:latest`, insecureRegistries: [], dockerConfigPath });
  };
  await push(makeModule('one'));

  const registries = join(folder, 'registries.yaml');
  await writeFile(
    registries,
    JSON.stringify([
      { prefix: origin.host, mirrors: [mirror.host], insecure: true },
      { prefix: mirror.host, insecure: true },
    ]),
  );
  const attache = stopAfter(
    t,
    await AttacheProcess.start({ flags: ['--registries', registries, '--tag-interval', '1s'] }),
  );
  const run = async (...args: string[]) => {
    const ran = await runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
    assert.doesNotMatch(ran.out + ran.err, new RegExp(AUTH));
    return ran;
  };
  const plugin = `apiVersion: attache/v1
kind: Plugin
metadata: {name: auth}
spec: {url: "oci://${origin.host}/auth:latest", imagePullSecret: regcred}
`;
  const secretOf = (auths: object) => `apiVersion: attache/v1
kind: PullSecret
metadata: {name: regcred}
dockerConfig: ${JSON.stringify({ auths })}
`;
  const file = join(folder, 'plugin.yaml');
  await writeFile(file, plugin);
  const missing = await run('apply', '-f', file);
  assert.equal(missing.code, 1);
  assert.match(missing.out, /there is no pull secret default\/regcred[\s\S]*pull-secret-missing/);

  await writeFile(file, `${plugin}---\n${secretOf(both)}`);
  const applied = await run('apply', '-f', file);
  assert.equal(applied.code, 0, applied.out + applied.err);
  assert.match(
    applied.out,
    /^pull secret default\/regcred created, for 127[^\n]*\nplugin default\/auth \S+, revision 1/,
  );
  assert.match(
    (await run('get', 'pullsecrets')).out,
    /regcred +127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+ +default\/auth/,
  );
  assert.match((await run('get', 'modules', '-o', 'wide')).out, new RegExp(`${mirror.host}/auth`));

  await push(makeModule('two'));
  await until(async () => /revision 2/.test((await run('describe', 'plugin', 'auth')).out), {
    what: 'the moved tag to be followed',
    deadlineMs: 30_000,
  });
  assert.match((await run('events')).out, /the tag of .* moved: sha256:\w{12} → sha256:\w{12}/);

  assert.match((await run('delete', 'pullsecret', 'regcred')).out, /deleted; still named by default\/auth/);
  const data = join(attache.folder, 'data');
  for (const name of (await readdir(data)).filter(one => one.startsWith('attache.db'))) {
    const bytes = (await readFile(join(data, name))).toString('latin1');
    assert.ok(!bytes.includes(AUTH) && !bytes.includes('ann:secret'), `${name} holds the password`);
  }
});
