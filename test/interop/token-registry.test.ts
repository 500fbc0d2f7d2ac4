/** Registries of others that want a token, and that send elsewhere for their blobs, as those of clouds do. */
import assert from 'node:assert/strict';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createModuleSource } from '../../src/module/fetch-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { makeCache, makeDirectory, makeModule, sourceOptions, startWeb } from '../module/actors.ts';
import { DISTRIBUTION, findGoTool, locateGoTool, ORAS, runTool } from './go-tools.ts';
import { findInPath, spawnRegistry } from './tools.ts';

const USER = 'ann:secret';
const never = new AbortController().signal;

const PROGRAMS: Readonly<Record<string, () => Promise<{ path: string } | { missing: string }>>> = {
  'docker-registry': async () => {
    const path = findInPath('docker-registry');
    return path === undefined ? { missing: 'docker-registry is not installed' } : { path };
  },
  'distribution 3': () => locateGoTool(DISTRIBUTION),
};

/** Makes tokens for whoever is the user: a token service in 30 lines. https://distribution.github.io/distribution/spec/auth/jwt/ */
async function startTokens(t: TestContext, directory: string) {
  const [keyPath, certificatePath] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await runTool(
    'openssl',
    ['req', '-x509', ...curve, '-nodes', '-subj', '/CN=tokens', '-keyout', keyPath, '-out', certificatePath],
    directory,
  );
  const key = createPrivateKey(await readFile(keyPath));
  const certificate = new X509Certificate(await readFile(certificatePath)).raw.toString('base64');
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const web = await startWeb(t, (request, response) => {
    if (request.headers.authorization !== `Basic ${btoa(USER)}`) return void response.writeHead(401).end();
    const asked = new URL(request.url ?? '', 'http://tokens').searchParams;
    const now = Math.floor(Date.now() / 1000);
    const access = asked.getAll('scope').map(scope => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const claims = {
      iss: 'tokens',
      sub: 'ann',
      aud: asked.get('service'),
      iat: now,
      nbf: now - 10,
      exp: now + 300,
      jti: randomUUID(),
      access,
    };
    const text = `${encode({ typ: 'JWT', alg: 'ES256', x5c: [certificate] })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    response.end(JSON.stringify({ token: `${text}.${signature.toString('base64url')}`, expires_in: 300 }));
  });
  return { ...web, certificatePath };
}

for (const [name, locate] of Object.entries(PROGRAMS))
  test(`${name} with a token service, and its blobs elsewhere: the user of a docker config.json pushes and pulls`, async t => {
    const program = await locate();
    if ('missing' in program) return t.skip(`not run: ${program.missing}`);
    const directory = await makeDirectory(t);
    const tokens = await startTokens(t, directory);
    const storage = await startWeb(t, (request, response) => {
      createReadStream(join(directory, 'data', request.url ?? '')).pipe(response);
    });
    const registry = stopAfter(
      t,
      await spawnRegistry(
        program.path,
        directory,
        `auth: {token: {realm: "http://${tokens.host}/token", service: here, issuer: tokens, rootcertbundle: ${tokens.certificatePath}}}
middleware: {storage: [{name: redirect, options: {baseurl: "http://${storage.host}/"}}]}
`,
      ),
    );
    const { host } = registry;
    const dockerConfigPath = join(directory, 'config.json');
    await writeFile(dockerConfigPath, JSON.stringify({ auths: { [host]: { auth: btoa(USER) } } }));
    const hosts = [host, tokens.host, storage.host];
    const bytes = makeModule('behind a token');
    const push = { bytes, reference: `${host}/team/auth:1`, insecureRegistries: hosts };
    const isUnauthorized = (error: unknown) => error instanceof ModuleError && error.code === 'unauthorized';
    await assert.rejects(pushModule({ ...push, dockerConfigPath: undefined }), isUnauthorized);
    const { manifestDigest } = await pushModule({ ...push, dockerConfigPath });

    const fetchAs = async (path: string | undefined, tag = '1') => {
      const source = createModuleSource(await makeCache(t), sourceOptions(hosts, { dockerConfigPath: path }));
      stopAfter(t, { stop: () => source.close() });
      return source.fetch({ url: `oci://${host}/team/auth:${tag}` }, never);
    };
    const asked = tokens.requests.length;
    const pulled = await fetchAs(dockerConfigPath);
    assert.deepEqual([pulled.bytes, pulled.referenceDigest], [Buffer.from(bytes), manifestDigest]);
    assert.equal(tokens.requests.length, asked + 1, 'one token is enough for a pull');
    assert.ok(storage.requests.length > 0, 'the registry sent us elsewhere');
    assert.ok(storage.requests.every(({ headers }) => headers.authorization === undefined));
    await assert.rejects(fetchAs(undefined), isUnauthorized);

    const oras = await findGoTool(t, ORAS);
    if (oras === undefined) return;
    // It reads the same config.json, and what it pushes we pull.
    await runTool(oras, ['pull', '--plain-http', '-o', 'pulled', `${host}/team/auth:1`], directory);
    assert.deepEqual(await readFile(join(directory, 'pulled', 'plugin.wasm')), Buffer.from(bytes));
    await runTool(oras, ['tag', '--plain-http', `${host}/team/auth:1`, '2'], directory);
    assert.equal((await fetchAs(dockerConfigPath, '2')).referenceDigest, manifestDigest);
  });
