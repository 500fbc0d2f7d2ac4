/** docs/upgrading.md against the code: the numbers of this release. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMPILE_FORMAT } from '../src/compile/compile-format.ts';
import { BACKUP_FORMAT } from '../src/model/backup.ts';
import { SCHEMA_STEPS } from '../src/store/migrations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

test('the table of versions has the numbers of this release', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const row = read('docs/upgrading.md')
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
    .find(([, release]) => release === version);
  assert.deepEqual(row?.slice(2, 5), [SCHEMA_STEPS.length, BACKUP_FORMAT, COMPILE_FORMAT].map(String));
});

test('the unit for systemd starts what the settings beside it are for', () => {
  const unit = read('examples/attache.service');
  assert.match(unit, /^ExecStart=\S+\/attache serve --config \/etc\/attache\/attache\.yaml$/m);
  assert.match(read('examples/attache.yaml'), /^data: \/var\/lib\/attache$/m);
  assert.match(unit, /^Environment=ATTACHE_DATA=\/var\/lib\/attache /m);
});
