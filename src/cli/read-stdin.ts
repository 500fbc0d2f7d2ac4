import { readSync } from 'node:fs';

/** How long the thread rests where nothing is there yet, ms. */
const REST_MS = 20;

/**
 * All of stdin as text, once its writer is done. Somebody looked at `process.stdin` before us (loading commander does),
 * which makes a pipe non-blocking: a plain read then fails with EAGAIN while `kubectl get … |` still thinks.
 */
export function readStdin(): string {
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(65_536);
  for (;;) {
    const length = readSome(buffer);
    if (length === 0) return Buffer.concat(chunks).toString('utf8');
    if (length > 0) chunks.push(Buffer.from(buffer.subarray(0, length)));
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REST_MS);
  }
}

/** 0 at the end, -1 where nothing is there yet. */
function readSome(buffer: Buffer): number {
  try {
    return readSync(0, buffer);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return -1;
    // Windows ends a pipe so.
    if (code === 'EOF') return 0;
    throw error;
  }
}
