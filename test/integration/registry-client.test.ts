import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { createModuleSource, type ModuleSourceOptions } from '../../src/module/fetch-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { buildArtifact } from '../../src/module/push-layout.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { toDigest } from '../../src/module/verify-digest.ts';
import { stopAfter } from '../harness/cleanup.ts';
import {
  makeCache,
  makeDirectory,
  makeModule,
  sourceOptions,
  startRegistry,
  startWeb,
  type WebServer,
} from '../module/actors.ts';

const BYTES = makeModule('client');
const never = new AbortController().signal;

async function makeSource(t: TestContext, hosts: readonly string[], more: Partial<ModuleSourceOptions> = {}) {
  const source = createModuleSource(await makeCache(t), sourceOptions(hosts, more));
  stopAfter(t, { stop: () => source.close() });
  return source;
}

async function pull(t: TestContext, host: string, more: Partial<ModuleSourceOptions> = {}) {
  const source = await makeSource(t, [host], more);
  return source.fetch({ url: `oci://${host}/team/auth:1` }, never);
}

function hasCode(code: string, text: RegExp = /./): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof ModuleError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    assert.ok(error.hint, 'the next step is named');
    return true;
  };
}

async function pushTo(host: string, bytes = BYTES) {
  return pushModule({
    bytes,
    reference: `${host}/team/auth:1`,
    insecureRegistries: [],
    dockerConfigPath: undefined,
  });
}

/** A docker config.json with a user for each host. */
async function writeConfig(t: TestContext, hosts: Readonly<Record<string, string>>): Promise<string> {
  const auths = Object.entries(hosts).map(([host, user]) => [
    host,
    { auth: Buffer.from(user).toString('base64') },
  ]);
  const path = join(await makeDirectory(t), 'config.json');
  await writeFile(path, JSON.stringify({ auths: Object.fromEntries(auths) }));
  return path;
}

/** A registry behind HTTP Basic. */
async function startBasic(t: TestContext, user: string): Promise<WebServer> {
  const wanted = `Basic ${Buffer.from(user).toString('base64')}`;
  let locked = false;
  const registry = await startRegistry(t, (request, response) => {
    if (!locked || request.headers.authorization === wanted) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
    return true;
  });
  await pushTo(registry.host);
  locked = true;
  return registry;
}

test('Basic: the right user of a docker config.json gets in', async t => {
  const { host } = await startBasic(t, 'ann:secret');
  const dockerConfigPath = await writeConfig(t, { [host]: 'ann:secret' });
  assert.deepEqual((await pull(t, host, { dockerConfigPath })).bytes, Buffer.from(BYTES));
});

test('Basic: nobody and the wrong user are told so, without a loop', async t => {
  const registry = await startBasic(t, 'ann:secret');
  const { host } = registry;
  const before = registry.requests.length;
  await assert.rejects(pull(t, host), hasCode('unauthorized', /without credentials/));
  const dockerConfigPath = await writeConfig(t, { [host]: 'ann:wrong' });
  await assert.rejects(
    pull(t, host, { dockerConfigPath }),
    hasCode('unauthorized', /credentials of the server/),
  );
  assert.ok(registry.requests.length - before <= 3);
});

/** A registry with a token service beside it; `users` may log in, others get an anonymous token that opens nothing. */
async function startToken(t: TestContext, user: string) {
  const tokens: WebServer = await startWeb(t, (request, response) => {
    const known = request.headers.authorization === `Basic ${Buffer.from(user).toString('base64')}`;
    response.end(JSON.stringify({ token: known ? 'good' : 'anonymous', expires_in: 300 }));
  });
  let locked = false;
  const registry = await startRegistry(t, (request, response) => {
    if (!locked || request.headers.authorization === 'Bearer good') return false;
    const realm = `http://${tokens.host}/token?extra=1`;
    response.writeHead(401, {
      'www-authenticate': `Bearer realm="${realm}",service="reg, with comma",scope="repository:team/auth:pull"`,
    });
    response.end();
    return true;
  });
  await pushTo(registry.host);
  locked = true;
  return { tokens, registry };
}

test('Bearer: one token is fetched for all requests of a pull, with service and scope', async t => {
  const { tokens, registry } = await startToken(t, 'ann:secret');
  const dockerConfigPath = await writeConfig(t, { [`http://${registry.host}/v2/`]: 'ann:secret' });
  await pull(t, registry.host, { dockerConfigPath });
  assert.equal(tokens.requests.length, 1);
  const query = new URL(`http://x${tokens.requests[0]?.line.slice(4)}`).searchParams;
  assert.equal(query.get('extra'), '1');
  assert.equal(query.get('service'), 'reg, with comma');
  assert.equal(query.get('scope'), 'repository:team/auth:pull');
});

