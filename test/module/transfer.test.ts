import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createHttpClient } from '../../src/module/http-client.ts';
import type { Transfer } from '../../src/module/transfer.ts';

test('what goes and comes is told of in pieces, and arrives whole', async () => {
  const sent = Buffer.alloc(300_000, 'a');
  const server = createServer(async (request, response) => {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of request) {
      hash.update(chunk);
      size += chunk.length;
    }
    assert.equal(request.headers['transfer-encoding'], undefined);
    const answer = Buffer.alloc(200_000, hash.digest('hex'));
    response.writeHead(200, { 'content-length': answer.length, 'x-size': size }).end(answer);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const told: Transfer[] = [];
  const http = createHttpClient(undefined, transfer => told.push(transfer));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const common = { url, check: () => {}, mayBePrivate: () => true, signal: new AbortController().signal };
  try {
    const put = await http.send({ ...common, method: 'PUT', body: sent });
    assert.equal(put.headers['x-size'], '300000');
    put.drop();
    assert.deepEqual(told.at(-1), { doneBytes: 300_000, totalBytes: 300_000 });
    assert.ok(told.length > 4);
    const got = await http.send({ ...common, method: 'GET' });
    let received = 0;
    for await (const chunk of got.body) received += chunk.length;
    assert.equal(received, 200_000);
    assert.deepEqual(told.at(-1), { doneBytes: 500_000, totalBytes: 500_000 });
  } finally {
    await http.close();
    server.closeAllConnections();
    server.close();
  }
});
