/**
 * Every command that README.md and docs/*.md tell people to type, in the order of its document, in a shell, against a
 * real control plane and a real Envoy. A new command is typed as well, and fails where it does not work; what cannot
 * run here stands in `docs/doc-stories.ts` with its reason, and must still be one that `attache` understands.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCommandTree } from '../cli/command-tree.ts';
import { findUnknownWords } from '../cli/known-words.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { DOCUMENTS, type DocCommand, readBlocks, toBlocks, toCommands } from './docs/doc-commands.ts';
import { type Expectation, STORIES } from './docs/doc-stories.ts';
import { DocWorld } from './docs/doc-world.ts';

/** Counted, so that one more is a decision and not an accident. */
const NOT_RUN = 31;

/** A minute for all, on a machine that does nothing else; this for one that does a lot. */
const SUITE_LIMIT_MS = 600_000;
const DOCUMENT_LIMIT_MS = 300_000;

const tree = await readCommandTree();
const byDocument = DOCUMENTS.map(document => ({ document, commands: toCommands(readBlocks(document)) }));
const all = byDocument.flatMap(({ commands }) => commands);

function expectationOf({ document, text }: DocCommand): Expectation {
  const said = STORIES[document]?.expects?.[text];
  if (said !== undefined) return said;
  if (/(^|&& )attache serve\b/.test(text)) return { keeps: 'server' };
  if (/(^|&& )envoy /.test(text)) return { keeps: 'envoy' };
  return /(^|&& )attache envoy run\b/.test(text) ? { keeps: 'other' } : { exits: [0] };
}

test('commands are found in blocks, whole and without their comments', () => {
  const text = [
    'a `attache nope`',
    '```sh',
    "attache get nodes   # all '…'",
    'attache apply -m "a # b" \\',
    '  -f x.yaml',
    '# only a comment',
    "cat <<'EOF' > y",
    'a # b',
    'EOF',
    '```',
    '```console',
    '$ attache whoami',
    'admin',
    '```',
    '```yaml',
    'attache: no command',
    '```',
  ].join('\n');
  assert.deepEqual(
    toCommands(toBlocks('x.md', text)).map(({ line, text }) => [line, text]),
    [
      [3, 'attache get nodes'],
      [4, 'attache apply -m "a # b" -f x.yaml'],
      [7, "cat <<'EOF' > y\na # b\nEOF"],
      [12, 'attache whoami'],
    ],
  );
});

test('every command of the documents is one that attache understands', () => {
  assert.ok(all.length > 50);
  const wrong = all.flatMap(({ document, line, text }) =>
    findUnknownWords(text, tree).map(word => `${document}:${line} ${word}`),
  );
  assert.deepEqual(wrong, []);
});

test('what is not run is counted, and is still in its document', () => {
  const notRun = all.filter(command => 'notRun' in expectationOf(command));
  assert.equal(notRun.length, NOT_RUN, notRun.map(({ document, text }) => `${document}: ${text}`).join('\n'));
  const gone = Object.entries(STORIES).flatMap(([document, { expects = {} }]) =>
    Object.keys(expects)
      .filter(text => !all.some(one => one.document === document && one.text === text))
      .map(text => `${document}: ${text}`),
  );
  assert.deepEqual(gone, []);
});

/** Types one command; what is not as it is expected fails with all that was printed. */
async function typeOne(command: DocCommand, world: DocWorld): Promise<void> {
  const expected = expectationOf(command);
  const text = world.localize(command.text);
  if ('keeps' in expected) await world.keep(expected.keeps, text);
  else if ('exits' in expected) {
    const { code, out, err } = await world.type(text);
    const { document, line } = command;
    assert.ok(expected.exits.includes(code), `${document}:${line} ${text}: exit ${code}\n${out}${err}`);
  }
}

// They wait for rollouts more than they work.
describe('the commands of the documents work as they stand there', {
  concurrency: 3,
  timeout: SUITE_LIMIT_MS,
}, () => {
  for (const { document, commands } of byDocument) {
    const wanted = commands.filter(command => !('notRun' in expectationOf(command)));
    if (wanted.length === 0) continue;
    test(document, { timeout: DOCUMENT_LIMIT_MS }, async t => {
      const world = stopAfter(t, await DocWorld.create());
      const { given, beside = {} } = STORIES[document] ?? {};
      await given?.(world);
      for (const command of wanted) {
        await typeOne(command, world);
        await beside[command.text]?.(world);
      }
    });
  }
});
