import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJointText, toJointText } from '../../src/store/joint-json.ts';

test('what several values share in a field stands once, and is one object again', () => {
  const tried = { contentHash: 'ab', plugins: [{ plugin: 'default/auth', revision: 1 }] };
  const slots = ['attache.authn'];
  const values = [
    { node: 'a', tried, slots },
    null,
    { node: 'b', tried, slots: ['attache.authn'] },
    { node: 'c', tried, slots },
    { node: 'd', slots: tried },
  ];
  const text = toJointText(values);
  // Of another field it is told again.
  assert.equal(text.split('contentHash').length - 1, 2);
  const read = parseJointText(text) as typeof values;
  assert.deepEqual(read, values);
  assert.ok(
    read[0]?.tried !== undefined && read[0].tried === read[3]?.tried && read[0].slots === read[3].slots,
  );
  assert.deepEqual(Object.keys(read[3] ?? {}), ['node', 'tried', 'slots']);
});

test('whatever values are and share, they are read as JSON would keep them', () => {
  const part = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const property = fc.property(
    fc.array(part, { minLength: 1, maxLength: 4 }),
    fc.array(fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.nat({ max: 3 }))), { maxLength: 8 }),
    (parts, values) => {
      const shared = values.map(value =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(
              Object.entries(value).map(([name, n]) => [name, typeof n === 'number' ? parts[n] : n]),
            )
          : value,
      );
      assert.deepEqual(parseJointText(toJointText(shared)), JSON.parse(JSON.stringify(shared)));
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test('what a text does not hold is a fault, never an absence', () => {
  const texts = [
    '[[{"a":1},{"a":null}],[["a",0,[1]]]]',
    '[[{"a":{}}],[["a",0,[1]]]]',
    '[[[]],[["a",0,[0]]]]',
  ];
  for (const text of [...texts, '[{}]', '[[]]', '{}', ''])
    assert.throws(() => {
      const values = parseJointText(text);
      // '[{}]' and '[[]]' have no list of what is shared.
      assert.fail(JSON.stringify(values));
    }, /SyntaxError|TypeError/);
});
