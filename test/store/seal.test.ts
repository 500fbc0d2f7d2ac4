import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSeal, loadSealKey } from '../../src/store/seal.ts';

const random = (bytes: number) => randomBytes(bytes).toString('hex');

test('what was closed opens with the same key, about the same thing', () => {
  const seal = createSeal(randomBytes(32), random);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, about) => {
      const sealed = seal.close(text, about);
      assert.equal(seal.open(sealed, about), Buffer.from(text).toString());
      assert.notEqual(seal.close(text, about), sealed, 'no two are the same');
    }),
  );
});

test('another key, another subject, other bytes and no bytes do not open', () => {
  const seal = createSeal(Buffer.alloc(32, 1), random);
  const sealed = seal.close('hunter2', 'PullSecret default/a');
  assert.equal(createSeal(Buffer.alloc(32, 2), random).open(sealed, 'PullSecret default/a'), undefined);
  assert.equal(seal.open(sealed, 'PullSecret default/b'), undefined);
  const bytes = Buffer.from(sealed, 'base64');
  for (const at of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(seal.open(changed.toString('base64'), 'PullSecret default/a'), undefined, `byte ${at}`);
  }
  for (const text of ['', 'AAAA', 'no base64 at all']) assert.equal(seal.open(text, ''), undefined);
});

test('the key is made once, for its owner alone; a file that is no key is not written over', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'attache-seal-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'secret-key');
  const first = await loadSealKey(path, random);
  assert.equal(first.length, 32);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await loadSealKey(path, random), first);
  await writeFile(path, 'short');
  await assert.rejects(loadSealKey(path, random), { code: 'secret-key-failed' });
  assert.equal(await readFile(path, 'utf8'), 'short');
  await assert.rejects(loadSealKey(join(directory, 'none', 'key'), random), { code: 'secret-key-failed' });
});
