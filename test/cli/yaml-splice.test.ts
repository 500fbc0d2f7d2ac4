import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isMap, isSeq, parse, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { toYaml } from '../../src/cli/to-yaml.ts';
import { YamlSplice } from '../../src/cli/yaml-splice.ts';

function open(text: string): { splice: YamlSplice; root: YAMLMap } {
  const document = parseDocument(text, { keepSourceTokens: true });
  assert.ok(isMap(document.contents));
  return { splice: new YamlSplice(text, document), root: document.contents };
}

test('entries come first in a block map, at its indentation', () => {
  const { splice, root } = open('a:\n    b: 1   # one\n');
  splice.addEntries(splice.get(root, 'a') as YAMLMap, { x: { y: [1] }, z: 'w' });
  assert.equal(splice.apply(), 'a:\n    x: {y: [1]}\n    z: w\n    b: 1   # one\n');
});

test('entries of a flow map are written in flow, also into an empty one', () => {
  const { splice, root } = open('a: { b: 1 }\nc: {}\n');
  splice.addEntries(splice.get(root, 'a') as YAMLMap, { x: true });
  splice.addEntries(splice.get(root, 'c') as YAMLMap, { x: 1, y: 2 });
  assert.deepEqual(parse(splice.apply()), { a: { x: true, b: 1 }, c: { x: 1, y: 2 } });
});

test('an entry without a value gets one', () => {
  const { splice, root } = open('a:\nb: 1\n');
  splice.setEntry(root, 'a', { x: 1 });
  assert.equal(splice.apply(), 'a: {"x": 1}\nb: 1\n');
});

test('a scalar is replaced where it stands', () => {
  const { splice, root } = open('id: "old"   # who\nb: 1\n');
  splice.setEntry(root, 'id', 'new');
  assert.equal(splice.apply(), 'id: "new"   # who\nb: 1\n');
});

test('a block is replaced without what comes after it', () => {
  const { splice, root } = open('a:\n  b:\n    c: 1\n    d: [2]\n\ne: 1\n');
  splice.setEntry(splice.get(root, 'a') as YAMLMap, 'b', { x: 1 });
  assert.deepEqual(parse(splice.apply()), { a: { b: { x: 1 } }, e: 1 });
});

test('items come before the comment of the item they are put before', () => {
  const { splice, root } = open('l:\n  - a\n  # the last one\n  - b\n');
  splice.insertItems(splice.get(root, 'l') as YAMLSeq, ['x', 'y'], 1);
  assert.equal(splice.apply(), 'l:\n  - a\n  - x\n  - y\n  # the last one\n  - b\n');
});

test('items of a flow list and of an empty one', () => {
  const { splice, root } = open('{"l": [1, 2], "e": []}');
  splice.insertItems(splice.get(root, 'l') as YAMLSeq, [9], 1);
  splice.insertItems(splice.get(root, 'e') as YAMLSeq, [7, 8]);
  assert.deepEqual(JSON.parse(splice.apply()), { l: [1, 9, 2], e: [7, 8] });
});

test('an alias is followed', () => {
  const { splice, root } = open('base: &b {k: v}\nuse: *b\n');
  assert.ok(isMap(splice.get(root, 'use')));
});

test('what is put into any JSON document is all that changes', () => {
  const json = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue({ maxDepth: 3 }), {
    minKeys: 1,
  });
  fc.assert(
    fc.property(json, fc.boolean(), (value, block) => {
      const text = block ? toYaml(value) : JSON.stringify(value);
      const { splice, root } = open(text);
      splice.addEntries(root, { ADDED: [1, { two: 'three' }] });
      for (const item of root.items) if (isSeq(item.value)) splice.insertItems(item.value, ['ITEM']);
      const expected = Object.entries(value).map(([key, entry]) => [
        key,
        Array.isArray(entry) ? ['ITEM', ...entry] : entry,
      ]);
      assert.deepEqual(
        JSON.parse(JSON.stringify(parse(splice.apply()))),
        JSON.parse(JSON.stringify({ ADDED: [1, { two: 'three' }], ...Object.fromEntries(expected) })),
      );
    }),
    { numRuns: 100 },
  );
});
