import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { WhoAmI } from '../../src/api/schema/server-view.ts';
import { run } from '../cli/run-main.ts';

const CERTIFICATE = fileURLToPath(new URL('../fixtures/tls/loopback.pem', import.meta.url));
const KEY = CERTIFICATE.replace(/pem$/, 'key');

const WHO: WhoAmI = {
  name: 'ci',
  role: 'viewer',
  how: 'token',
  plugins: null,
  nodes: null,
  expiresAt: null,
};

test('TLS: a server is trusted by the CA that was named, and its token goes along', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer(
    { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) },
    (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(WHO));
    },
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const unknown = await run(['whoami', '--server', url]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /trusted here \(.*\)\.?\s.*--ca-file FILE/);
    const env = { ATTACHE_CA_FILE: CERTIFICATE, ATTACHE_TOKEN: 'secret' };
    assert.match((await run(['whoami', '--server', url], { env })).out, /^ci \(viewer; token\)/);
    assert.match((await run(['whoami', '--server', url, '--ca-file', CERTIFICATE])).out, /^ci /);
    assert.deepEqual(seen, ['Bearer secret', undefined]);
    const plain = await run(['whoami', '--server', url.replace('https', 'http')]);
    assert.match(plain.err, /^error: .* does not answer .*write https:\/\/ in --server/s);
  } finally {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
});
