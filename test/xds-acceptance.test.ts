/** The list of what an xDS server has to do: each item has a test of its number, in each form that it is about. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TITLE = /\btest\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs;
const NUMBERS = /^(?:(\$\{form\}|sotw|delta): )?(\d+(?:, \d+)*)\. /;

type Form = 'delta' | 'sotw';

/** How a title begins that is told in both forms. */
const LOOPED = /^\$\{form\}: /;

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** In both forms; 1 to 19 are common, the others are about the transport. */
const BOTH = [...range(1, 19), 46, 47, 48, 50, 51];
/** State of the world. */
const SOTW = range(20, 31);
/** Incremental. */
const DELTA = range(32, 44);
/** One against the other, or beneath both. */
const ANY = [45, 49, 52];

/**
 * What users of other servers complain of: each has a test whose title holds this. In a process with one thread a push cannot
 * deadlock; that it does not wait for a slow reader is the rest of it.
 */
const COMPLAINTS: readonly (readonly [string, readonly string[]])[] = [
  [
    'an endless resend after a NACK',
    ['7, 8. a NACK is told by error_detail', '8. a removal that is refused'],
  ],
  [
    'no rollback on a NACK',
    ['3. refusal: probed, confirmed, recorded with the text of Envoy, and the last good'],
  ],
  ['the text of a NACK is in no status', ['CSDS: ERROR after a NACK']],
  ['a deadlock between a push and a full channel', ['47. a client that does not read']],
  ['who asks for less than there is starves', ['14. who asks for less than there is']],
  ['a wrong order between types', ['18. one change goes out as']],
  ['marshalled again for each client', ['snapshots share what is equal', 'equal responses are equal bytes']],
  [
    'unsubscribe, then subscribe again, is not answered',
    ['28. a name dropped', '36. a name subscribed again'],
  ],
  ['a missing name: updates are lost', ['42. a name that does not exist', '14. a name that does not exist']],
  [
    'memory is kept for who has left',
    ['17. half-close and reset', '17. after its end a stream sends nothing'],
  ],
  ['what does a node use; which nodes are there', ['CSDS: NOT_SENT', 'CSDS: matchers are OR-ed']],
  ['an ACK faster than the recording of its nonce', ['an ACK that is faster than whoever sent']],
  ['clusters without endpoints warm for ever', ['endpoints are sent again when their cluster is']],
  ['clusters are answered for when they are warm', ['18. endpoints and secrets do not wait']],
  ['ECDS in delta keeps Envoy from starting', ['43. an extension config is never removed']],
  ['one bad ECDS push blocks later listeners', ['7. a listener refused over a plugin, without a GET']],
  ['expired nonces at high rates of pushes', ['16. rapid updates']],
];

interface Title {
  readonly file: string;
  readonly title: string;
}

function readTitles(pattern: string): readonly Title[] {
  const files = globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules/**'] });
  return files.flatMap(file =>
    [...readFileSync(`${ROOT}/${file}`, 'utf8').matchAll(TITLE)].map(([, , title = '']) => ({ file, title })),
  );
}

/** Forms and items that a title is about. */
function itemsOf({ file, title }: Title): readonly string[] {
  const [, said, numbers = ''] = NUMBERS.exec(title) ?? [];
  const [, named] = /xds-(delta|sotw)\.test/.exec(file) ?? [];
  const form = said?.startsWith('$') ? undefined : (said ?? named);
  const forms: readonly Form[] = form === undefined ? ['delta', 'sotw'] : [form as Form];
  return numbers.split(', ').flatMap(number => forms.map(it => `${it} ${number}`));
}

const titles = readTitles('test/integration/xds-*.test.ts');

test('every item of the list has its test over a real connection, in each form that it is about', () => {
  const looped = titles.filter(({ title }) => LOOPED.test(title));
  const inBoth = new Set(looped.flatMap(itemsOf));
  const all = new Set(titles.flatMap(itemsOf));
  for (const item of BOTH)
    for (const form of ['delta', 'sotw'])
      assert.ok(inBoth.has(`${form} ${item}`), `no test in test/integration is named "\${form}: ${item}. …"`);
  for (const [form, items] of [
    ['sotw', [...SOTW, ...ANY]],
    ['delta', [...DELTA, ...ANY]],
  ] as const)
    for (const item of items)
      assert.ok(all.has(`${form} ${item}`), `no test in test/integration is about item ${item} in ${form}`);
});

test('together they are the list, and no test has the number of an item that is not on it', () => {
  const listed = [...BOTH, ...SOTW, ...DELTA, ...ANY].sort((a, b) => a - b);
  assert.deepEqual(listed, range(1, 52));
  for (const title of titles)
    for (const item of itemsOf(title).filter(it => /\d/.test(it)))
      assert.ok(listed.includes(Number(item.split(' ')[1])), `${title.file}: ${title.title}`);
});

test('the tests that are told in both forms are in a loop over both', () => {
  for (const file of new Set(titles.filter(({ title }) => LOOPED.test(title)).map(it => it.file)))
    assert.match(readFileSync(`${ROOT}/${file}`, 'utf8'), /^for \(const form of FORMS\) \{/m, file);
});

test('the files link to the protocol', () => {
  for (const name of ['items', 'sotw', 'delta', 'streams', 'server'])
    assert.match(readFileSync(`${ROOT}/test/integration/xds-${name}.test.ts`, 'utf8'), /xds_protocol/, name);
});

test('what users of other servers complain of has a test', () => {
  const known = readTitles('test/**/*.test.ts').map(({ title }) => title);
  for (const [complaint, parts] of COMPLAINTS)
    for (const part of parts)
      assert.ok(
        known.some(title => title.includes(part)),
        `${complaint}: ${part}`,
      );
});
