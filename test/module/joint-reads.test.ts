import assert from 'node:assert/strict';
import type { FileHandle } from 'node:fs/promises';
import { test } from 'node:test';
import { JointReads } from '../../src/module/joint-reads.ts';

const CHUNK = 4;

/** A file of the numbers 0 to 99 that counts how often it is read, and may break. */
function makeFile() {
  const file = {
    reads: 0,
    isBroken: false,
    async read(buffer: Buffer, _offset: number, length: number, position: number) {
      file.reads++;
      if (file.isBroken) throw new Error('the disk is gone');
      const bytes = Array.from({ length: 100 }, (_, i) => i).slice(position, position + length);
      buffer.set(bytes);
      return { bytesRead: bytes.length, buffer };
    },
  };
  return { file, handle: file as unknown as FileHandle };
}

test('while several are sent a blob, each of its chunks is read once, and right', async () => {
  const reads = new JointReads();
  const { file, handle } = makeFile();
  for (let reader = 0; reader < 3; reader++) reads.join('a');
  const chunks = await Promise.all([8, 8, 12, 8].map(at => reads.read('a', handle, at, CHUNK)));
  assert.deepEqual(
    chunks.map(chunk => [...chunk]),
    [
      [8, 9, 10, 11],
      [8, 9, 10, 11],
      [12, 13, 14, 15],
      [8, 9, 10, 11],
    ],
  );
  assert.equal(file.reads, 2);
});

test('other blobs have chunks of their own', async () => {
  const reads = new JointReads();
  const [one, other] = [makeFile(), makeFile()];
  for (const blob of ['a', 'a', 'b', 'b']) reads.join(blob);
  await reads.read('a', one.handle, 0, CHUNK);
  await reads.read('b', other.handle, 0, CHUNK);
  assert.deepEqual([one.file.reads, other.file.reads], [1, 1]);
});

test('nothing is kept for who is alone, and nothing when the others have left', async () => {
  const reads = new JointReads();
  const { file, handle } = makeFile();
  const leave = reads.join('a');
  await reads.read('a', handle, 0, CHUNK);
  await reads.read('a', handle, 0, CHUNK);
  assert.equal(file.reads, 2);
  reads.join('a');
  await reads.read('a', handle, 0, CHUNK);
  await reads.read('a', handle, 0, CHUNK);
  assert.equal(file.reads, 3);
  leave();
  reads.join('a');
  await reads.read('a', handle, 0, CHUNK);
  assert.equal(file.reads, 4, 'the chunk of before had been let go');
});

test('what is held is bounded: the oldest chunk goes first', async () => {
  const reads = new JointReads();
  const { file, handle } = makeFile();
  for (let reader = 0; reader < 2; reader++) reads.join('a');
  for (let chunk = 0; chunk <= 16; chunk++) await reads.read('a', handle, chunk * CHUNK, CHUNK);
  await reads.read('a', handle, 16 * CHUNK, CHUNK);
  assert.equal(file.reads, 17);
  await reads.read('a', handle, 0, CHUNK);
  assert.equal(file.reads, 18);
});

test('a read that failed is not kept, and the end of the file is no chunk', async () => {
  const reads = new JointReads();
  const { file, handle } = makeFile();
  for (let reader = 0; reader < 2; reader++) reads.join('a');
  file.isBroken = true;
  await assert.rejects(reads.read('a', handle, 0, CHUNK), /the disk is gone/);
  file.isBroken = false;
  assert.deepEqual([...(await reads.read('a', handle, 0, CHUNK))], [0, 1, 2, 3]);
  assert.deepEqual([...(await reads.read('a', handle, 98, CHUNK))], [98, 99]);
  assert.equal((await reads.read('a', handle, 100, CHUNK)).length, 0);
});
