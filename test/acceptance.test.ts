/** What was promised has a test of that name: nothing of it can vanish unnoticed. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TITLE = /\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs;

/** Stories of an operator at a terminal. */
const STORIES = [2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 22, 23];
/** Of a newcomer (A), of somebody on call (B), of all that is printed (X). */
const LINES = {
  A: [3, 4, 5, 6, 7, 8],
  B: [1, 2, 3, 4, 5, 6, 7, 8],
  X: [1, 2, 3],
};
/** What else users were promised: how they begin. */
const OTHER_LINES = ['A1', 'A2'];
/** With at least six real Envoys each. */
const ON_SIX_ENVOYS = [
  'the canary of six Envoys refuses: RolledBack in 5 s with its text, nobody else touched',
  'on six Envoys a plugin that answers 503 is caught on its first node',
  'undo with the registry down',
  'killed in mid-rollout on six Envoys, it goes on at the same step',
  'zone waves on six Envoys: never two zones at once',
  'a delete step by step on six Envoys',
];

function readTitles(pattern: string): readonly string[] {
  const files = globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules/**'] });
  return files.flatMap(file =>
    [...readFileSync(`${ROOT}/${file}`, 'utf8').matchAll(TITLE)].map(([, , title = '']) => title),
  );
}

/** `acceptance 5`, `acceptance 6 and 7` */
function storiesOf(title: string): readonly number[] {
  return [...title.matchAll(/\bacceptance (\d+(?:(?:, | and )\d+)*)/g)].flatMap(([, numbers = '']) =>
    numbers.split(/, | and /).map(Number),
  );
}

function linesOf(title: string): readonly string[] {
  return [...title.matchAll(/\bC-([A-Z]\d+)\b/g)].map(([, line = '']) => line);
}

const known = Object.entries(LINES).flatMap(([part, numbers]) => numbers.map(number => `${part}${number}`));
const titles = readTitles('test/e2e/**/*.test.ts');

test('every acceptance story is told on real Envoys', () => {
  const told = new Set(titles.flatMap(storiesOf));
  for (const story of STORIES) assert.ok(told.has(story), `no test in test/e2e is named acceptance ${story}`);
});

test('every line that was promised to users is kept on real Envoys', () => {
  const kept = new Set(titles.flatMap(linesOf));
  for (const line of known) assert.ok(kept.has(line), `no test in test/e2e is named C-${line}`);
});

test('what takes a fleet is told on one', () => {
  for (const story of ON_SIX_ENVOYS)
    assert.ok(
      titles.some(title => title.includes(story)),
      `no test in test/e2e is named "${story}"`,
    );
});

test('no test is named after a line that does not exist', () => {
  for (const title of readTitles('test/**/*.test.ts'))
    for (const line of linesOf(title))
      assert.ok([...known, ...OTHER_LINES].includes(line), `C-${line}: ${title}`);
});
