/** RATIONALE.md against package.json: every dependency has its reason, and none is only remembered. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('RATIONALE.md lists the dependencies of package.json, each once', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const listed = [...read('RATIONALE.md').matchAll(/^\| `([^`]+)` +\|/gm)].map(match => match[1]);
  assert.deepEqual(listed.sort(), [...Object.keys(dependencies), ...Object.keys(devDependencies)].sort());
});
