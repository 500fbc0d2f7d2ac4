import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, withServer } from './run-main.ts';
import { AT, nodeView } from './views.ts';

const NODE = '/v1/nodes/demo-1';
const config = (over = {}) => ({
  kind: 'NodeConfig',
  node: 'demo-1',
  connected: true,
  at: AT,
  resources: [],
  leftOut: ['Secrets: names only.'],
  ...over,
});

test('config dump prints what was sent as data, and what is left out beside it', async () => {
  const answers = {
    [`GET ${NODE}/config`]: config(),
    [`GET ${NODE}/config?type=listeners`]: config({ connected: false }),
  };
  await withServer(answers, async server => {
    const yaml = await run(['config', 'dump', 'demo-1', '--server', server]);
    assert.match(yaml.out, /^kind: NodeConfig\nnode: demo-1\n/);
    assert.equal(yaml.err, 'note: Secrets: names only.\n');
    const json = await run([
      'config',
      'dump',
      'demo-1',
      '--type',
      'listener',
      '-o',
      'json',
      '--server',
      server,
    ]);
    assert.equal(JSON.parse(json.out).connected, false);
    assert.match(json.err, /^note: demo-1 is not connected/);
    assert.equal((await run(['config', 'dump', 'demo-1', '--type', 'x', '--server', server])).code, 2);
  });
});

test('diff node exits 0 without differences and 3 with them; without a file or a node it is misused', async () => {
  const answers = {
    [`GET ${NODE}`]: nodeView({ resources: [] }),
    'GET /v1/nodes/gone': nodeView({ state: 'Disconnected', resources: [] }),
  };
  await withServer(answers, async server => {
    const same = await run(['diff', 'node', 'demo-1', '--server', server]);
    assert.deepEqual([same.code, same.out], [0, 'demo-1: 0 resources as it should be; no differences\n']);
    const gone = await run(['diff', 'node', 'gone', '-o', 'json', '--server', server]);
    assert.deepEqual([gone.code, JSON.parse(gone.out).connected], [3, false]);
    assert.equal((await run(['diff', '--server', server])).code, 2);
    assert.equal((await run(['diff', 'plugin', 'auth', '--server', server])).code, 2);
  });
});

test('node set sends what was said alone; none and KEY- lift', async () => {
  const answers = {
    [`PATCH ${NODE}`]: { kind: 'NodeAnswer', node: 'demo-1', result: 'configured', text: 'set' },
  };
  await withServer(answers, async (server, asked) => {
    const flags = ['--namespace', 'none', '--label', 'a=b', '--label', 'c-', '--server', server];
    const { code, out } = await run(['node', 'set', 'demo-1', ...flags]);
    assert.deepEqual([code, out], [0, 'set\n']);
    assert.deepEqual(asked, [`PATCH ${NODE}`]);
    assert.equal((await run(['node', 'set', 'demo-1', '--server', server])).code, 2);
    assert.equal((await run(['node', 'set', 'demo-1', '--label', '=x', '--server', server])).code, 2);
  });
});

test('logs prints lines to stdout and where they are from to stderr', async () => {
  const logs = {
    kind: 'NodeLogs',
    node: 'demo-1',
    file: 'a.log',
    writtenAt: AT,
    lines: ['one', 'two'],
    lookedAtBytes: null,
  };
  const refused = {
    status: 409,
    code: 'node-log-unset',
    detail: 'the log of other cannot be read from here',
    hint: 'attache serve --node-log-directory DIR',
    errors: [],
  };
  const answers = { [`GET ${NODE}/logs?lines=50`]: logs, 'GET /v1/nodes/other/logs?lines=50': refused };
  await withServer(answers, async server => {
    const read = await run(['logs', 'demo-1', '--server', server]);
    assert.equal(read.out, 'one\ntwo\n');
    assert.match(read.err, /^note: from a\.log, written/);
    const none = await run(['logs', 'other', '--server', server]);
    assert.equal(none.code, 1);
    assert.match(none.err, /cannot be read from here[\s\S]*--node-log-directory/);
  });
});

test('bundle prints one file; of other things there is none', async () => {
  const bundle = { kind: 'NodeBundle', note: 'Names stay.', leftOut: ['Modules.'] };
  await withServer({ [`GET ${NODE}/bundle`]: bundle }, async server => {
    const made = await run(['bundle', 'node', 'demo-1', '--server', server]);
    assert.deepEqual([JSON.parse(made.out), made.err], [bundle, 'left out: Modules.\nnote: Names stay.\n']);
    assert.equal((await run(['bundle', 'plugin', 'x', '--server', server])).code, 2);
  });
});

test('log-level asks with GET, and sets with PUT', async () => {
  const level = { kind: 'NodeLogLevel', node: 'demo-1', logger: 'wasm', level: 'info', text: 'at info' };
  const answers = {
    [`GET ${NODE}/log-level`]: level,
    [`PUT ${NODE}/log-level`]: { ...level, text: 'at debug' },
  };
  await withServer(answers, async server => {
    assert.equal((await run(['node', 'log-level', 'demo-1', '--server', server])).out, 'at info\n');
    assert.equal((await run(['node', 'log-level', 'demo-1', 'debug', '--server', server])).out, 'at debug\n');
    assert.equal((await run(['node', 'log-level', 'demo-1', 'loud', '--server', server])).code, 2);
  });
});
