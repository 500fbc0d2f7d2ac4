import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withConfigSchema } from '../../src/model/config-schema.ts';
import type { BlobCache } from '../../src/module/blob-cache.ts';
import { checkModule } from '../../src/module/check-module.ts';
import { readConfigSchema } from '../../src/module/config-schema/read-config-schema.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { readOutline } from '../../src/module/module-outline.ts';
import { parseWasmHeader } from '../../src/module/wasm-header.ts';
import { buildProxyWasm } from '../fixtures/wasm-builder.ts';
import { makeCache } from './actors.ts';

/** Of every kind of section; the custom ones in between, too. */
const MODULE = withConfigSchema(
  buildProxyWasm({
    comment: 'x'.repeat(200_000),
    imports: [{ module: 'env', name: 'proxy_log', type: 'i32,i32,i32->i32' }],
    exports: [{ name: 'proxy_on_vm_start', type: 'i32,i32->i32' }],
    data: { at: 8, text: 'y'.repeat(1_000) },
    tableSize: 3,
  }),
  '{"type":"object"}',
);

async function outlineOf(cache: BlobCache, bytes: Uint8Array): Promise<Uint8Array> {
  const { sha256 } = await cache.write([bytes], { maxBytes: 1 << 24 });
  const outline = await readOutline(cache, sha256);
  assert.ok(outline !== undefined);
  return outline;
}

/** All that is decided about a module by its bytes, or the code of the refusal. */
function judge(bytes: Uint8Array): unknown {
  try {
    return { ...checkModule(bytes, []), header: parseWasmHeader(bytes), schema: readConfigSchema(bytes) };
  } catch (error) {
    if (error instanceof ModuleError) return error.code;
    throw error;
  }
}

test('an outline tells the checks what the module tells them, and is small', async t => {
  const outline = await outlineOf(await makeCache(t), MODULE);
  assert.deepEqual(judge(outline), judge(MODULE));
  assert.ok(outline.length < 1_000, `${outline.length} bytes`);
});

test('sections that are bigger than a piece of the file are read whole', async t => {
  const comment = 'a'.repeat(70_000);
  const imports = Array.from({ length: 3_000 }, (_, i) => ({
    module: 'env',
    name: `${comment.slice(0, 40)}${i}`,
    type: 'i32->i32',
  }));
  const bytes = buildProxyWasm({ comment, imports });
  const outline = await outlineOf(await makeCache(t), bytes);
  assert.deepEqual(parseWasmHeader(outline), parseWasmHeader(bytes));
});

test('what is no module, or is not in the cache, stays so', async t => {
  const cache = await makeCache(t);
  for (const text of ['', '\0as', 'hello, world', '\0asm\x0d\0\x01\0'])
    assert.equal(judge(await outlineOf(cache, Buffer.from(text))), judge(Buffer.from(text)), text);
  assert.equal(await readOutline(cache, '0'.repeat(64)), undefined);
});

test('a module that is cut off anywhere is refused as the whole of it would be', async t => {
  const cache = await makeCache(t);
  const bytes = withConfigSchema(buildProxyWasm({ comment: 'c', data: { at: 0, text: 'd' } }), '{}');
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    assert.deepEqual(judge(await outlineOf(cache, cut)), judge(cut), `${length} bytes`);
  }
});

test('a damaged module is judged alike', async t => {
  const cache = await makeCache(t);
  const bytes = withConfigSchema(buildProxyWasm({ comment: 'c', data: { at: 0, text: 'd' } }), '{}');
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(damage, async changes => {
      const damaged = Uint8Array.from(bytes);
      for (const [at, value] of changes) damaged[at] = value;
      assert.deepEqual(judge(await outlineOf(cache, damaged)), judge(damaged));
    }),
    { numRuns: 100 },
  );
});
