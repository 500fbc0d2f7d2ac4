import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = ['*.md', 'docs/*.md', 'plugins/*/*.md', 'bench/*.md', 'test/**/*.md'];
const LINK = /\]\(([^)\s#]*)(?:#([^)\s]+))?\)/g;

test('every link from one page to another leads there, to its heading too', () => {
  const pages = globSync(PAGES, { cwd: ROOT, exclude: path => path.includes('node_modules') });
  assert.ok(pages.length > 10);
  assert.deepEqual(pages.flatMap(findBroken), []);
});

function findBroken(page: string): readonly string[] {
  const links = [...readFileSync(join(ROOT, page), 'utf8').matchAll(LINK)];
  return links.flatMap(([link, path = '', heading]) => {
    if (/^[a-z]+:/.test(path)) return [];
    const target = path === '' ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(ROOT, target))) return [`${page}: ${link} is not there`];
    if (heading === undefined || !target.endsWith('.md') || headingsOf(target).has(heading)) return [];
    return [`${page}: ${link} has no such heading in ${relative('.', target)}`];
  });
}

/** As GitHub makes anchors of them. */
function headingsOf(page: string): ReadonlySet<string> {
  const headings = readFileSync(join(ROOT, page), 'utf8').matchAll(/^#+ (.+)$/gm);
  const anchors = [...headings].map(([, text = '']) =>
    text
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(anchors);
}
