import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { listenWidely } from '../../src/model/listen-widely.ts';

const HOST = '127.0.0.1';
const CLIENTS = 64;

/** A server on some port, whose connections end with the test. */
async function open(t: TestContext, port = 0) {
  const taken: Socket[] = [];
  const server = createServer(socket => {
    socket.on('error', () => {});
    taken.push(socket);
  });
  const stopOthers = await listenWidely(server, { host: HOST, port }, { allowHalfOpen: false });
  const stop = async (): Promise<void> => {
    stopOthers();
    for (const socket of taken) socket.destroy();
    if (server.listening) await new Promise(resolve => server.close(resolve));
  };
  t.after(stop);
  return { server, taken, stop, port: (server.address() as AddressInfo).port };
}

const refusalOf = (listening: Promise<unknown>) =>
  listening.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );

test('several connections are taken in each turn of the event loop', {
  skip: process.platform !== 'linux',
}, async t => {
  const { port, taken } = await open(t);
  const clients = Array.from({ length: CLIENTS }, () => connect(port, HOST).on('error', () => {}));
  t.after(() => {
    for (const client of clients) client.destroy();
  });
  let turns = 0;
  while (taken.length < CLIENTS && turns < 10 * CLIENTS) {
    await turn();
    if (taken.length > 0) turns += 1;
  }
  assert.equal(taken.length, CLIENTS);
  assert.ok(turns < CLIENTS / 2, `${turns} turns for ${CLIENTS} connections`);
});

test('a port that another has is not shared with him, whether he would or not', async t => {
  const { port } = await open(t);
  const other = createServer();
  assert.equal(
    await refusalOf(listenWidely(other, { host: HOST, port }, { allowHalfOpen: false })),
    'EADDRINUSE',
  );
  const single: Server = createServer().listen(0, HOST);
  t.after(() => single.close());
  await once(single, 'listening');
  const place = { host: HOST, port: (single.address() as AddressInfo).port };
  assert.equal(await refusalOf(listenWidely(other, place, { allowHalfOpen: false })), 'EADDRINUSE');
});

test('a port that was closed is free, and takes nobody in', async t => {
  const { port, stop } = await open(t);
  await stop();
  const client = connect(port, HOST);
  const [error] = await once(client, 'error');
  assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  assert.equal((await open(t, port)).port, port);
});
