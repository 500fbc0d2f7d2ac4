import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paintStates } from '../../src/cli/paint.ts';
import { run, withServer } from './run-main.ts';
import { nodeView } from './views.ts';

const ESCAPE = '\x1b';

test('a state has a colour beside its word, on a terminal that shows colours', () => {
  const painted = paintStates('edge-1  Connected, Refused\nedge-2  Disconnected', { hasColour: true });
  assert.equal(
    painted,
    'edge-1  \x1b[32mConnected\x1b[0m, \x1b[31mRefused\x1b[0m\nedge-2  \x1b[33mDisconnected\x1b[0m',
  );
  assert.equal(paintStates('Connected', { hasColour: false }), 'Connected');
  assert.equal(paintStates('Connected', undefined), 'Connected');
});

test('a table is coloured on a terminal alone, and data is never', async () => {
  const answers = { 'GET /v1/nodes': { kind: 'NodeList', items: [nodeView()] } };
  await withServer(answers, async server => {
    const screen = { columns: 120, rows: 30, hasColour: true, write: () => {} };
    const get = async (...args: string[]) =>
      (await run(['get', 'nodes', '--server', server, ...args], { screen })).out;
    assert.ok((await get()).includes(`${ESCAPE}[32mConnected${ESCAPE}[0m`));
    assert.ok(!(await get('-o', 'json')).includes(ESCAPE));
    assert.ok(!(await get('-o', 'name')).includes(ESCAPE));
    assert.ok(!(await run(['get', 'nodes', '--server', server])).out.includes(ESCAPE));
  });
});
