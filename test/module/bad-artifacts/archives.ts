import { constants, crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { writeTar } from '../../../src/module/tar-writer.ts';
import { makeModule } from '../actors.ts';
import { type Artifact, type BadArtifact, TAR_GZIP } from './artifact.ts';

const MODULE = makeModule('packed');
const END = Buffer.alloc(1024);
const TOO_MANY_HEADERS = 10_001;

/** An entry without what ends the archive. `edit` may change its header before the checksum is made. */
function entry(name: string, bytes: Uint8Array, edit: (header: Buffer) => void = () => {}): Buffer {
  const tar = writeTar(name, bytes, 0).subarray(0, -END.length);
  edit(tar);
  tar.write('        ', 148, 'latin1');
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}

const typed = (type: string, name: string, bytes: Uint8Array = Buffer.alloc(0)): Buffer =>
  entry(name, bytes, header => void header.write(type, 156, 'latin1'));
const linked = (type: string, name: string): Buffer =>
  entry(name, Buffer.alloc(0), header => {
    header.write(type, 156, 'latin1');
    header.write('/etc/passwd', 157, 'latin1');
  });
const tar = (...entries: readonly Buffer[]): Buffer => Buffer.concat([...entries, END]);

const packed = (name: string, code: BadArtifact['code'], layer: () => Buffer): BadArtifact => ({
  name: `archive: ${name}`,
  code,
  build: artifact => artifact.image([artifact.blob(TAR_GZIP, layer())]),
});
/** The same in gzip, as images have it. */
const tarred = (name: string, code: BadArtifact['code'], ...entries: readonly Buffer[]): BadArtifact =>
  packed(name, code, () => gzipSync(tar(...entries)));
const layers = (
  name: string,
  code: BadArtifact['code'],
  make: (artifact: Artifact) => readonly unknown[],
): BadArtifact => ({
  name: `archive: ${name}`,
  code,
  build: artifact => artifact.image(make(artifact)),
});

const MEBIBYTE = Buffer.alloc(1 << 20);

/** gzip of these bytes and as many MiB of zeros, which are compressed once: of 300 MiB it makes 300 KB. */
function zip(bytes: Uint8Array, zeros: number): Buffer {
  const pack = (part: Uint8Array) => deflateRawSync(part, { finishFlush: constants.Z_FULL_FLUSH });
  const trailer = Buffer.alloc(8);
  let sum = crc32(bytes);
  for (let i = 0; i < zeros; i++) sum = crc32(MEBIBYTE, sum);
  trailer.writeUInt32LE(sum, 0);
  trailer.writeUInt32LE(bytes.length + zeros * MEBIBYTE.length, 4);
  const begin = Buffer.from('1f8b0800000000000003', 'hex');
  const last = Buffer.from([3, 0]);
  return Buffer.concat([begin, pack(bytes), ...Array(zeros).fill(pack(MEBIBYTE)), last, trailer]);
}

/** The header of a file of as many MiB. */
const sized = (name: string, mebibytes: number): Buffer =>
  entry(name, Buffer.alloc(0), header => {
    header.write((mebibytes << 20).toString(8).padStart(11, '0'), 124, 'latin1');
  });

export const BAD_ARCHIVES: readonly BadArtifact[] = [
  packed('no bytes', 'not-wasm', () => Buffer.alloc(0)),
  packed('text', 'not-wasm', () => Buffer.from('#!/bin/sh')),
  packed('gzip of nothing', 'not-wasm', () => gzipSync(Buffer.alloc(0))),
  packed('gzip, cut off', 'bad-archive', () => gzipSync(tar(entry('plugin.wasm', MODULE))).subarray(0, -20)),
  packed('gzip, its header alone', 'bad-archive', () => Buffer.from('1f8b08', 'hex')),
  packed('gzip, with a wrong checksum', 'bad-archive', () => {
    const bytes = gzipSync(tar(entry('plugin.wasm', MODULE)));
    bytes.fill(0xff, bytes.length - 8, bytes.length - 4);
    return bytes;
  }),
  packed('gzip, damaged in the middle', 'bad-archive', () => {
    const bytes = gzipSync(
      tar(entry('plugin.wasm', Buffer.concat([MODULE, Buffer.alloc(3_000, 'no repetition, x')]))),
    );
    return bytes.fill(0x55, 40, 60);
  }),
  packed('gzip of gzip', 'not-wasm', () => gzipSync(gzipSync(MODULE))),
  packed('gzip of 300 MB of zeros', 'module-too-big', () => zip(Buffer.alloc(0), 300)),
  packed('gzip of a small entry and one of 300 MB', 'too-big', () =>
    zip(Buffer.concat([entry('notes.txt', Buffer.from('small')), sized('big.bin', 300)]), 301),
  ),
  packed('zstd, cut off', 'bad-archive', () =>
    zstdCompressSync(tar(entry('plugin.wasm', MODULE))).subarray(0, -9),
  ),
  packed('zstd, damaged', 'bad-archive', () =>
    zstdCompressSync(tar(entry('plugin.wasm', MODULE))).fill(0xff, 6, 30),
  ),
  packed('zstd of 300 MB of zeros', 'module-too-big', () => zstdCompressSync(Buffer.alloc(300 << 20))),
  layers('three layers that inflate to 270 MB together', 'too-big', artifact =>
    [1, 2, 3].map(n => artifact.blob(TAR_GZIP, zip(sized(`${n}.bin`, 90), 91))),
  ),
  layers('a layer that says to have 257 MiB', 'too-big', artifact => [
    artifact.blob(TAR_GZIP, MODULE, { size: 257 << 20 }),
  ]),
  layers('layers that say to have 3 GiB together', 'too-big', artifact =>
    Array.from({ length: 12 }, (_, n) => artifact.blob(TAR_GZIP, Buffer.from([n]), { size: 256 << 20 })),
  ),
  packed('tar, with a wrong checksum', 'bad-archive', () =>
    tar(entry('plugin.wasm', MODULE)).fill(0x41, 0, 1),
  ),
  packed('tar, cut off in the module', 'bad-archive', () => entry('plugin.wasm', MODULE).subarray(0, 560)),
  packed('tar, cut off in a header', 'bad-archive', () =>
    Buffer.concat([entry('a', MODULE), entry('plugin.wasm', MODULE).subarray(0, 99)]),
  ),
  tarred('tar, empty but for its end', 'no-module', entry('etc/hostname', Buffer.from('x'))),
  tarred('tar, a directory named plugin.wasm', 'no-module', typed('5', 'plugin.wasm')),
  tarred('tar, plugin.wasm is a symbolic link', 'no-module', linked('2', 'plugin.wasm')),
  tarred('tar, plugin.wasm is a hard link', 'no-module', linked('1', 'plugin.wasm')),
  tarred('tar, plugin.wasm is a device', 'no-module', linked('3', 'plugin.wasm')),
  tarred('tar, plugin.wasm is a pipe', 'no-module', linked('6', 'plugin.wasm')),
  tarred('tar, plugin.wasm.bak', 'no-module', entry('plugin.wasm.bak', MODULE)),
  tarred(
    'tar, a plugin.wasm that a later layer deletes',
    'no-module',
    entry('.wh.plugin.wasm', Buffer.alloc(0)),
  ),
  tarred(
    'tar, two modules of other names',
    'ambiguous-module',
    entry('a.wasm', MODULE),
    entry('b.wasm', MODULE),
  ),
  tarred('tar, ../plugin.wasm', 'bad-archive', entry('../plugin.wasm', MODULE)),
  tarred('tar, a/../../plugin.wasm', 'bad-archive', entry('a/../../plugin.wasm', MODULE)),
  tarred(
    'tar, a PAX path that leads out',
    'bad-archive',
    typed('x', 'p', Buffer.from('23 path=../plugin.wasm\n')),
    entry('a', MODULE),
  ),
  tarred(
    'tar, a PAX record of a false length',
    'bad-archive',
    typed('x', 'p', Buffer.from('99 path=plugin.wasm\n')),
    entry('a', MODULE),
  ),
  tarred(
    'tar, a PAX record of no length',
    'bad-archive',
    typed('x', 'p', Buffer.from('path=plugin.wasm\n')),
    entry('a', MODULE),
  ),
  tarred(
    'tar, a PAX size that is none',
    'bad-archive',
    typed('x', 'p', Buffer.from('12 size=-1\n\n')),
    entry('a', MODULE),
  ),
  tarred(
    'tar, a PAX size beyond the archive',
    'bad-archive',
    typed('x', 'p', Buffer.from('19 size=99999999999\n').subarray(0, 20)),
    entry('plugin.wasm', MODULE),
  ),
  tarred(
    'tar, a size of 2 to the 90th',
    'bad-archive',
    entry('plugin.wasm', MODULE, header => void header.fill(0xff, 124, 136)),
  ),
  tarred(
    'tar, a size that is no number',
    'bad-archive',
    entry('plugin.wasm', MODULE, header => void header.write('9zz', 124, 'latin1')),
  ),
  tarred(
    'tar, a GNU name of 8 KB',
    'bad-archive',
    typed('L', '././@LongLink', Buffer.alloc(8192, 'a')),
    entry('a', MODULE),
  ),
  tarred(
    'tar, a name record of 1 MB',
    'bad-archive',
    typed('L', '././@LongLink', Buffer.alloc(1 << 20, 'a')),
    entry('a', MODULE),
  ),
  tarred(
    'tar, ten thousand entries before it',
    'bad-archive',
    ...Array.from({ length: TOO_MANY_HEADERS }, () => typed('5', 'd')),
    entry('plugin.wasm', MODULE),
  ),
  tarred('tar, a plugin.wasm of 32 MiB', 'module-too-big', entry('plugin.wasm', Buffer.alloc(32 << 20))),
  tarred('tar, a plugin.wasm of no bytes', 'not-wasm', entry('plugin.wasm', Buffer.alloc(0))),
  tarred(
    'tar, plugin.wasm is a component',
    'component',
    entry('plugin.wasm', Buffer.from('0061736d0d000100', 'hex')),
  ),
];
