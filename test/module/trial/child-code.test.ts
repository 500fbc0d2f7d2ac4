import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChildEntry, readChildCode, toFrame } from '../../../src/module/trial/child-code.ts';

async function readSources(entry: ChildEntry) {
  const frame = Buffer.from(await readChildCode(entry));
  assert.equal(frame.readUInt32LE(0), frame.length - 4);
  const { entry: first, sources } = JSON.parse(frame.toString('utf8', 4)) as {
    entry: string;
    sources: Record<string, string>;
  };
  return { first, sources };
}

for (const entry of ['trial-entry', 'stream-entry'] as const)
  test(`all that ${entry} imports is sent with it, and it imports nothing else but Node's own`, async () => {
    const { first, sources } = await readSources(entry);
    assert.match(first, new RegExp(`/src/module/trial/${entry}\\.ts$`));
    assert.ok(first in sources);
    assert.ok(Object.keys(sources).length > 10);
    for (const [url, source] of Object.entries(sources)) {
      assert.match(url, /\/src\/module\/trial\//, 'what Envoys do is told in one folder');
      for (const [, from = ''] of source.matchAll(/\b(?:from|import)\s*\(?'([^']+)'/g))
        assert.ok(from.startsWith('node:') || new URL(from, url).href in sources, `${url} imports ${from}`);
    }
  });

test('it is read once', async () => {
  assert.equal(await readChildCode('trial-entry'), await readChildCode('trial-entry'));
});

test('a frame says how long it is in bytes, not in characters', () => {
  assert.deepEqual(Buffer.from(toFrame({ a: 'ß' })), Buffer.from('\x0a\0\0\0{"a":"ß"}'));
});
