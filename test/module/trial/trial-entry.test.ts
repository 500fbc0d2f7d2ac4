import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('the published package has its child beside the runner, with relative imports alone', () => {
  const folder = new URL('../../../src/module/trial/', import.meta.url);
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const path = new URL(name, folder);
    assert.ok(existsSync(path), name);
    for (const [, isType, from = ''] of readFileSync(path, 'utf8').matchAll(
      /^import (type )?.*? from '(.+?)';$/gms,
    )) {
      if (isType !== undefined || from.startsWith('node:')) continue;
      assert.match(from, /^\.\/[a-z-]+\.ts$/, `${name} imports ${from}`);
      visit(from);
    }
  };
  visit('./trial-entry.ts');
  assert.ok(seen.size > 10);
});
