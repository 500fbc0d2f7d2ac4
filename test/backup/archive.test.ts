import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ArchivePart, toArchiveSize, writeArchive } from '../../src/backup/archive.ts';
import { checkBackup, readBackup } from '../../src/backup/read-backup.ts';
import { BACKUP_MANIFEST, type BackupManifest, parseBackupManifest } from '../../src/model/backup.ts';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { readTarHeader, toTarHeader } from '../../src/model/tar-header.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-archive-'));
after(() => rmSync(folder, { recursive: true }));

const manifest = (files: BackupManifest['files'], over: object = {}): BackupManifest => ({
  ...{ format: 1, version: '0.1.0', createdAt: 0, revision: 7, schema: 1, records: {}, withoutKeys: false },
  files,
  ...over,
});

const toPart = (name: string, bytes: Buffer): ArchivePart => ({
  name,
  sizeBytes: bytes.length,
  open: async function* () {
    yield bytes.subarray(0, 1);
    yield bytes.subarray(1);
  },
});

async function write(name: string, parts: readonly ArchivePart[]): Promise<string> {
  const path = join(folder, name);
  const bytes = await Array.fromAsync(writeArchive(parts, 1_000));
  const whole = Buffer.concat(bytes);
  assert.equal(whole.length, toArchiveSize(parts));
  writeFileSync(path, whole);
  return path;
}

const BODY = Buffer.from('x'.repeat(700));
const LISTED = [{ path: 'attache.db', sizeBytes: BODY.length, sha256: sha256Hex(BODY) }];
const toManifestPart = (value: BackupManifest) => toPart(BACKUP_MANIFEST, Buffer.from(JSON.stringify(value)));

test('what is written is a tar that any tar reads, and that we read', async () => {
  const path = await write('good.tar', [toManifestPart(manifest(LISTED)), toPart('attache.db', BODY)]);
  assert.equal(execFileSync('tar', ['-xOf', path, 'attache.db'], { encoding: 'utf8' }), BODY.toString());
  const taken: Buffer[] = [];
  const read = await readBackup(path, async (_, bytes) => {
    for await (const one of bytes) taken.push(Buffer.from(one));
  });
  assert.equal(read.revision, 7);
  assert.deepEqual(Buffer.concat(taken), BODY);
});

test('a part of another size than it said ends the archive', async () => {
  for (const sizeBytes of [699, 701]) {
    const parts = [{ ...toPart('attache.db', BODY), sizeBytes }];
    await assert.rejects(Array.fromAsync(writeArchive(parts, 0)), /changed its size/);
  }
});

test('a file that is missing, added, renamed or changed is found', async () => {
  const other = Buffer.from('y'.repeat(700));
  const cases = {
    missing: { parts: [], code: 'no-backup' },
    renamed: { parts: [toPart('attache.dc', BODY)], code: 'no-backup' },
    added: { parts: [toPart('attache.db', BODY), toPart('b', BODY)], code: 'no-backup' },
    changed: { parts: [toPart('attache.db', other)], code: 'backup-damaged' },
  };
  for (const [name, { parts, code }] of Object.entries(cases)) {
    const path = await write(`${name}.tar`, [toManifestPart(manifest(LISTED)), ...parts]);
    await assert.rejects(checkBackup(path), { code }, name);
  }
});

test('paths that lead out of the directory, or hide in it, are no part of a backup', () => {
  const sha256 = 'a'.repeat(64);
  const parse = (path: string) =>
    parseBackupManifest(JSON.stringify(manifest([{ path, sizeBytes: 1, sha256 }])));
  for (const path of ['../x', '/etc/x', 'a/../b', '.hidden', 'a//b', 'a/.b', '', 'a\n', 'a'.repeat(101)])
    assert.throws(() => parse(path), { code: 'no-backup' }, JSON.stringify(path));
  assert.throws(() => parse(`modules/blobs/sha256/${'b'.repeat(64)}`), { code: 'no-backup' });
  assert.equal(parse(`modules/blobs/sha256/${sha256}`).files.length, 1);
});

test('a later format and a later schema are told apart from damage', async () => {
  assert.throws(() => parseBackupManifest(JSON.stringify(manifest(LISTED, { format: 2 }))), {
    code: 'backup-newer',
  });
  const path = await write('newer.tar', [toManifestPart(manifest(LISTED, { schema: 99 }))]);
  await assert.rejects(checkBackup(path), { code: 'store-newer' });
});

test('a header is read back, and one with a wrong sum is none', () => {
  const file = { name: 'modules/index.json', sizeBytes: 4_294_967_296 };
  const header = toTarHeader(file, 0o600, 1);
  assert.deepEqual(readTarHeader(header), file);
  header[3] = 0x2e;
  assert.equal(readTarHeader(header), undefined);
  assert.equal(readTarHeader(Buffer.alloc(512)), undefined);
});
