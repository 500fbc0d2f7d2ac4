import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERBS } from '../../src/cli/verbs.ts';
import { readCommandTree } from './command-tree.ts';
import { findUnknownWords } from './known-words.ts';
import { run } from './run-main.ts';

let printed = '';
const tree = await readCommandTree(text => {
  printed += `${text}\n`;
});

/** What `attache PATH --help` prints. */
function helpOf(path: string): string {
  const found = tree.find(one => one.path === path) ?? assert.fail(path);
  printed = '';
  found.command.outputHelp();
  return printed;
}

test('attache --help lists every verb with a summary', async () => {
  const { code, out } = await run(['--help']);
  assert.equal(code, 0);
  for (const { name, summary } of VERBS) assert.ok(out.includes(summary.split(' ')[0] ?? ''), name);
  for (const { name } of VERBS) assert.match(out, new RegExp(`^ {2}${name} `, 'm'));
  assert.equal((await run([])).code, 2);
});

test('the help of every verb and sub-verb says what it does, and shows an example that it understands', () => {
  assert.ok(tree.length > 50, `${tree.length} commands`);
  for (const { path } of tree) {
    const text = helpOf(path);
    const [, examples] =
      /\nExamples?:\n([\s\S]*)$/.exec(text) ?? assert.fail(`${path} --help has no example`);
    const own = (examples ?? '').split('\n').filter(line => line.includes('attache '));
    assert.ok(own.length > 0, path);
    assert.ok(
      own.some(line => line.includes(`attache ${path}`)) || tree.some(one => one.path.startsWith(`${path} `)),
      `${path} --help shows how others are used`,
    );
    for (const line of own) assert.deepEqual(findUnknownWords(line, tree), [], `${path} --help: ${line}`);
  }
});

test('every argument and every option of its own has a word on what it is', () => {
  for (const { path, command } of tree) {
    assert.ok(command.description().length > 5, path);
    for (const option of command.options) assert.ok(option.description.length > 3, `${path} ${option.flags}`);
    for (const argument of command.registeredArguments)
      assert.ok(argument.description.length > 1, `${path} ${argument.name()}`);
  }
});

test('one word a thing: the same flag means the same wherever it is', () => {
  const shorts = new Map<string, string>();
  for (const { path, command } of tree)
    for (const { short, long } of command.options) {
      if (!short || !long) continue;
      const known = shorts.get(short) ?? long;
      shorts.set(short, known);
      const both = [known, long].sort().join(' ');
      // -f is --file where documents go in, and --follow where lines come out; -o of build names a file.
      const isKnown = known === long || ['--file --follow', '--out-file --output'].includes(both);
      assert.ok(isKnown, `${path}: ${short} is ${long}, elsewhere ${known}`);
    }
  assert.equal(shorts.get('-n'), '--namespace');
  assert.equal(shorts.get('-m'), '--message');
});

test('help VERB, help VERB SUB-VERB and --help are one', async () => {
  const { out } = await run(['rollout', 'status', '--help']);
  assert.match(out, /^Usage: attache rollout status /);
  assert.equal((await run(['help', 'rollout', 'status'])).out, out);
  assert.equal((await run(['help', 'get'])).out, (await run(['get', '--help'])).out);
  assert.equal((await run(['help'])).out, (await run(['--help'])).out);
});

test('what a shell line says of attache is compared with what there is', () => {
  const unknown = (line: string) => findUnknownWords(line, tree);
  assert.deepEqual(unknown('attache get nodes -l a=b --sort-by state | head'), []);
  assert.deepEqual(unknown('kubectl get x | attache convert -f - > y.yaml && attache apply -fy.yaml'), []);
  assert.deepEqual(unknown('attache rollout undo auth -m "--not-a-flag"'), []);
  assert.deepEqual(unknown('attache envoy run -- --concurrency 2'), []);
  assert.deepEqual(unknown('attache gett nodes'), ['attache gett']);
  assert.deepEqual(unknown('attache rollout stat auth'), ['attache rollout stat']);
  assert.deepEqual(unknown('attache get nodes --wach && attache serve --data=x --nope=1'), [
    'attache get --wach',
    'attache serve --nope',
  ]);
});
