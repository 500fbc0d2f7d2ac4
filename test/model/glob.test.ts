import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesGlob } from '../../src/model/glob.ts';

test('a star stays within a part of a path, two do not, and both may stand for nothing', () => {
  const matches: readonly (readonly [string, string, boolean])[] = [
    ['r.example/a', 'r.example/a', true],
    ['r.example/a', 'rxexample/a', false],
    ['r.example/*', 'r.example/a', true],
    ['r.example/*', 'r.example/a/b', false],
    ['r.example/*', 'r.example/', true],
    ['r.example/**', 'r.example/a/b', true],
    ['r.example/**/x', 'r.example/a/b/x', true],
    ['*.example/**', 'a.b.example/x', true],
    ['*/a', 'b/c/a', false],
    ['**', '', true],
    ['***', 'a/b', true],
    ['', '', true],
    ['', 'a', false],
    ['a*b*c', 'aXbbYc', true],
    ['a*b*c', 'aXbbY', false],
    ['r.example/a', 'r.example/a/b', false],
    ['[a]+$', '[a]+$', true],
  ];
  for (const [pattern, text, expected] of matches)
    assert.equal(matchesGlob(pattern, text), expected, `${pattern} ${text}`);
});

test('it says what a regular expression would say', () => {
  const character = fc.constantFrom('a', 'b', '/', '.');
  const part = fc.oneof(character, fc.constantFrom('*', '**'));
  const join = (parts: readonly string[]) => parts.join('');
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 8 }).map(join),
      fc.array(character).map(join),
      (pattern, text) => {
        const source = pattern.replace(/\*\*|\*|\./g, one => ({ '**': '[^]*', '*': '[^/]*' })[one] ?? '\\.');
        assert.equal(matchesGlob(pattern, text), new RegExp(`^${source}$`).test(text));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('many stars and a long text take no time', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(2_048)), false);
});
