/** docs/migrating.md against the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const page = read('docs/migrating.md');

test('every reason why a document becomes no plugin has a line with a way out', () => {
  const union = /export type ConvertErrorCode =([^;]*);/.exec(read('src/model/convert-error.ts'))?.[1] ?? '';
  const codes = [...union.matchAll(/'([^']+)'/g)].map(([, code]) => code);
  assert.ok(codes.length >= 7);
  assert.deepEqual(
    codes.filter(code => !page.includes(`| [${code}](errors.md#${code})`)),
    [],
  );
});

test('every kind that is converted has its part of the page', () => {
  const source = read('src/model/convert/convert-documents.ts');
  const kinds = [...source.matchAll(/\{ kind: '(\w+)', group:/g)].map(([, kind = '']) => kind);
  assert.ok(kinds.length >= 6);
  assert.deepEqual(
    kinds.filter(kind => !page.includes(kind)),
    [],
  );
});

test('what the page shows of the report is what a report says', () => {
  const [, shown = ''] = /```\n(They select [\s\S]*?)```/.exec(page) ?? [];
  assert.notEqual(shown, '');
  assert.ok(read('test/fixtures/convert/envoy-filter-remote.golden.txt').endsWith(shown));
});
