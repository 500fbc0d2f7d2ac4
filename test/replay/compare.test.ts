import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareScreen, ownWordsIn, toPattern } from './compare.ts';

const printed = (out: string, err = '') => ({ code: 0, out, err });

test('figures, times, digests, nodes, addresses and gaps are free, words are not', () => {
  const pairs: readonly (readonly [string, string, boolean])[] = [
    ['edge-b-041   Refused   0.8 s', 'edge-c-7 Refused 12 ms', true],
    ['Succeeded in 1m 2s: 1 of 1 node', 'Succeeded in 59.8 s: 1 of 1 node', true],
    ['  rollout  edge.auth.9, about 22 min', 'rollout edge.auth.12, about 3 min', true],
    ['→ sha256 9f2c4be01d77, 254 KB', '→ sha256 c590aa419245, 1.1 MB', true],
    ['  url: oci://127.0.0.1:18002/auth:1.4', '  url: oci://registry.example/auth:2', true],
    ['plugin default/auth created', 'plugin default/auth configured', false],
    ['1 of 1 node runs revision 2', '1 of 1 node runs revision 2 and more', false],
    ['exit (a|b)', 'exit a', false],
  ];
  for (const [screen, line, fits] of pairs)
    assert.equal(toPattern(screen).test(line), fits, `${screen} | ${line}`);
});

test('a line is there in its order, otherwise as explained, or missing', () => {
  const screen = ['one', { screen: 'two', ours: /^2nd$/m, because: 'shorter' }, 'three'];
  const kinds = (out: string, err?: string) =>
    compareScreen(screen, printed(out, err)).map(({ kind }) => kind);
  assert.deepEqual(kinds('one\ntwo\nthree\n'), ['same', 'same', 'same']);
  assert.deepEqual(kinds('one\n2nd\nthree\n'), ['same', 'explained', 'same']);
  assert.deepEqual(kinds('three\none\n'), ['same', 'missing', 'missing']);
  assert.deepEqual(kinds('one\ntwo\n', 'three\n'), ['same', 'same', 'same'], 'in whichever stream');
});

test('what is left out on purpose is explained, and does not hide what is there', () => {
  const screen = [{ screen: 'more', ours: null, because: 'it says enough' }];
  assert.deepEqual(compareScreen(screen, printed('less\n')), [
    { kind: 'explained', screen: 'more', ours: '(nothing)', because: 'it says enough' },
  ]);
  assert.deepEqual(compareScreen(screen, printed('more\n')), [{ kind: 'same' }]);
});

test('X1: our own words are found in what was printed', () => {
  assert.deepEqual(ownWordsIn('a place of a node'), []);
  assert.deepEqual(ownWordsIn('its Slots and a nonce'), ['Slots', 'nonce']);
});
