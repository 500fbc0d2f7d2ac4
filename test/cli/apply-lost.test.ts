import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { awaitChecked } from '../../src/cli/await-checked.ts';
import { RestClient } from '../../src/cli/rest-client.ts';
import { answer, PATH, run, VALIDATION, writeDocument } from './run-main.ts';
import { pluginView } from './views.ts';

/** A server that takes a plugin, and then lets the next calls fall, as one that is started again does. */
async function withFailing(falls: number, use: (server: string) => Promise<void>): Promise<void> {
  const view = pluginView();
  const answers: Readonly<Record<string, unknown>> = {
    [VALIDATION]: { items: [], warnings: [] },
    [`PUT ${PATH}`]: answer(view),
    [`GET ${PATH}`]: view,
    [`GET ${PATH}/revisions`]: { items: [] },
  };
  let left = falls;
  const server = createServer((request, response) => {
    request.resume();
    if (request.method === 'GET' && left > 0) {
      left -= 1;
      request.socket.destroy();
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answers[`${request.method} ${request.url}`] ?? { items: [] }));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
}

test('a server that is started again while apply waits is waited for: what it took, it has', async () => {
  const file = writeDocument('lost.yaml', '  url: oci://r.example/auth:1\n');
  await withFailing(2, async server => {
    const { code, out, err } = await run(['apply', '-f', file, '--server', server]);
    assert.equal(code, 0, err);
    assert.match(out, /^plugin .*auth created/);
    assert.match(err, /^lost http.*trying again; default\/auth is stored$/m);
  });
});

test('one that stays away is said to have it: time is over, nothing was refused', async () => {
  await withFailing(1_000, async server => {
    const stored = { ...pluginView(), result: 'created', warnings: [], dryRun: false } as never;
    const wait = awaitChecked(
      new RestClient({ server, token: undefined, ca: undefined }),
      PATH,
      stored,
      () => {},
      0,
    );
    await assert.rejects(wait, { code: 'check-timeout', message: /is stored, and then: .* does not answer/ });
  });
});
