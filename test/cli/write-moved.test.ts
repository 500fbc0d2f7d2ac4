import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { describeMoved, writeMoved } from '../../src/cli/write-moved.ts';

const root = mkdtempSync(join(tmpdir(), 'attache-moved-'));
after(() => rmSync(root, { recursive: true }));
const moved = (name: string) => ({ name, named: false, file: `${name}.yaml`, text: `${name}\n` });

test('documents are written into a folder that is made, for their owner alone', () => {
  const folder = join(root, 'a', 'b');
  const paths = writeMoved(folder, [moved('one'), moved('two')]);
  assert.deepEqual(paths, [join(folder, 'one.yaml'), join(folder, 'two.yaml')]);
  assert.equal(readFileSync(paths[0] ?? '', 'utf8'), 'one\n');
  assert.equal(statSync(paths[0] ?? '').mode & 0o777, 0o600);
});

test('where one of them is there already, none is written', () => {
  const folder = join(root, 'c');
  writeMoved(folder, [moved('two')]);
  writeFileSync(join(folder, 'two.yaml'), 'mine\n');
  assert.throws(() => writeMoved(folder, [moved('one'), moved('two')]), { code: 'bad-file' });
  assert.equal(existsSync(join(folder, 'one.yaml')), false);
  assert.equal(readFileSync(join(folder, 'two.yaml'), 'utf8'), 'mine\n');
});

test('what comes next can be pasted; without a label it says who gets the listeners', () => {
  assert.match(describeMoved('dir', ['dir/a.yaml'], true), /\n {8}attache apply -f dir\n/);
  assert.match(describeMoved('dir', ['dir/a.yaml'], false), /every node of the namespace/);
});
