/** docs/cli.md against the commands, and every `attache …` that a sentence of the documents mentions. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CliError, NEXT_STEPS } from '../src/cli/cli-error.ts';
import { EXIT, toExitCode } from '../src/cli/exit-code.ts';
import { VERBS } from '../src/cli/verbs.ts';
import { readCommandTree } from './cli/command-tree.ts';
import { findUnknownWords } from './cli/known-words.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const tree = await readCommandTree();
const page = read('docs/cli.md');

/** `| `get <kind> [name]` | list what the server knows |`, the row of one command. */
function toRow(path: string, command: Command): string {
  const words = command.registeredArguments.map(one => {
    const name = `${one.name()}${one.variadic ? '...' : ''}`;
    return one.required ? ` <${name}>` : ` [${name}]`;
  });
  return `| \`${path}${words.join('')}\` | ${command.description().replaceAll('|', '\\|')} |`;
}

/** A verb that is only its sub-verbs has no row of its own, and what only scripts call has none. */
const expected = tree
  .filter(({ path }) => path !== 'completion candidates')
  .filter(({ path }) => !tree.some(one => one.path.startsWith(`${path} `)))
  .map(({ path, command }) => toRow(path, command));

test('the table of docs/cli.md has a row for every command, and no other', () => {
  // Columns are aligned by the formatter: blanks do not count.
  const squeeze = (row: string) => row.replace(/ +/g, ' ');
  const rows = page
    .split('\n')
    .map(squeeze)
    .filter(line => /^\| `[a-z]+/.test(line) && tree.some(({ path }) => line.startsWith(`| \`${path}`)));
  // A row that is missing stands in the difference, as it is to be written.
  assert.equal(rows.join('\n'), expected.map(squeeze).join('\n'));
});

test('docs/cli.md names every exit code, and every verb has its summary in attache --help', () => {
  for (const code of Object.values(EXIT)) assert.match(page, new RegExp(`^\\| ${code} +\\| `, 'm'));
  for (const code of Object.keys(NEXT_STEPS) as (keyof typeof NEXT_STEPS)[])
    assert.ok([...Object.values(EXIT), 130].some(one => one === toExitCode(new CliError(code, ''))));
  for (const { name, summary } of VERBS) assert.ok(summary.length > 5, name);
});

/** `attache get nodes` of "`attache get nodes`, `attache rollout pause\|resume NAME`"; what stands for others is cut. */
function readInline(text: string): readonly string[] {
  const prose = text.replace(/^ *```[\s\S]*?^ *```/gm, '');
  return [...prose.matchAll(/`(attache [^`]+)`/g)].flatMap(([, code = '']) =>
    code.replaceAll('\\|', '|').includes('VERB') ? [] : [code.replaceAll('\\|', '|')],
  );
}

test('what a sentence of the documents says of attache exists', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: root })];
  const wrong: string[] = [];
  let found = 0;
  for (const document of documents)
    for (const code of readInline(read(document))) {
      found += 1;
      // `rollout status|history NAME` stands for two.
      const [, verb = '', parts = '', rest = ''] =
        /^attache (\S+) ?([a-z-]+(?:\|[a-z-]+)+)?(.*)$/s.exec(code) ?? [];
      const lines = verb.includes('|')
        ? verb.split('|').map(one => `attache ${one} ${rest}`)
        : (parts === '' ? [''] : parts.split('|')).map(part => `attache ${verb} ${part} ${rest}`);
      for (const line of lines) {
        const unknown = findUnknownWords(line.replace(/…/g, ''), tree);
        wrong.push(...unknown.map(word => `${document}: \`${code}\`: ${word}`));
      }
    }
  assert.ok(found > 60, `${found} were found`);
  assert.deepEqual(wrong, []);
});
