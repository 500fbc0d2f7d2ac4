/**
 * docs/errors.md against the code. The convention that makes codes findable: a folder's codes are the string
 * literals of `export type <Name>ErrorCode = …;` in `src/<folder>/<name>-error.ts`, or, for a class with a single
 * code, the literal in `extends AttacheError<'…'>` anywhere in src.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const documented = [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^### (.+)$/gm)].map(
  match => match[1] ?? '',
);

function readSources(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).map(path => stripComments(readFileSync(join(root, path), 'utf8')));
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

function literalsOf(text: string): string[] {
  return [...text.matchAll(/'([^']+)'/g)].map(match => match[1] ?? '');
}

const unions = readSources('src/*/*-error.ts').flatMap(text =>
  [...text.matchAll(/export type \w*ErrorCode =([^;]*);/g)].flatMap(match => literalsOf(match[1] ?? '')),
);
const single = readSources('src/**/*.ts').flatMap(text =>
  [...text.matchAll(/extends AttacheError<('[^>]*')>/g)].flatMap(match => literalsOf(match[1] ?? '')),
);
const codes = new Set([...unions, ...single]);

test('every code of the source stands in docs/errors.md', () => {
  assert.ok(codes.size > 20, 'the codes were found');
  assert.deepEqual(
    [...codes].filter(code => !documented.includes(code)),
    [],
  );
});

test('docs/errors.md lists no code that does not exist, and none twice', () => {
  assert.deepEqual(
    documented.filter((code, i) => !codes.has(code) || documented.indexOf(code) !== i),
    [],
  );
});

test('codes are lower-case words with dashes, so that they are their own anchors', () => {
  assert.deepEqual(
    [...codes].filter(code => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code)),
    [],
  );
});
