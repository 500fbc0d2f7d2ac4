import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { EXTENSION_CONFIG_TYPE } from '../../../src/model/type-url.ts';
import type { AttacheProcess } from '../../harness/attache-process.ts';

/** Counts the NACKs of slots that Attaché logs from now on. */
export interface NackWatch {
  count(): Promise<number>;
  /** No push of a slot followed the last NACK. Pushes are in the log at the level debug. */
  isUnanswered(): Promise<boolean>;
}

/** Reads only what is new in the log: it is asked every few milliseconds. */
export async function watchNacks(attache: AttacheProcess): Promise<NackWatch> {
  const path = join(attache.folder, 'attache.log');
  let offset = Buffer.byteLength(await attache.log());
  let rest = '';
  let nacks = 0;
  let unanswered = false;
  const see = (line: string) => {
    if (line.includes('"msg":"pushed"')) unanswered = false;
    if (!line.includes('"msg":"NACK"') || !line.includes(EXTENSION_CONFIG_TYPE)) return;
    nacks++;
    unanswered = true;
  };
  const read = async () => {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const piece = Buffer.alloc(size - offset);
      const { bytesRead } = await file.read(piece, 0, piece.length, offset);
      offset += bytesRead;
      const lines = (rest + piece.toString('utf8', 0, bytesRead)).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(see);
    } finally {
      await file.close();
    }
  };
  return {
    async count() {
      await read();
      return nacks;
    },
    async isUnanswered() {
      await read();
      return unanswered;
    },
  };
}
