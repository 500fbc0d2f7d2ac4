/** The lines of style.md and docs/architecture.md that a machine can check. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WRITERS } from '../src/store/record-kinds.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = globSync('{src,test,bench}/**/*.ts', { cwd: root, exclude: ['**/node_modules/**'] }).map(
  path => path.replaceAll('\\', '/'),
);
const inSrc = sources.filter(path => path.startsWith('src/'));

/** Folders of src, and its root files one by one, with what each may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  store: ['model'],
  module: ['model', 'store'],
  compile: ['model', 'store'],
  xds: ['model', 'store'],
  rollout: ['model', 'store'],
  webhook: ['model', 'store'],
  api: ['model', 'store'],
  backup: ['model', 'store'],
  tls: ['model'],
  cli: ['model', 'config.ts', 'settings.ts'],
  web: ['model'],
  'config.ts': ['model', 'settings.ts', 'config-sources.ts'],
  'config-sources.ts': ['model', 'settings.ts'],
  'settings.ts': [],
  'addresses.ts': ['config.ts'],
  'own-modules.ts': [],
  'system.ts': ['model'],
};
/** The only places that join the others. */
const JOINING = ['control-plane.ts', 'main.ts'];
/** Who may import these folders for their types alone. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = { cli: ['api/schema'], web: ['api/schema'] };
/** Who may read the environment, the working directory and the clock; the others are given them. */
const AT_THE_EDGE = /^src\/(config\.ts|control-plane\.ts|main\.ts|system\.ts|cli\/)/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typesOnly: boolean;
}

const code = new Map(inSrc.map(path => [path, stripComments(readFileSync(join(root, path), 'utf8'))]));
const imports = inSrc.flatMap(readImports);

/** Comments go, lines and strings stay. */
function stripComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    '$1',
  );
}

function readImports(from: string): Import[] {
  const pattern =
    /\b(import|export)\s+(type\s+)?([^'";]*?\bfrom\s+)?'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)/g;
  return [...(code.get(from) ?? '').matchAll(pattern)].map(match => ({
    from,
    to: join(dirname(from), match[4] ?? match[5] ?? ''),
    typesOnly: match[2] !== undefined,
  }));
}

/** `src/xds/push/x.ts` is of `xds`, `src/config.ts` of `config.ts`. */
function partOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function isAllowed({ from, to, typesOnly }: Import): boolean {
  const part = partOf(from);
  if (JOINING.includes(part) || partOf(to) === part) return true;
  if (MAY_IMPORT[part]?.includes(partOf(to))) return true;
  return typesOnly && (TYPES_ONLY[part] ?? []).some(folder => to.startsWith(`src/${folder}/`));
}

/** Lines of a file that match, as `path:line text`. */
function findLines(path: string, pattern: RegExp): string[] {
  const lines = (code.get(path) ?? '').split('\n');
  return lines.flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : []));
}

test('imports go from the edge inwards, and only the control plane joins the stages', () => {
  assert.ok(imports.length > 0);
  const wrong = imports.filter(one => !isAllowed(one)).map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test('every folder of src has its place in the table of import directions', () => {
  const unknown = inSrc.map(partOf).filter(part => !(part in MAY_IMPORT) && !JOINING.includes(part));
  assert.deepEqual([...new Set(unknown)], []);
});

test('nothing in src imports tests, and every relative import ends in .ts', () => {
  const wrong = imports.filter(({ to }) => !to.startsWith('src/') || !to.endsWith('.ts'));
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

test('each record kind is written only by its own folders', () => {
  const kinds = Object.keys(WRITERS).join('|');
  const writing = new RegExp(
    `\\.(?:put|delete)\\(\\s*'(${kinds})'|\\bop:\\s*'(?:put|delete)',\\s*kind:\\s*'(${kinds})'`,
    'g',
  );
  const wrong: string[] = [];
  for (const path of inSrc)
    for (const match of (code.get(path) ?? '').matchAll(writing)) {
      const kind = (match[1] ?? match[2]) as keyof typeof WRITERS;
      // The store forgets the oldest events by itself; it writes none.
      const trims = match[0].includes('delete') && kind === 'Event' && partOf(path) === 'store';
      if (!trims && !WRITERS[kind].includes(partOf(path))) wrong.push(`${path} writes ${kind}`);
    }
  assert.deepEqual(wrong, []);
});

test('only the edge reads the environment, the working directory, the clock and chance', () => {
  const pattern =
    /\bprocess\.(env|cwd\(|argv)|\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(/;
  const inside = inSrc.filter(path => !AT_THE_EDGE.test(path));
  assert.deepEqual(
    inside.flatMap(path => findLines(path, pattern)),
    [],
  );
});

test('no folder and no file is a drawer for whatever had no place', () => {
  const drawer = /(^|[/-])(utils?|helpers?|common|shared|misc)([/.-]|$)/;
  assert.deepEqual(
    sources.filter(path => drawer.test(path)),
    [],
  );
});

test('no file is longer than 400 lines', () => {
  const long = sources
    .map(path => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > 400);
  assert.deepEqual(long, []);
});

test('a file of unit tests has no hook for the tests of others, with which it shares a process', () => {
  // `after` at the top only puts away what the file made, at the end of all.
  const hook = /^(before|beforeEach|afterEach)\(/m;
  const apart = /^test\/(simulation|integration|e2e|interop)\//;
  const units = sources.filter(path => path.startsWith('test/') && !apart.test(path));
  assert.ok(units.length > 100);
  assert.deepEqual(
    units.filter(path => hook.test(readFileSync(join(root, path), 'utf8'))),
    [],
  );
});
