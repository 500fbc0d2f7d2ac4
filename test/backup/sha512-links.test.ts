import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  readSha512Links,
  restoreSha512Links,
  SHA512_LINKS,
  SHA512_LIST,
} from '../../src/backup/sha512-links.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-links-'));
after(() => rmSync(folder, { recursive: true }));

const [NAME, OTHER, TARGET] = ['a'.repeat(128), 'b'.repeat(128), 'c'.repeat(64)];

/** A data directory as restored from a backup, with this list in it. */
function restored(name: string, list?: string): string {
  const directory = join(folder, name);
  mkdirSync(join(directory, 'modules'), { recursive: true });
  if (list !== undefined) writeFileSync(join(directory, SHA512_LIST), list);
  return directory;
}

test('links are listed, and made again from the list, which goes', async () => {
  const directory = restored('good', JSON.stringify({ [OTHER]: TARGET, [NAME]: TARGET }));
  assert.equal(await restoreSha512Links(directory), true);
  const links = join(directory, SHA512_LINKS);
  assert.deepEqual(readdirSync(links).sort(), [NAME, OTHER]);
  assert.equal(readlinkSync(join(links, NAME)), `../sha256/${TARGET}`);
  assert.ok(!existsSync(join(directory, SHA512_LIST)));

  writeFileSync(join(links, 'of-somebody-else'), '');
  const again = restored('again', (await readSha512Links(directory))?.toString());
  await restoreSha512Links(again);
  assert.deepEqual(readdirSync(join(again, SHA512_LINKS)).sort(), [NAME, OTHER]);
});

test('without links there is no list, and without a list there are no links', async () => {
  const directory = restored('none');
  assert.equal(await readSha512Links(directory), undefined);
  assert.equal(await restoreSha512Links(directory), false);
  assert.deepEqual(readdirSync(join(directory, 'modules')), []);
});

test('a list that would make other links than to blobs is refused', async () => {
  const lists = {
    'no-json': '{',
    null: 'null',
    'a-name': JSON.stringify({ '../../x': TARGET }),
    'a-target': JSON.stringify({ [NAME]: '/etc/passwd' }),
    'no-text': JSON.stringify({ [NAME]: 7 }),
  };
  for (const [name, list] of Object.entries(lists)) {
    const directory = restored(name, list);
    await assert.rejects(restoreSha512Links(directory), { code: 'no-backup' }, name);
    assert.deepEqual(readdirSync(join(directory, SHA512_LINKS)), [], name);
  }
});
