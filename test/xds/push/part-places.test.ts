import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPart } from '../../../src/xds/push/part-places.ts';

for (const count of [0, 1, 16, 17, 60])
  test(`among ${count} parts each is found where it stands, and what is none of them nowhere`, () => {
    const parts = Array.from({ length: count }, (_, i) => ({ plugin: `default/p-${i}`, revision: 1 }));
    assert.deepEqual(
      parts.map(({ plugin }) => findPart(parts, plugin)),
      parts.map((_, i) => i),
    );
    assert.equal(findPart(parts, 'default/other'), -1);
  });