test('Bearer: an anonymous token that opens nothing is unauthorized', async t => {
  const { registry } = await startToken(t, 'ann:secret');
  await assert.rejects(pull(t, registry.host), hasCode('unauthorized'));
});

test('a token service at a private address of another host is not asked', async t => {
  const registry = await startWeb(t, (_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="https://10.0.0.1/token"' }).end();
  });
  await assert.rejects(pull(t, registry.host), hasCode('address-refused', /10\.0\.0\.1/));
});

test('credentials of one registry are not shown to another', async t => {
  const { host } = await startBasic(t, 'ann:secret');
  const dockerConfigPath = await writeConfig(t, { 'other.example': 'ann:secret' });
  await assert.rejects(pull(t, host, { dockerConfigPath }), hasCode('unauthorized', /without credentials/));
});

test('a redirect to other storage is followed without the credentials', async t => {
  const wanted = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
  const storage = await startWeb(t, (_request, response) => void response.end(BYTES));
  const registry = await startArtifact(t, (line, response, headers) => {
    if (headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
      return true;
    }
    if (!line.includes('/blobs/')) return false;
    response.writeHead(307, { location: `http://${storage.host}/blob?signed=1` }).end();
    return true;
  });
  const dockerConfigPath = await writeConfig(t, { [registry.host]: 'ann:secret' });
  const source = await makeSource(t, [registry.host, storage.host], { dockerConfigPath });
  const { bytes } = await source.fetch({ url: `${registry.host}/team/auth:1` }, never);
  assert.deepEqual(bytes, Buffer.from(BYTES));
  assert.equal(storage.requests.length, 1);
  assert.equal(storage.requests[0]?.headers.authorization, undefined);
  assert.equal(registry.requests.at(-1)?.headers.authorization, wanted);
});

test('redirects without end, to plain HTTP elsewhere and to other schemes are not followed', async t => {
  const cases: readonly [string, RegExp][] = [
    ['/v2/team/auth/blobs/again', /more than 3/],
    ['http://storage.example/blob', /plain HTTP/],
    ['file:///etc/passwd', /only http/],
  ];
  for (const [location, text] of cases) {
    const registry = await startArtifact(t, (line, response) => {
      if (!line.includes('/blobs/')) return false;
      response.writeHead(302, { location }).end();
      return true;
    });
    await assert.rejects(pull(t, registry.host), hasCode('redirect-refused', text));
  }
});

/** A registry of one module that can lie: `answer` gives true where it answered by itself. */
function startArtifact(
  t: TestContext,
  answer: (line: string, response: ServerResponse, headers: Record<string, unknown>) => boolean,
): Promise<WebServer> {
  const { blobs, manifests } = buildArtifact(BYTES, { layout: 'cncf', annotations: {}, createdMs: 0 });
  return startWeb(t, (request, response) => {
    const line = `${request.method} ${request.url}`;
    if (answer(line, response, request.headers)) return;
    if (line.includes('/manifests/'))
      response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json');
    const blob = blobs.find(bytes => line.includes(toDigest(bytes)));
    response.end(line.includes('/manifests/') ? manifests[0]?.bytes : (blob ?? BYTES));
  });
}

test('other bytes than the manifest names are refused, and never kept', async t => {
  const other = Buffer.from(BYTES).fill(0xff, BYTES.length - 1);
  const cases: readonly Buffer[] = [
    other,
    Buffer.concat([BYTES, Buffer.of(0)]),
    Buffer.from(BYTES.subarray(1)),
  ];
  for (const body of cases) {
    const registry = await startArtifact(t, (line, response) => {
      if (line.includes('/blobs/')) response.end(body);
      return line.includes('/blobs/');
    });
    const cache = await makeCache(t);
    const source = createModuleSource(cache, sourceOptions([registry.host]));
    stopAfter(t, { stop: () => source.close() });
    await assert.rejects(
      source.fetch({ url: `${registry.host}/team/auth:1` }, never),
      hasCode('wrong-digest'),
    );
    assert.equal(await cache.has(sha256Hex(BYTES)), false);
    assert.equal(await cache.has(sha256Hex(body)), false);
  }
});

