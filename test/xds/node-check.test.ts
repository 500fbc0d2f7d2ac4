import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs/minimal.js';
import { checkNode } from '../../src/xds/node-check.ts';

/** A Node message with these fields, all of them text, in this order. */
function node(...fields: readonly (readonly [number, string])[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [field, text] of fields) writer.uint32((field << 3) | 2).string(text);
  return Buffer.from(writer.finish());
}

test('1. a request without a node, or with the same one, goes on, wherever its id stands', () => {
  checkNode(undefined, 'edge-1');
  checkNode(node([1, 'edge-1'], [2, 'edge']), 'edge-1');
  checkNode(node([2, 'edge'], [1, 'edge-1']), 'edge-1');
});

test('1. another node does not, nor one without a name', () => {
  const table: readonly [Uint8Array, string][] = [
    [node([1, 'edge-2'], [2, 'edge-1']), 'node-changed'],
    [node([2, 'edge-1'], [1, 'edge-2']), 'node-changed'],
    [node([2, 'edge-1']), 'node-id-missing'],
    [node(), 'node-id-missing'],
    [Buffer.from('ff', 'hex'), 'malformed-message'],
  ];
  for (const [bytes, code] of table) assert.throws(() => checkNode(bytes, 'edge-1'), { code });
});
