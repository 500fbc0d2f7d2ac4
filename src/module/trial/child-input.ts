import { readSync } from 'node:fs';

/** The next frame of what a child is told on stdin, without its size; undefined: nothing follows. Blocks. Throws where it is cut. */
export function readFrame(): Buffer | undefined {
  const size = read(4);
  if (size === undefined) return undefined;
  const content = read(size.readUInt32LE(0));
  if (content === undefined) throw new Error('what it was told is cut off');
  return content;
}

/** Undefined at the end, and where less than all of it is there. */
function read(size: number): Buffer | undefined {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const count = readSync(0, bytes, at, size - at, null);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}
