import { TAR_BLOCK, toTarHeader, toTarPadding } from '../model/tar-header.ts';

/** A tar archive of one regular file, of mode 0644, byte for byte the same for the same arguments; see tar-header.ts. */
export function writeTar(name: string, bytes: Uint8Array, mtime: number): Buffer {
  const header = toTarHeader({ name, sizeBytes: bytes.length }, 0o644, mtime);
  return Buffer.concat([
    header,
    bytes,
    Buffer.alloc(toTarPadding(bytes.length)),
    Buffer.alloc(2 * TAR_BLOCK),
  ]);
}
