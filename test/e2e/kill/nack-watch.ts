import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { EXTENSION_CONFIG_TYPE } from '../../../src/model/type-url.ts';
import type { AttacheProcess } from '../../harness/attache-process.ts';

/** Counts the NACKs of slots that Attaché logs from now on. */
export interface NackWatch {
  count(): Promise<number>;
}

/** Reads only what is new in the log: it is asked every few milliseconds. */
export async function watchNacks(attache: AttacheProcess): Promise<NackWatch> {
  const path = join(attache.folder, 'attache.log');
  let offset = Buffer.byteLength(await attache.log());
  let rest = '';
  let nacks = 0;
  return {
    async count() {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const piece = Buffer.alloc(size - offset);
        const { bytesRead } = await file.read(piece, 0, piece.length, offset);
        offset += bytesRead;
        const lines = (rest + piece.toString('utf8', 0, bytesRead)).split('\n');
        rest = lines.pop() ?? '';
        nacks += lines.filter(
          line => line.includes('"msg":"NACK"') && line.includes(EXTENSION_CONFIG_TYPE),
        ).length;
      } finally {
        await file.close();
      }
      return nacks;
    },
  };
}
