import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGenuine, makeNodeToken, parseNodeToken, toNodeTokenKey } from '../../src/model/node-token.ts';

const KEY = toNodeTokenKey(Buffer.alloc(32, 7));

test('a token says which node it is of, and its key proves it', () => {
  for (const node of ['edge-1', 'sidecar~10.0.0.1~a.b', 'Kante 1', 'ü'.repeat(253)]) {
    const token = parseNodeToken(makeNodeToken(KEY, node, 0)) ?? assert.fail();
    assert.equal(token.node, node);
    assert.ok(isGenuine(token, KEY, 0));
    assert.ok(!isGenuine({ ...token, node: `${node}x` }, KEY, 0), 'it is of no other node');
    assert.ok(!isGenuine(token, KEY, 1), 'a revocation ends it');
    assert.ok(!isGenuine(token, Buffer.alloc(32, 7), 0), 'its key is not that of the secrets');
  }
});

test('what is no token is none', () => {
  const token = makeNodeToken(KEY, 'edge-1', 0);
  for (const text of [
    '',
    'atn_',
    'atn_.',
    token.slice(0, -1),
    `${token}A`,
    ` ${token}`,
    token.replace('atn_', 'att_'),
  ])
    assert.equal(parseNodeToken(text), undefined, text);
});
