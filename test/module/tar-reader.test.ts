import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { ModuleError } from '../../src/module/module-error.ts';
import { readTar } from '../../src/module/tar-reader.ts';
import { InflateBudget, unpackModule } from '../../src/module/unpack.ts';
import { makeDirectory, makeModule } from './actors.ts';

/** A ustar archive of regular files. */
function buildTar(
  files: readonly { path: string; bytes: Uint8Array; type?: string; size?: number }[],
): Buffer {
  const blocks = files.flatMap(({ path, bytes, type = '0', size = bytes.length }) => {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write('0000644\0', 100);
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** In pieces of this size. */
async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(archive: Uint8Array, size?: number): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { path, chunks } of readTar(pieces(archive, size))) {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    files[path] = Buffer.concat(parts).toString('latin1');
  }
  return files;
}

const rejects = (job: Promise<unknown>, code: string) =>
  assert.rejects(job, (error: unknown) => {
    assert.ok(error instanceof ModuleError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });

test('reads what tar writes: long names, deep paths, empty files, PAX and GNU', async t => {
  const directory = await makeDirectory(t);
  const files: Record<string, string> = {
    'plugin.wasm': 'x'.repeat(1000),
    empty: '',
    [`${'deep/'.repeat(40)}end`]: 'deep',
    [`dir/${'n'.repeat(150)}`]: 'long name',
    'dir/ümlaut': 'utf-8',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, 'in', path)), { recursive: true });
    await writeFile(join(directory, 'in', path), text, 'latin1');
  }
  for (const format of ['gnu', 'pax', 'ustar']) {
    const names = format === 'ustar' ? ['plugin.wasm', 'empty'] : ['.'];
    const archive = execFileSync('tar', [
      '-C',
      join(directory, 'in'),
      `--format=${format}`,
      '-cf',
      '-',
      ...names,
    ]);
    const expected = Object.fromEntries(
      Object.entries(files).filter(([path]) => names.includes('.') || names.includes(path)),
    );
    assert.deepEqual(await readAll(archive), expected, format);
  }
});

test('however the stream is cut into pieces, the files are the same', async () => {
  const bytes = fc.uint8Array({ maxLength: 1500 });
  const file = fc.record({ path: fc.stringMatching(/^[a-z]{1,20}$/), bytes });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(file, { selector: one => one.path, maxLength: 5 }),
      fc.integer({ min: 1, max: 700 }),
      async (files, size) => {
        const expected = Object.fromEntries(
          files.map(one => [one.path, Buffer.from(one.bytes).toString('latin1')]),
        );
        assert.deepEqual(await readAll(buildTar(files), size), expected);
      },
    ),
    { numRuns: 50 },
  );
});

test('links, devices and directories are no files', async () => {
  const types = ['1', '2', '3', '4', '5', '6'].map(type => ({
    path: `t${type}/plugin.wasm`,
    bytes: Buffer.alloc(0),
    type,
  }));
  assert.deepEqual(await readAll(buildTar([...types, { path: 'real', bytes: Buffer.from('r') }])), {
    real: 'r',
  });
});

test('damaged archives are refused: checksum, cut off, sizes beyond the end', async () => {
  const good = buildTar([{ path: 'a', bytes: Buffer.alloc(2000, 1) }]);
  await rejects(readAll(good.subarray(0, 1500)), 'bad-archive');
  await rejects(readAll(Buffer.from(good).fill(0x39, 3, 4)), 'bad-archive');
  await rejects(
    readAll(buildTar([{ path: 'a', bytes: Buffer.alloc(10), size: 2 ** 33 - 1 }])),
    'bad-archive',
  );
});

test('any bytes whatsoever end with files or bad-archive', async () => {
  const good = buildTar([{ path: 'a', bytes: Buffer.alloc(600, 1) }]);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), async (at, byte) => {
      await readAll(Buffer.from(good).fill(byte, at, at + 1)).catch(error => {
        assert.ok(error instanceof ModuleError && error.code === 'bad-archive', String(error));
      });
    }),
    { numRuns: 100 },
  );
});

const [ONE, TWO] = [makeModule('one'), makeModule('two')];

test('a module is found plain, compressed, in a tar and in a compressed tar', async () => {
  const tar = buildTar([{ path: './plugin.wasm', bytes: ONE }]);
  for (const packed of [ONE, gzipSync(ONE), zstdCompressSync(ONE), tar, gzipSync(tar), zstdCompressSync(tar)])
    for (const size of [7, 100_000])
      assert.deepEqual((await unpackModule(pieces(packed, size)))?.bytes, Buffer.from(ONE));
});

test('plugin.wasm at the root wins, then anywhere, then the only .wasm; several are ambiguous', async () => {
  const find = async (...names: readonly string[]) => {
    const files = names.map((path, i) => ({ path, bytes: i === names.length - 1 ? TWO : ONE }));
    const found = await unpackModule(pieces(buildTar(files)));
    return found && Buffer.compare(found.bytes, TWO) === 0 ? 'last' : found?.found;
  };
  assert.equal(await find('a.wasm', 'dir/plugin.wasm', 'plugin.wasm'), 'last');
  assert.equal(await find('plugin.wasm', 'dir/plugin.wasm'), 'plugin.wasm');
  assert.equal(await find('b.wasm', 'dir/plugin.wasm'), 'last');
  assert.equal(await find('readme', 'etc/only.wasm'), 'last');
  assert.equal(await find('readme'), undefined);
  await rejects(find('a.wasm', 'b.wasm'), 'ambiguous-module');
});

test('an entry that leads out of the archive is refused, a link is not followed', async () => {
  const bytes = makeModule('escape');
  const out = (path: string) => unpackModule(pieces(buildTar([{ path, bytes }])));
  for (const path of ['../plugin.wasm', 'a/../../etc/plugin.wasm', '/../plugin.wasm', './../x.wasm'])
    await assert.rejects(out(path), { code: 'bad-archive' }, path);
  assert.deepEqual((await out('a..b/plugin.wasm'))?.bytes, Buffer.from(bytes));
  // Symbolic and hard links, devices and pipes that are called as the module would be.
  for (const type of ['1', '2', '3', '4', '6'])
    assert.equal(
      await unpackModule(pieces(buildTar([{ path: 'plugin.wasm', bytes: Buffer.alloc(0), type }]))),
      undefined,
    );
});

test('the archives of one artifact share what they may inflate to', async () => {
  const budget = new InflateBudget(5 << 20);
  const zeros = gzipSync(buildTar([{ path: 'zeros', bytes: Buffer.alloc(2 << 20) }]));
  assert.equal(await unpackModule(pieces(zeros), budget), undefined);
  assert.equal(await unpackModule(pieces(zeros), budget), undefined);
  await assert.rejects(unpackModule(pieces(zeros), budget), { code: 'too-big' });
});

test('bombs stop at the limit, damage is an error', async () => {
  await rejects(unpackModule(pieces(gzipSync(Buffer.alloc(40 << 20)))), 'module-too-big');
  await rejects(unpackModule(pieces(gzipSync(ONE).subarray(0, 40))), 'bad-archive');
  const junk = buildTar([{ path: 'junk', bytes: Buffer.alloc(0), size: 300 * 2 ** 20 }]).subarray(0, 512);
  async function* endless() {
    yield junk;
    for (;;) yield Buffer.alloc(1 << 20);
  }
  await rejects(unpackModule(endless()), 'too-big');
});
