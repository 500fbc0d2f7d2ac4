/** Headers of tar archives. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
export const TAR_BLOCK = 512;

/** A regular file: its header is TAR_BLOCK bytes, its contents are filled up to a multiple of that. */
export interface TarFile {
  /** At most 100 bytes. */
  readonly name: string;
  /** Below 8 GiB. */
  readonly sizeBytes: number;
}

/** Byte for byte the same for the same arguments: owner 0. `mtime` in seconds. */
export function toTarHeader({ name, sizeBytes }: TarFile, mode: number, mtime: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, offset: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
  header.write(name, 0, 100, 'utf8');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(mtime, 136, 12);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${toChecksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** What toTarHeader wrote; undefined: anything else. */
export function readTarHeader(header: Buffer): TarFile | undefined {
  const octal = (offset: number, width: number) =>
    Number.parseInt(header.toString('latin1', offset, offset + width - 1), 8);
  if (header.length !== TAR_BLOCK || octal(148, 7) !== toChecksum(header)) return undefined;
  const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '');
  return { name, sizeBytes: octal(124, 12) };
}

/** How many bytes of nothing follow contents of that size. */
export function toTarPadding(sizeBytes: number): number {
  return (TAR_BLOCK - (sizeBytes % TAR_BLOCK)) % TAR_BLOCK;
}

/** Taken with blanks in its own place. */
function toChecksum(header: Buffer): number {
  return header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}
