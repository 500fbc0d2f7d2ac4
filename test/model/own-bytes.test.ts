import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { ownBytes } from '../../src/model/own-bytes.ts';
import { CLUSTER_TYPE } from '../../src/model/type-url.ts';

test('a copy keeps no more memory than its bytes', () => {
  const shared = Buffer.from('some bytes');
  assert.ok(shared.buffer.byteLength > shared.length, 'node:buffer hands out parts of larger pieces');
  const own = ownBytes(shared);
  assert.deepEqual([...own], [...shared]);
  assert.equal(own.buffer.byteLength, shared.length);
});

test('what is compiled is kept for long, and keeps nothing else', () => {
  const bytes = new ProtoRegistry().encode(CLUSTER_TYPE, { name: 'app' });
  assert.equal(bytes.buffer.byteLength, bytes.length);
});
