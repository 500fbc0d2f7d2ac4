import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isListed, isPrivateAddress } from '../../src/model/address-policy.ts';
import { parseChallenges } from '../../src/module/auth-challenge.ts';
import { readCredential } from '../../src/module/docker-config.ts';
import { followRedirect } from '../../src/module/redirect-policy.ts';
import { matchRegistryRoute } from '../../src/module/registry-route.ts';
import { toRetryDelayMs } from '../../src/module/retry-policy.ts';
import { makeDirectory } from './actors.ts';

test('addresses that are not on the public network are known, in every spelling', () => {
  const closed = [
    ...[
      '127.0.0.1',
      '127.8.8.8',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
    ],
    ...[
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '::1',
      '::127.0.0.1',
      '::',
      'fe80::1',
      'fd00::1',
      'ff02::1',
    ],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::a00:1', '2002:7f00:1::', 'not-an-address'],
  ];
  for (const address of closed) assert.equal(isPrivateAddress(address), true, address);
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2600::1', '::ffff:8.8.8.8'])
    assert.equal(isPrivateAddress(address), false, address);
});

test('hosts are listed with or without a port, or by *', () => {
  const url = new URL('https://Registry.example/v2/');
  for (const host of ['registry.example', 'registry.example:443', 'REGISTRY.example', '*'])
    assert.equal(isListed(url, [host]), true, host);
  for (const host of ['registry.example:80', 'example', 'x.registry.example', ''])
    assert.equal(isListed(url, [host]), false, host);
  assert.equal(isListed(new URL('http://[::1]:5000/'), ['[::1]:5000']), true);
});

test('challenges: several in one header or many, quoted strings with commas and escapes', () => {
  const read = (header: string | string[]) =>
    parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, ...parameters }));
  const bearer = 'Bearer realm="https://a/t?x=1",service="a, b",scope="repository:x:pull,push"';
  const expected = {
    scheme: 'bearer',
    realm: 'https://a/t?x=1',
    service: 'a, b',
    scope: 'repository:x:pull,push',
  };
  assert.deepEqual(read(bearer), [expected]);
  assert.deepEqual(read(`Basic realm="x", ${bearer}`), [{ scheme: 'basic', realm: 'x' }, expected]);
  assert.deepEqual(read(['Negotiate', 'BASIC realm=plain']), [
    { scheme: 'negotiate' },
    { scheme: 'basic', realm: 'plain' },
  ]);
  assert.deepEqual(read('Basic realm="say \\"hi\\""'), [{ scheme: 'basic', realm: 'say "hi"' }]);
  assert.deepEqual(read('Basic __proto__=x'), [{ scheme: 'basic', ['__proto__']: 'x' }]);
  assert.deepEqual([read(''), parseChallenges(undefined), read('=,"')], [[], [], []]);
});

test('redirects: credentials stay on their origin, https stays https', () => {
  const from = new URL('https://a.example/v2/x');
  const headers = { authorization: 'Bearer x', Cookie: 'c', accept: '*/*' };
  const follow = (location: string) => followRedirect(from, location, headers);
  assert.deepEqual(follow('/other').headers, headers);
  assert.equal(follow('/other').url.href, 'https://a.example/other');
  for (const location of ['https://b.example/', 'https://a.example:444/', '//b.example/x'])
    assert.deepEqual(follow(location).headers, { accept: '*/*' }, location);
  assert.equal(follow('https://u:p@b.example/').url.href, 'https://b.example/');
  for (const location of ['http://a.example/', 'ftp://a.example/', 'https://'])
    assert.throws(() => follow(location), { code: 'redirect-refused' }, location);
});

test('a redirect that is refused is told without the signature that may be in it', () => {
  const from = new URL('https://a.example/v2/x');
  for (const address of ['http://b.example/x', 'ftp://b.example/x', 'https://'])
    for (const location of [`${address}?X-Amz-Signature=secret`, `${address}#secret`])
      assert.throws(
        () => followRedirect(from, location, {}),
        ({ message }: Error) => {
          assert.ok(message.includes(` ${address}: `) && !message.includes('secret'), message);
          return true;
        },
      );
});

