/** Some kilobytes unpack to a module that lists millions: no more is taken out of one than a real one can need. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfigSchema } from '../../src/module/config-schema/read-config-schema.ts';
import { readOutline } from '../../src/module/module-outline.ts';
import { parseWasmHeader } from '../../src/module/wasm-header.ts';
import { buildProxyWasm, leb } from '../fixtures/wasm-builder.ts';
import { makeCache } from './actors.ts';

/** A section that lists one entry so many times. */
function listing(id: number, count: number, entry: readonly number[]): Buffer {
  const entries = Buffer.alloc(count * entry.length, Buffer.from(entry));
  const head = leb(count);
  return Buffer.concat([Buffer.from([id, ...leb(head.length + entries.length), ...head]), entries]);
}

const moduleOf = (...sections: readonly Buffer[]): Buffer => Buffer.concat([buildProxyWasm(), ...sections]);

const EXPORT = [0, 0, 0];
/** Sections without contents, as they are in a file. */
const toEmpty = (count: number, id: number) => Buffer.alloc(count * 2, Buffer.from([id, 0]));

test('as many functions as fit into a module that Envoy takes are read', () => {
  const header = parseWasmHeader(moduleOf(listing(3, 168_000, [0]), listing(7, 1_000, EXPORT)));
  // Its ABI, malloc and the memory are exported as well.
  assert.equal(header.exports.length, 1_003);
});

test('a module that lists more than any real one is refused, whatever it lists', () => {
  const cases = {
    types: [listing(1, 250_001, [0x60, 0, 0])],
    'parameters of one type': [listing(1, 1, [0x60, ...leb(2_000_000)])],
    imports: [listing(2, 250_001, [0, 0, 0, 0])],
    functions: [listing(3, 250_001, [0])],
    memories: [listing(5, 250_001, [0, 1])],
    exports: [listing(7, 250_001, EXPORT)],
    'exports, few at a time': Array.from({ length: 30 }, () => listing(7, 10_000, EXPORT)),
    'sections with nothing in them': [toEmpty(250_001, 4)],
  };
  for (const [name, sections] of Object.entries(cases))
    assert.throws(
      () => parseWasmHeader(moduleOf(...sections)),
      { code: 'broken-wasm', message: /250000/ },
      name,
    );
});

test('nor are sections without number looked through for a schema, or for the outline of a module', async t => {
  const cache = await makeCache(t);
  const bytes = moduleOf(toEmpty(250_001, 4));
  const { sha256 } = await cache.write([bytes], { maxBytes: bytes.length });
  await assert.rejects(readOutline(cache, sha256), { code: 'broken-wasm' });
  assert.throws(() => readConfigSchema(bytes), { code: 'broken-wasm' });
});
