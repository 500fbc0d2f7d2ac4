/** docs/plugins.md against the code. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readRequestFile } from '../src/cli/plugin/request-file.ts';
import { CONFIG_SCHEMA_SECTION } from '../src/model/config-schema.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const page = read('docs/plugins.md');

test('the request file is taken as it is written, and has every field', t => {
  const folder = mkdtempSync(join(tmpdir(), 'attache-docs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'requests.yaml');
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  writeFileSync(path, example);
  const { plan, expectations } = readRequestFile(path, 'it');
  assert.deepEqual([plan.steps.length, plan.calls.length, expectations.length], [4, 2, 4]);
  const source = ['request-file', 'expectation'].map(name => read(`src/cli/plugin/${name}.ts`)).join('\n');
  const fields = [...source.matchAll(/^const [A-Z]+ = \[([^\]]*)\]/gm)].flatMap(([, list = '']) =>
    [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => name),
  );
  assert.ok(fields.length > 25, `${fields.length} fields`);
  assert.deepEqual(
    fields.filter(field => !new RegExp(`\\b${field}:`).test(example)),
    [],
  );
});

test('the section of the schema has the name that it has', () => {
  assert.ok(page.includes(`named \`${CONFIG_SCHEMA_SECTION}\``));
});

test('every example plugin has a schema, and stands on the page', () => {
  for (const name of ['add-header', 'rate-limit', 'basic-auth']) {
    const schema = JSON.parse(read(`plugins/${name}/config.schema.json`)) as { title: string };
    assert.equal(schema.title, name);
    assert.ok(page.includes(`../plugins/${name}`), fileURLToPath(import.meta.url));
  }
});
