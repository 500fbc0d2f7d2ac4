import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { registry } from './compile-samples.ts';

const proto = fileURLToPath(new URL('../../proto', import.meta.url));

test('every message of every overlay loads and encodes, in one registry', () => {
  const files = globSync('**/*.proto', { cwd: proto });
  assert.ok(files.length > 50);
  for (const file of files) {
    const source = readFileSync(`${proto}/${file}`, 'utf8');
    const folder = /^package (.*);/m.exec(source)?.[1];
    assert.equal(`${folder?.replaceAll('.', '/')}/`, file.replace(/[^/]*$/, ''), file);
    for (const [, message] of source.matchAll(/^message (\w+)/gm)) {
      const type = registry.lookup(`${folder}.${message}`);
      assert.equal(type.encode({}).finish().length, 0, type.fullName);
    }
  }
});
