/** Every fixture against the output that it has to give: `UPDATE_GOLDEN=1` writes them anew. */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { planDocuments } from '../../src/cli/apply-plan.ts';
import { parseDocuments } from '../../src/cli/read-documents.ts';
import { folder, run } from './run-main.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/convert/', import.meta.url));
const path = (name: string) => join(FIXTURES, name);
const names = globSync('*.yaml', { cwd: FIXTURES }).filter(name => !name.includes('.golden.'));

/** The paths of this machine are none of the output's business. */
const withoutFolder = (text: string) => text.replaceAll(FIXTURES, '');

function compare(file: string, actual: string): void {
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path(file), actual);
  assert.equal(actual, readFileSync(path(file), 'utf8'), file);
}

test('there are fixtures of every form', () => {
  assert.equal(names.length, 7);
});

for (const name of names)
  test(`${name} becomes what it should, and apply takes it`, async () => {
    const { code, out, err } = await run(['convert', '-f', path(name)]);
    const base = basename(name, '.yaml');
    compare(`${base}.golden.yaml`, withoutFolder(out));
    compare(`${base}.golden.txt`, withoutFolder(err));
    assert.equal(code, err.includes('error: ') ? 1 : 0);
    const faults: string[] = [];
    const planned = planDocuments(parseDocuments(out, 'plugins.yaml', faults), undefined);
    assert.deepEqual([faults, planned.faults], [[], []]);
    const json = JSON.parse((await run(['convert', '-f', path(name), '-o', 'json'])).out) as Json;
    assert.deepEqual(
      json.documents.map(({ metadata }) => metadata.name),
      planned.planned.map(({ name }) => name),
    );
  });

interface Json {
  readonly documents: readonly { readonly metadata: { readonly name: string } }[];
  readonly notes: readonly { readonly level: string; readonly code?: string; readonly where: string }[];
}

test('-o json has every note with its level, code and place', async () => {
  const { code, out } = await run(['convert', '-f', path('wasm-plugin-refused.yaml'), '-o', 'json']);
  assert.equal(code, 1);
  const { notes } = JSON.parse(out) as Json;
  assert.deepEqual(
    notes.map(note => [note.level, note.code, withoutFolder(note.where)]),
    [
      ['error', 'file-on-node', 'wasm-plugin-refused.yaml:5:3'],
      ['error', 'network-filter', 'wasm-plugin-refused.yaml:12:3'],
      ['error', 'not-supported', 'wasm-plugin-refused.yaml:18:17'],
      ['error', 'unknown-field', 'wasm-plugin-refused.yaml:26:3'],
      ['error', 'not-a-wasm-filter', 'wasm-plugin-refused.yaml:32:3'],
    ],
  );
});

test('--report takes the report away from stderr, as text or as JSON', async () => {
  for (const file of ['report.txt', 'report.json']) {
    const report = join(folder, file);
    const { code, err } = await run(['convert', '-f', path('wasm-plugin.yaml'), '--report', report]);
    assert.deepEqual([code, err.includes('warning: ')], [0, false]);
    assert.match(err, /^5 plugins of 5 documents, /);
    const text = readFileSync(report, 'utf8');
    if (file.endsWith('.json')) assert.ok((JSON.parse(text) as Json).notes.length > 0);
    else assert.match(text, /warning: .*wasm-plugin\.yaml:\d+:\d+: spec\.match/);
  }
  const bad = await run([
    'convert',
    '-f',
    path('wasm-plugin.yaml'),
    '--report',
    join(folder, 'no', 'report'),
  ]);
  assert.equal(bad.code, 1);
});

test('a namespace is given to documents that name none, and to no other', async () => {
  const { out } = await run(['convert', '-f', path('wasm-plugin.yaml'), '-n', 'edge', '-o', 'json']);
  const { documents } = JSON.parse(out) as { documents: { metadata: { namespace?: string } }[] };
  assert.deepEqual(
    documents.map(({ metadata }) => metadata.namespace),
    ['istio-ingress', 'shop', 'istio-system', 'edge', 'istio-system'],
  );
});

test('where there is nothing to convert, it says so', async () => {
  const file = join(folder, 'service.yaml');
  writeFileSync(file, 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n');
  const { code, out, err } = await run(['convert', '-f', file]);
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /no document holds a plugin/);
});

test('a line break in a document ends no comment', async () => {
  const file = join(folder, 'break.yaml');
  const name = JSON.stringify('a\nkind: Injected\u2028');
  writeFileSync(
    file,
    `apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: ${name}}\nspec: {url: a}\n---\n${readFileSync(path('wasm-plugin.yaml'), 'utf8')}`,
  );
  const { out } = await run(['convert', '-f', file]);
  assert.doesNotMatch(out, /^kind: Injected/m);
  assert.match(out, /^# .*kind: Injected/m);
});
