import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { Clock, RandomHex } from './model/ports.ts';
import type { ServerMachine } from './model/server-machine.ts';

/** What of the machine and of this program the rest is given. */

export const clock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export const random: RandomHex = bytes => randomBytes(bytes).toString('hex');

/** `1.0.0`, of this package. */
export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

/** `directory`: of the disk that counts. */
export async function readMachine(directory: string): Promise<ServerMachine> {
  const runtime = process.versions.node;
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    return { runtime, disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize } };
  } catch {
    return { runtime, disk: null };
  }
}
