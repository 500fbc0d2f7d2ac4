import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = [
  'src/main.ts',
  'src/config.ts',
  'src/settings.ts',
  ...globSync('src/cli/**/*.ts', { cwd: root }),
  'bin/attache',
];
/** What the server says comes out of these, in answers, hints, events and the audit. */
const serverSources = globSync('src/{api,model,rollout,module,store,compile,xds,backup}/**/*.ts', {
  cwd: root,
});
/** Not said to anybody: a program, and what metrics are named by everybody. */
const UNSAID = /^`\s*function read|that this process (used|has)|when this process began/;
/** Words of the inside: people see node, plugin, revision, state, place. */
const INSIDE = /\b(slots?|attempts?|verdicts?|process(es)?|nonces?|cohorts?)\b/i;

/** String and template literals, without imports, comments and what stands in `${}`. */
function literalsOf(text: string): readonly string[] {
  const bare = text
    .replace(/^import[^;]*;$/gms, '')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/[^\n]*/g, '');
  const literals = bare.match(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g) ?? [];
  return literals.map(literal => literal.replace(/\$\{[^}]*\}/g, ''));
}

test('the literals are found, comments and imports are not', () => {
  const text =
    "import a from 'slot';\n/** a 'slot' */\nconst b = 'one'; // 'slot'\nconst c = `two $" +
    '{slot.x} three`;';
  assert.deepEqual(literalsOf(text), ["'one'", '`two  three`']);
});

test('no text of the command line holds a word of the inside', () => {
  assert.ok(sources.length > 20);
  const found = sources.flatMap(path => {
    const text = readFileSync(join(root, path), 'utf8');
    const literals = path.endsWith('.ts') ? literalsOf(text) : [text];
    return literals.filter(literal => INSIDE.test(literal)).map(literal => `${path}: ${literal}`);
  });
  assert.deepEqual(found, []);
});

test('no sentence of the server holds a word of the inside', () => {
  assert.ok(serverSources.length > 200);
  const found = serverSources.flatMap(path =>
    literalsOf(readFileSync(join(root, path), 'utf8'))
      // A single word is a name in the code, or a field of a document: `slots.unanswered`.
      .filter(literal => /\s/.test(literal) && !UNSAID.test(literal))
      .map(literal => literal.replace(/\bslots\.unanswered\b/g, ''))
      .filter(literal => INSIDE.test(literal))
      .map(literal => `${path}: ${literal}`),
  );
  assert.deepEqual(found, []);
});

test('no text of the README holds a word of the inside', () => {
  const lines = readFileSync(join(root, 'README.md'), 'utf8').split('\n');
  assert.deepEqual(
    lines.filter(line => INSIDE.test(line)),
    [],
  );
});
