import { TAR_BLOCK, type TarFile, toTarHeader, toTarPadding } from '../model/tar-header.ts';

/** A file of an archive that is written. */
export interface ArchivePart extends TarFile {
  open(): AsyncIterable<Uint8Array>;
}

const MODE = 0o600;

/** How many bytes writeArchive gives. */
export function toArchiveSize(files: readonly TarFile[]): number {
  const sizes = files.map(({ sizeBytes }) => TAR_BLOCK + sizeBytes + toTarPadding(sizeBytes));
  return sizes.reduce((sum, size) => sum + size, 2 * TAR_BLOCK);
}

/** A tar of the parts in their order. Throws where one gives another size than it said: nothing of it can be trusted. */
export async function* writeArchive(
  parts: readonly ArchivePart[],
  mtimeMs: number,
): AsyncGenerator<Uint8Array, void, void> {
  for (const part of parts) {
    yield toTarHeader(part, MODE, Math.floor(mtimeMs / 1000));
    let leftBytes = part.sizeBytes;
    for await (const bytes of part.open()) {
      leftBytes -= bytes.length;
      if (leftBytes < 0) break;
      yield bytes;
    }
    if (leftBytes !== 0) throw new Error(`${part.name} changed its size while it was read`);
    yield Buffer.alloc(toTarPadding(part.sizeBytes));
  }
  yield Buffer.alloc(2 * TAR_BLOCK);
}
