/** What the server may ask and read of Envoys: an admin interface that misbehaves, and files. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createNodeAdmin } from '../../src/xds/access/node-admin.ts';
import { createNodeLogReader } from '../../src/xds/access/node-log.ts';

const LIMITS = { allowed: [], timeoutMs: 300, maxBytes: 10_000 };

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serverInfo = (id: string) => JSON.stringify({ version: '1.40.0', node: { id } });

test('the level of plugins is read and set, on the right Envoy alone', async t => {
  const asked: string[] = [];
  let level = 'info';
  const address = await serve(t, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    level = /wasm=(\w+)/.exec(request.url ?? '')?.[1] ?? level;
    response.end(
      request.url === '/server_info' ? serverInfo('edge-1') : `active loggers:\n  wasm: ${level}\n`,
    );
  });
  const admin = createNodeAdmin(LIMITS);
  assert.equal(await admin.logLevel(address, 'edge-1', undefined), 'info');
  assert.equal(await admin.logLevel(address, 'edge-1', 'debug'), 'debug');
  assert.deepEqual(asked, [
    'GET /server_info',
    'POST /logging',
    'GET /server_info',
    'POST /logging?wasm=debug',
  ]);
  asked.length = 0;
  await assert.rejects(admin.logLevel(address, 'edge-2', 'debug'), {
    code: 'admin-other-node',
    message: /edge-1/,
  });
  assert.deepEqual(asked, ['GET /server_info'], 'nothing was set');
});

test('a redirect is not followed, and what is no Envoy is not quoted', async t => {
  let reached = false;
  const inner = await serve(t, (_, response) => {
    reached = true;
    response.end(serverInfo('edge-1'));
  });
  const outer = await serve(t, (_, response) => response.writeHead(302, { location: inner }).end());
  const admin = createNodeAdmin(LIMITS);
  await assert.rejects(admin.logLevel(outer, 'edge-1', undefined), {
    code: 'admin-bad-answer',
    message: /302/,
  });
  assert.ok(!reached);
  const stranger = await serve(t, (_, response) => response.end('secret page'));
  await assert.rejects(admin.logLevel(stranger, 'edge-1', undefined), (error: Error) => {
    assert.doesNotMatch(error.message, /secret/);
    return 'code' in error && error.code === 'admin-bad-answer';
  });
});

test('who is silent, endless or absent costs a bounded time and size', async t => {
  const admin = createNodeAdmin(LIMITS);
  const silent = await serve(t, () => {});
  await assert.rejects(admin.logLevel(silent, 'a', undefined), {
    code: 'admin-unreachable',
    message: /0\.3 s/,
  });
  const endless = await serve(t, (_, response) => {
    const more = (): void => {
      if (response.destroyed) return;
      response.write('x'.repeat(1_000));
      setImmediate(more);
    };
    more();
  });
  await assert.rejects(admin.logLevel(endless, 'a', undefined), {
    code: 'admin-bad-answer',
    message: /10000 bytes/,
  });
  await assert.rejects(admin.logLevel('http://127.0.0.1:9', 'a', undefined), { code: 'admin-unreachable' });
  await assert.rejects(admin.logLevel('http://10.0.0.1:9', 'a', undefined), {
    code: 'admin-address-refused',
  });
});

test('logs are read below their folder alone, from the end', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'attache-logs-'));
  t.after(() => rm(folder, { recursive: true }));
  const line = (i: number) => `[2026-11-21 12:00:00.000][1][info][wasm] [x] wasm log default/auth: line ${i}`;
  await writeFile(join(folder, 'small.log'), `${line(1)}\n[2026-11-21][main] other\n${line(2)}\n`);
  await writeFile(join(folder, 'big.log'), Array.from({ length: 5_000 }, (_, i) => `${line(i)}\n`).join(''));
  await symlink('/etc/hostname', join(folder, 'out.log'));
  const logs = createNodeLogReader(folder);
  assert.equal(logs.check(join(folder, 'small.log')), 'small.log');
  assert.deepEqual((await logs.tail('small.log', 10)).lines, [line(1), line(2)]);
  assert.deepEqual((await logs.tail('small.log', 1)).lines, [line(2)]);
  const big = await logs.tail('big.log', 2);
  assert.deepEqual(big.lines, [line(4_998), line(4_999)]);
  assert.equal(big.lookedAtBytes, 256 * 1024);
  for (const file of ['../x', '/etc/passwd', '.', 'a/../../b'])
    assert.throws(() => logs.check(file), { code: 'node-log-refused' }, file);
  await assert.rejects(logs.tail('out.log', 1), { code: 'node-log-refused' });
  await assert.rejects(logs.tail('none.log', 1), { code: 'node-log-unreadable' });
  assert.throws(() => createNodeLogReader(undefined).check('a'), { code: 'node-log-refused' });
});
