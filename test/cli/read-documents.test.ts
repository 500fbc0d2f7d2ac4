import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CliError } from '../../src/cli/cli-error.ts';
import { parseDocuments, readDocuments } from '../../src/cli/read-documents.ts';

const folder = mkdtempSync(join(tmpdir(), 'attache-documents-'));
after(() => rmSync(folder, { recursive: true }));

const PLUGIN = `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: auth}
spec:
  url: oci://127.0.0.1:18002/auth:1.4
  phase: AUTHN
  pluginConf: {realm: 5}
  match:
  - mode: SERVER
  - ports: [{number: 80}]
`;

test('a pointer becomes line and column of the key it names', () => {
  const [document] = parseDocuments(PLUGIN, 'plugin.yaml', []);
  assert.equal(document?.locate('/spec/pluginConf'), 'plugin.yaml:7:3');
  assert.equal(document?.locate('/spec/pluginConf/realm'), 'plugin.yaml:7:16');
  assert.equal(document?.locate('/spec/match/1'), 'plugin.yaml:10:5');
  assert.equal(document?.locate('/spec/match/1/ports/0/number'), 'plugin.yaml:10:14');
  assert.equal(document?.locate(''), 'plugin.yaml:1:1');
});

test('a pointer to what is missing becomes the place of what is around it', () => {
  const [document] = parseDocuments(PLUGIN, 'plugin.yaml', []);
  assert.equal(document?.locate('/spec/sha256'), 'plugin.yaml:4:1');
  assert.equal(document?.locate('/spec/match/7/mode'), 'plugin.yaml:8:3');
});

test('keys with slashes and tildes are found', () => {
  const [document] = parseDocuments('a:\n  x/y: 1\n  p~q: 2\n', 'f', []);
  assert.equal(document?.locate('/a/x~1y'), 'f:2:3');
  assert.equal(document?.locate('/a/p~0q'), 'f:3:3');
});

test('several documents of a file are counted on, empty ones left out', () => {
  const documents = parseDocuments('a: 1\n---\n---\n# nothing\n---\nb: 2\n', 'f', []);
  assert.deepEqual(
    documents.map(document => [document.value, document.locate('')]),
    [
      [{ a: 1 }, 'f:1:1'],
      [{ b: 2 }, 'f:6:1'],
    ],
  );
});

test('JSON is taken too, with positions', () => {
  const [document] = parseDocuments('{\n  "spec": {\n    "url": 5\n  }\n}\n', 'f.json', []);
  assert.deepEqual(document?.value, { spec: { url: 5 } });
  assert.equal(document?.locate('/spec/url'), 'f.json:3:5');
});

test('a folder gives its YAML and JSON files by name', () => {
  const inner = join(folder, 'documents');
  mkdirSync(inner);
  for (const name of ['b.yaml', 'a.json', 'c.yml', 'notes.txt'])
    writeFileSync(join(inner, name), `{"n": "${name}"}`);
  const names = readDocuments([inner]).map(document => (document.value as { n: string }).n);
  assert.deepEqual(names, ['a.json', 'b.yaml', 'c.yml']);
});

test('faults of all files are told together, each with its place', () => {
  const bad = join(folder, 'bad.yaml');
  const worse = join(folder, 'worse.yaml');
  writeFileSync(bad, 'a: 1\na: 2\n');
  writeFileSync(worse, 'x: [1\n');
  assert.throws(
    () => readDocuments([bad, worse]),
    error =>
      error instanceof CliError &&
      error.code === 'bad-file' &&
      error.message.includes(`${bad}:2:1:`) &&
      error.message.includes(`${worse}:`),
  );
  assert.throws(() => readDocuments([join(folder, 'absent.yaml')]), { code: 'bad-file' });
});
