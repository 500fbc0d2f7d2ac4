import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withConfigSchema } from '../../../src/model/config-schema.ts';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { checkConfig } from '../../../src/module/config-schema/check-config.ts';
import { findConfigFaults } from '../../../src/module/config-schema/find-config-faults.ts';
import { type ConfigSchema, readConfigSchema } from '../../../src/module/config-schema/read-config-schema.ts';
import { ModuleError } from '../../../src/module/module-error.ts';
import { WebAssembly } from '../../../src/module/trial/web-assembly.ts';
import { build } from '../trial/trial-modules.ts';

const module = build({});
const bring = (schema: unknown) => withConfigSchema(module, JSON.stringify(schema));
const bad = { code: 'bad-config-schema' };

test('a schema goes into a module and comes out of it; the module stays what it was', () => {
  const schema = { type: 'object', description: 'ünïcode', properties: { a: { maximum: 1 } } };
  const bytes = bring(schema);
  assert.deepEqual(readConfigSchema(bytes), schema);
  assert.deepEqual(Buffer.from(bytes.subarray(0, module.length)), Buffer.from(module));
  assert.ok(new WebAssembly.Module(new Uint8Array(bytes)));
  assert.equal(readConfigSchema(module), undefined);
  assert.equal(readConfigSchema(bring(true)), true);
  // Of more than one byte of length.
  assert.deepEqual(readConfigSchema(bring({ title: 'x'.repeat(20_000) })), { title: 'x'.repeat(20_000) });
});

test('what is no schema is said to be none', () => {
  for (const schema of ['[]', 'null', '5', '"x"', '{', '', '\xff'])
    assert.throws(() => readConfigSchema(withConfigSchema(module, schema)), bad, schema);
  assert.throws(() => readConfigSchema(bring({ title: 'x'.repeat(70_000) })), bad);
  assert.throws(() => readConfigSchema(withConfigSchema(bring({}), '{}')), bad);
});

test('a schema that is nested deeper than anybody can look is a bad one', () => {
  const nest = (from: string, to: string) => JSON.parse(`${from.repeat(30_000)}{}${to.repeat(30_000)}`);
  const lists = nest('[', ']');
  for (const schema of [{ x: lists }, { enum: [lists] }, nest('{"not":', '}')])
    assert.throws(() => findConfigFaults(schema, {}), bad);
});

test('whatever the bytes are, they are a schema, none, or a fault that is told', () => {
  const bytes = Buffer.from(bring({ type: 'object' }));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, byte, end) => {
      const changed = Buffer.from(bytes);
      changed[at] = byte;
      try {
        readConfigSchema(changed.subarray(0, end));
      } catch (error) {
        assert.ok(error instanceof ModuleError, String(error));
      }
    }),
  );
});

const schema: ConfigSchema = {
  type: 'object',
  required: ['word'],
  properties: {
    word: { type: 'string', minLength: 1 },
    count: { type: 'integer', minimum: 1 },
    mode: { enum: ['on', 'off'] },
    users: { additionalProperties: { type: 'string' }, propertyNames: { pattern: '^[a-z]+$' } },
    list: { type: 'array', items: { type: ['string', 'null'] } },
    'a/b~c': { type: 'string' },
  },
  additionalProperties: false,
};

const cases: readonly [config: JsonObject | undefined, faults: readonly string[]][] = [
  [{ word: 'x', count: 1, mode: 'on', users: { a: 'b' }, list: ['x', null] }, []],
  [undefined, ['/spec/pluginConfig word is missing']],
  [{ word: '' }, ['/spec/pluginConfig/word must not have fewer than 1 characters']],
  [
    { wrod: 'x' },
    ['/spec/pluginConfig word is missing', '/spec/pluginConfig/wrod unknown field (Did you mean word?)'],
  ],
  [
    { word: 5, count: 1.5 },
    [
      '/spec/pluginConfig/word expected a string, got number',
      '/spec/pluginConfig/count expected an integer, got number',
    ],
  ],
  [{ word: 'x', mode: 'of' }, ['/spec/pluginConfig/mode expected one of on, off']],
  [{ word: 'x', users: { a: 1 } }, ['/spec/pluginConfig/users/a expected a string, got number']],
  [{ word: 'x', list: ['x', 5] }, ['/spec/pluginConfig/list/1 expected a string or null, got number']],
  [{ word: 'x', 'a/b~c': [] }, ['/spec/pluginConfig/a~1b~0c expected a string, got array']],
];
for (const [config, expected] of cases)
  test(`faults of ${JSON.stringify(config)}: ${expected.length}`, () => {
    const faults = findConfigFaults(schema, config);
    const lines = faults.map(
      ({ pointer, message, hint }) => `${pointer} ${message}${hint ? ` (${hint})` : ''}`,
    );
    assert.deepEqual(lines, expected);
  });

test('the error has all faults, and the first in its text', () => {
  assert.throws(() => checkConfig(bring(schema), { pluginConfig: { wrod: 'x' } }), {
    code: 'config-mismatch',
    message: 'pluginConfig: word is missing, and 1 more',
  });
  checkConfig(bring(schema), { pluginConfig: { word: 'x' } });
  checkConfig(module, { pluginConfig: { anything: [] } });
});

test('a schema that takes for ever, or refers to itself, is a bad one', () => {
  const slow = { properties: { a: { pattern: '^(a+)+$' } } };
  assert.throws(() => findConfigFaults(slow, { a: `${'a'.repeat(50)}!` }), bad);
  assert.throws(() => findConfigFaults({ $ref: '#' }, {}), bad);
  assert.throws(
    () => findConfigFaults({ properties: { a: { $ref: 'https://schemas.example/a' } } }, {}),
    bad,
  );
  assert.deepEqual(findConfigFaults({ $defs: { a: { type: 'object' } }, $ref: '#/$defs/a' }, {}), []);
  assert.throws(() => findConfigFaults({ properties: { a: { pattern: '(' } } }, { a: 'x' }), bad);
});
