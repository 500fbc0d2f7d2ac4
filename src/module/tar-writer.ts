const BLOCK = 512;

/**
 * A tar archive of one regular file, byte for byte the same for the same arguments: owner 0, mode 0644. `mtime` in
 * seconds; the name has at most 100 bytes. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export function writeTar(name: string, bytes: Uint8Array, mtime: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
  header.write(name, 0, 100, 'utf8');
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(mtime, 136, 12);
  // The checksum is taken with blanks in its own place.
  header.write('        0', 148, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, bytes, padding, Buffer.alloc(2 * BLOCK)]);
}
