import type { FileHandle } from 'node:fs/promises';

/** 1 MiB of chunks: a fleet that begins at once stays close together. */
const MOST_CHUNKS = 16;

/**
 * Reads blobs for all who are sent them: while several are sent the same one, each chunk of it is read once. 1 MiB to 500
 * Envoys at once takes 0.6 s of CPU so, and 1.6 s where each has reads of its own (npm run bench:serve-modules). Holds at
 * most MOST_CHUNKS, and none of a blob that fewer than two are sent: then the disk is asked anew.
 */
export class JointReads {
  /** Oldest first. */
  readonly #chunks = new Map<string, Promise<Buffer>>();
  readonly #readers = new Map<string, number>();

  /** One more is sent this blob, until the answer is called, once. */
  join(sha256: string): () => void {
    this.#readers.set(sha256, (this.#readers.get(sha256) ?? 0) + 1);
    return () => {
      const left = (this.#readers.get(sha256) ?? 1) - 1;
      if (left > 0) this.#readers.set(sha256, left);
      else this.#readers.delete(sha256);
      if (left < 2)
        for (const key of this.#chunks.keys()) if (key.startsWith(sha256)) this.#chunks.delete(key);
    };
  }

  /** Up to `length` bytes; fewer where the file ends. They are not to be changed. */
  read(sha256: string, file: FileHandle, position: number, length: number): Promise<Buffer> {
    if ((this.#readers.get(sha256) ?? 0) < 2) return readChunk(file, position, length);
    const key = `${sha256} ${position} ${length}`;
    const known = this.#chunks.get(key);
    if (known !== undefined) return known;
    const chunk = readChunk(file, position, length);
    this.#chunks.set(key, chunk);
    chunk.catch(() => this.#chunks.delete(key));
    const [oldest] = this.#chunks.keys();
    if (this.#chunks.size > MOST_CHUNKS && oldest !== undefined) this.#chunks.delete(oldest);
    return chunk;
  }
}

export async function readChunk(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