test('docker config.json: the longest key wins, every old spelling of a key is known', async t => {
  const path = join(await makeDirectory(t), 'config.json');
  const auth = (user: string) => ({ auth: Buffer.from(`${user}:p:w`).toString('base64') });
  const auths = {
    'a.example': auth('host'),
    'a.example/team': auth('team'),
    'https://b.example/v2/': { username: 'u', password: 'p' },
    [`https://index.${'docker.io'}/v1/`]: { identitytoken: 'refresh' },
    'c.example': {},
    'd.example': { auth: 'none' },
  };
  await writeFile(path, JSON.stringify({ auths }));
  const read = (host: string, repository: string) => readCredential(path, host, repository);
  const basic = (username: string, password = 'p:w') => ({ kind: 'basic', username, password });
  assert.deepEqual(await read('a.example', 'x'), basic('host'));
  assert.deepEqual(await read('a.example', 'team/x'), basic('team'));
  assert.deepEqual(await read('a.example', 'teamwork/x'), basic('host'));
  assert.deepEqual(await read('b.example', 'x'), basic('u', 'p'));
  assert.deepEqual(await read('docker.io', 'library/x'), { kind: 'identity-token', token: 'refresh' });
  assert.equal(await read('c.example', 'x'), undefined);
  assert.equal(await read('a.example.evil', 'x'), undefined);
  await assert.rejects(read('d.example', 'x'), { code: 'bad-credentials' });
  assert.equal(await readCredential(join(path, '..', 'none.json'), 'a.example', 'x'), undefined);
  assert.equal(await readCredential(undefined, 'a.example', 'x'), undefined);
  await writeFile(path, '{');
  await assert.rejects(read('a.example', 'x'), { code: 'bad-credentials' });
});

test('a credential helper that does not run or has an impossible name is an error, not nobody', async t => {
  const path = join(await makeDirectory(t), 'config.json');
  await writeFile(
    path,
    JSON.stringify({ credHelpers: { 'a.example': 'no-such-helper', 'b.example': '../x' } }),
  );
  await chmod(path, 0o600);
  for (const host of ['a.example', 'b.example'])
    await assert.rejects(readCredential(path, host, 'x'), { code: 'bad-credentials' });
  assert.equal(await readCredential(path, 'c.example', 'x'), undefined);
});

test('routes of the registry', () => {
  const of = (method: string, path: string) => {
    const route = matchRegistryRoute(method, path);
    return route.kind === 'refused' ? route.status : route.kind;
  };
  const digest = `sha256:${'0'.repeat(64)}`;
  const id = '0'.repeat(32);
  const cases: readonly [string, string, string | number][] = [
    ['GET', '/v2/', 'base'],
    ['GET', '/v2', 'base'],
    ['GET', '/v2/a/b/manifests/1', 'get-manifest'],
    ['HEAD', `/v2/a/manifests/${digest}`, 'get-manifest'],
    ['PUT', '/v2/a/manifests/1', 'put-manifest'],
    ['GET', `/v2/a/blobs/${digest}`, 'get-blob'],
    ['POST', '/v2/a/blobs/uploads/', 'start-upload'],
    ['POST', '/v2/manifests/blobs/uploads', 'start-upload'],
    ['PATCH', `/v2/a/blobs/uploads/${id}`, 'upload'],
    ['GET', '/v2/a/tags/list', 'list-tags'],
    ['GET', '/v2/a/tags/other', 404],
    ['GET', '/v2/_catalog', 'list-repositories'],
    ['GET', '/v2/_other', 404],
    ['DELETE', '/v2/a/manifests/1', 'delete-manifest'],
    ['DELETE', `/v2/a/blobs/${digest.replace(':', '%3A')}`, 'delete-blob'],
    ['GET', `/v2/a/referrers/${digest}`, 'list-referrers'],
    ['GET', '/v2/a/referrers/1', 400],
    ['GET', '/v2/a/manifests/sha256:baddigeststring', 400],
    ['POST', '/v2/a/manifests/1', 405],
    ['GET', '/v2/%/manifests/1', 404],
    ['GET', '/v2/a/manifests/..', 400],
    ['GET', '/v2/../manifests/1', 400],
    ['GET', `/v2/${'a'.repeat(256)}/manifests/1`, 400],
  ];
  for (const [method, path, kind] of cases) assert.equal(of(method, path), kind, `${method} ${path}`);
});

test('any method and path is a route or refused', () => {
  const part = fc.constantFrom(
    'v2',
    'a',
    'manifests',
    'blobs',
    'uploads',
    'tags',
    'list',
    'referrers',
    '..',
    '%',
    '',
  );
  const path = fc.oneof(
    fc.string(),
    fc.array(part).map(parts => `/${parts.join('/')}`),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'X'),
      path,
      (method, text) => {
        const route = matchRegistryRoute(method, text);
        if ('repository' in route) assert.match(route.repository, /^[a-z0-9][a-z0-9._/-]*$/);
        if (route.kind === 'refused') assert.ok(route.status >= 400);
        else if (route.right === 'pull') assert.ok(method === 'GET' || method === 'HEAD');
      },
    ),
  );
});

test('waits grow from a quarter of a second to a minute, by chance, and heed the other side', () => {
  assert.deepEqual([toRetryDelayMs(1, 0), toRetryDelayMs(1, 1), toRetryDelayMs(3, 1)], [125, 250, 1000]);
  assert.equal(toRetryDelayMs(1_000_000, 1), 60_000);
  assert.equal(toRetryDelayMs(1, 0, 7_000), 7_000);
  assert.equal(toRetryDelayMs(1, 0, Number.MAX_SAFE_INTEGER), 3_600_000);
});
