import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModuleFetch } from '../../../src/model/module-fetch.ts';
import { type Downloads, downloadsFor, modulesOf, withFetch } from '../../../src/xds/push/downloads.ts';
import { toContent, toPart } from './slot-story.ts';

type Row = readonly [id: number, part: string, state: ModuleFetch['state'], at: number];

function told(...rows: readonly Row[]): Downloads {
  return rows.reduce<Downloads>(
    (downloads, [id, part, state, at]) =>
      withFetch(downloads, { process: 'p', tag: '', moduleSha256: toPart(part).module, id, state, at }),
    new Map(),
  );
}

const seen = (downloads: Downloads, content: string, from: number, to?: number) =>
  downloadsFor(downloads, toContent(content), from, to).map(({ id, state }) => [id, state]);

test('a GET keeps its beginning when its end is told', () => {
  const downloads = told([1, 'a@1', 'started', 100], [1, 'a@1', 'sent', 900]);
  assert.deepEqual(seen(downloads, 'a@1', 100, 100), [[1, 'sent']]);
});

test('only GETs for modules of the content count, and only those that began in the span, ends included', () => {
  const downloads = told(
    [1, 'a@1', 'started', 99],
    [2, 'a@1', 'started', 100],
    [3, 'b@1', 'started', 150],
    [4, 'c@1', 'started', 150],
    [5, 'b@1', 'failed', 200],
    [6, 'a@1', 'started', 201],
  );
  assert.deepEqual(seen(downloads, 'a@1 b@1', 100, 200), [
    [2, 'started'],
    [3, 'started'],
    [5, 'failed'],
  ]);
});

test('two GETs of one module are two, and their ends do not mix', () => {
  const downloads = told([1, 'a@1', 'started', 1], [2, 'a@1', 'started', 2], [1, 'a@1', 'failed', 3]);
  assert.deepEqual(seen(downloads, 'a@1', 0), [
    [1, 'failed'],
    [2, 'started'],
  ]);
});

test('a module that two plugins share counts once', () => {
  assert.deepEqual(modulesOf(toContent('a@1:m b@1:m c@1')), [toPart('a@1:m').module, toPart('c@1').module]);
  assert.equal(seen(told([1, 'a@1:m', 'started', 1]), 'a@1:m b@1:m', 0).length, 1);
});

test('the last few GETs of a module are kept, however many there are; other modules keep theirs', () => {
  const many = Array.from({ length: 50 }, (_, i): Row => [i + 2, 'a@1', 'started', i]);
  const downloads = told([1, 'b@1', 'started', 0], ...many);
  assert.deepEqual(
    seen(downloads, 'a@1', 0).map(([id]) => id),
    [44, 45, 46, 47, 48, 49, 50, 51],
  );
  assert.equal(seen(downloads, 'b@1', 0).length, 1);
});

test('what was known before is not changed', () => {
  const before = told([1, 'a@1', 'started', 1]);
  withFetch(before, {
    process: 'p',
    tag: '',
    moduleSha256: toPart('a@1').module,
    id: 1,
    state: 'sent',
    at: 2,
  });
  assert.deepEqual(seen(before, 'a@1', 0), [[1, 'started']]);
});