test('a blob that is here already is held to its own size, whatever a manifest says of it', async t => {
  const big = Buffer.alloc(32 << 20);
  const layer = { mediaType: 'application/wasm', digest: toDigest(big), size: 10 };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const config = {
    mediaType: 'application/vnd.oci.empty.v1+json',
    digest: toDigest(Buffer.from('{}')),
    size: 2,
  };
  const web = await startWeb(t, (_request, response) => {
    response.setHeader('content-type', mediaType);
    response.end(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  });
  const cache = await makeCache(t);
  await cache.write([big], { maxBytes: big.length });
  const source = createModuleSource(cache, sourceOptions([web.host]));
  stopAfter(t, { stop: () => source.close() });
  await assert.rejects(source.bring({ url: `${web.host}/team/auth:1` }, never), hasCode('module-too-big'));
});

test('a manifest that is not the one asked for by digest is refused', async t => {
  const registry = await startArtifact(t, () => false);
  const source = await makeSource(t, [registry.host]);
  const url = `${registry.host}/team/auth@sha256:${'1'.repeat(64)}`;
  await assert.rejects(source.fetch({ url }, never), hasCode('wrong-digest'));
});

test('a body that ends early, no answer, a stalled body and no listener are the network, and pass', async t => {
  const truncated = (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 10), () => response.destroy());
  };
  const stalled = (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, 10));
  };
  for (const answer of [truncated, stalled, () => {}]) {
    const registry = await startArtifact(t, (line, response) => {
      if (line.includes('/blobs/')) answer(response);
      return line.includes('/blobs/');
    });
    await assert.rejects(pull(t, registry.host), (error: unknown) => {
      hasCode('registry-unreachable')(error);
      return (error as ModuleError).transient;
    });
  }
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => closed.once('listening', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise(resolve => closed.close(resolve));
  await assert.rejects(pull(t, `127.0.0.1:${port}`), hasCode('registry-unreachable', /127\.0\.0\.1/));
  await assert.rejects(pull(t, 'no-such-host.invalid:5000'), hasCode('registry-unreachable', /no-such-host/));
});

test('429 and 5xx pass, with the time that was asked for; 403 and 404 do not', async t => {
  const cases: readonly [number, string, boolean][] = [
    [429, 'registry-busy', true],
    [503, 'registry-error', true],
    [403, 'denied', false],
    [404, 'module-not-found', false],
    [418, 'request-refused', false],
  ];
  for (const [status, code, transient] of cases) {
    const registry = await startWeb(t, (_request, response) => {
      response.writeHead(status, { 'retry-after': '7' });
      response.end(JSON.stringify({ errors: [{ code: 'SOME_CODE', message: 'in its\u0007 own words' }] }));
    });
    await assert.rejects(pull(t, registry.host), (error: unknown) => {
      hasCode(code, /SOME_CODE: in its own words/)(error);
      assert.equal((error as ModuleError).transient, transient);
      if (transient) assert.equal((error as ModuleError).retryAfterMs, 7_000);
      return true;
    });
  }
});

test('private addresses are refused unless allowed, plain HTTP unless listed', async t => {
  const { host } = await startRegistry(t);
  await pushTo(host);
  const reject = async (url: string, code: string, more: Partial<ModuleSourceOptions> = {}) =>
    assert.rejects((await makeSource(t, [], more)).fetch({ url }, never), hasCode(code));
  await reject(`${host}/team/auth:1`, 'address-refused');
  await reject('localhost:1/team/auth:1', 'address-refused');
  await reject('[::1]:1/team/auth:1', 'address-refused');
  await reject(`http://${host}/v2/`, 'address-refused');
  // Allowed to be private, but not listed as insecure: TLS is spoken, and the server has none.
  const source = await makeSource(t, [], { allowPrivateHosts: ['127.0.0.1'] });
  await assert.rejects(source.fetch({ url: `${host}/team/auth:1` }, never), (error: unknown) => {
    hasCode('registry-unreachable')(error);
    return /--insecure-registry/.test((error as ModuleError).hint ?? '');
  });
});

test('a module comes from the web as it is or packed, pinned by the hash of the module', async t => {
  const web = await startWeb(t, (request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/plugin.wasm' }).end();
    else if (request.url === '/plugin.wasm') response.end(BYTES);
    else response.writeHead(404).end();
  });
  const source = await makeSource(t, [], { allowPrivateHosts: [web.host] });
  const sha256 = sha256Hex(BYTES);
  for (const path of ['plugin.wasm', 'moved']) {
    const { bytes, layout } = await source.fetch({ url: `http://${web.host}/${path}`, sha256 }, never);
    assert.deepEqual([bytes, layout], [Buffer.from(BYTES), 'plain']);
  }
  const url = `http://${web.host}/plugin.wasm`;
  await assert.rejects(source.fetch({ url, sha256: '0'.repeat(64) }, never), hasCode('wrong-digest'));
  await assert.rejects(source.fetch({ url: `${url}x` }, never), hasCode('module-not-found'));
});

test('a push that needs a login and gets none says so', async t => {
  const { host } = await startBasic(t, 'ann:secret');
  await assert.rejects(pushTo(host), hasCode('unauthorized'));
});
