import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPluginLines } from '../../../src/xds/access/plugin-lines.ts';

const at = '[2026-11-21 12:00:00.000][17]';

test('lines of plugins and of their host are found, with the lines that they go on in', () => {
  const said = `${at}[info][wasm] [source/x.cc:1] wasm log default/auth: hello`;
  const trapped = `${at}[error][wasm] [source/y.cc:2] Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable`;
  const text = [
    `${at}[info][main] [source/server.cc:3] starting`,
    said,
    trapped,
    'Proxy-Wasm plugin in-VM backtrace:',
    '  0:  0x1a2b - abort',
    `${at}[warning][config] [source/z.cc:4] else`,
    '  of the one before',
    '',
  ].join('\n');
  assert.deepEqual(findPluginLines(text), [
    said,
    trapped,
    'Proxy-Wasm plugin in-VM backtrace:',
    '  0:  0x1a2b - abort',
  ]);
});

test('in a format of the user’s own a plugin’s line is known by its text', () => {
  assert.deepEqual(findPluginLines('info\twasm log auth: a\ninfo\tother\n'), ['info\twasm log auth: a']);
  assert.deepEqual(findPluginLines(''), []);
});
