import type { ServerResponse } from 'node:http';
import type { Clock } from '../model/ports.ts';
import type { OpenBlob } from './blob-cache.ts';
import type { ByteRange } from './byte-range.ts';
import { readChunk } from './joint-reads.ts';
import type { SendTurns } from './send-turns.ts';

const CHUNK_BYTES = 1 << 16;

/** Up to `length` bytes; none: the file ends here. */
type ReadChunk = (position: number, length: number) => Promise<Buffer>;

/** How long a reader may stand still before it is cut off: 10 s and 1 s a megabyte. */
export function toStallLimitMs(sizeBytes: number): number {
  return 10_000 + Math.ceil(sizeBytes / 1_000_000) * 1_000;
}

/**
 * Writes an open blob, or a range of it, as the response body and ends it; resolves when the response is finished or closed. The blob
 * stays open. At most one chunk is held in memory. A reader that takes nothing for toStallLimitMs is cut off. When
 * the file turns out shorter than it said, the response is destroyed: never a body that looks whole. `read`: by default
 * from the blob's file. `turns`: waits for its turn before each piece.
 */
export async function sendBlob(
  response: ServerResponse,
  blob: OpenBlob,
  clock: Clock,
  range: ByteRange = { from: 0, to: blob.sizeBytes - 1 },
  read: ReadChunk = (position, length) => readChunk(blob.file, position, length),
  turns?: SendTurns,
): Promise<void> {
  const limitMs = toStallLimitMs(blob.sizeBytes);
  let cancel = () => {};
  const progress = () => {
    cancel();
    cancel = clock.after(limitMs, () => response.destroy());
  };
  try {
    progress();
    for (let position = range.from; position <= range.to; ) {
      const chunk = await read(position, Math.min(CHUNK_BYTES, range.to + 1 - position));
      if (chunk.length === 0) return void response.destroy();
      await turns?.take();
      if (!(await writeChunk(response, chunk))) return;
      position += chunk.length;
      progress();
    }
    response.end();
    await settled(response, 'finish');
  } finally {
    cancel();
  }
}

/** Resolves when more may be written; false: the connection is gone. */
async function writeChunk(response: ServerResponse, chunk: Buffer): Promise<boolean> {
  if (response.destroyed) return false;
  if (!response.write(chunk)) await settled(response, 'drain');
  return !response.destroyed;
}

function settled(response: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  return new Promise(resolve => {
    if (response.destroyed || (event === 'finish' && response.writableFinished)) return resolve();
    const done = () => {
      response.off(event, done);
      response.off('close', done);
      resolve();
    };
    response.on(event, done);
    response.on('close', done);
  });
}
