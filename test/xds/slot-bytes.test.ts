/** Responses with one place, written around its template, are the bytes that the writer for any response makes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CAPABILITY_LENGTH, fillTemplate, TAG_LENGTH } from '../../src/model/snapshot.ts';
import { EXTENSION_CONFIG_TYPE } from '../../src/model/type-url.ts';
import { encodeDeltaResponse } from '../../src/xds/delta/messages.ts';
import { encodeDeltaSlot, encodeSotwSlot, type SlotPush } from '../../src/xds/slot-bytes.ts';
import { encodeSotwResponse } from '../../src/xds/sotw/messages.ts';
import { messageOf } from './model/message-of.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const HOLE = CAPABILITY_LENGTH + TAG_LENGTH + 9;

/** Lengths around those at which a length takes one byte more. */
const size = fc.oneof(
  fc.nat(40),
  fc.integer({ min: 100, max: 140 }),
  fc.integer({ min: 16_200, max: 16_500 }),
);

const pushes: fc.Arbitrary<SlotPush> = fc
  .record({
    name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
    version: hex(34),
    size,
    capabilities: fc.array(hex(CAPABILITY_LENGTH), { maxLength: 3 }),
    tag: hex(TAG_LENGTH),
  })
  .map(({ name, version, size: before, capabilities, tag }) => {
    const holes = capabilities.map((_, i) => {
      const capability = before + i * HOLE;
      return { capability, tag: capability + CAPABILITY_LENGTH + 5 };
    });
    const bytes = Buffer.alloc(before + holes.length * HOLE, 'x');
    return { name, version, template: { bytes, holes }, capabilities, tags: capabilities.map(() => tag) };
  });

test('in the incremental form', () => {
  fc.assert(
    fc.property(pushes, hex(3), (push, nonce) => {
      const { name, version, template, capabilities, tags } = push;
      const any = fillTemplate(template, capabilities, tags);
      const resources = [{ name, version, any }];
      const whole = encodeDeltaResponse({ typeUrl: EXTENSION_CONFIG_TYPE, nonce, resources, removed: [] });
      assert.deepEqual(messageOf(encodeDeltaSlot(push, nonce)), whole);
    }),
    { numRuns: 60 },
  );
});

test('in the state of the world', () => {
  fc.assert(
    fc.property(pushes, hex(3), hex(16), (push, nonce, versionInfo) => {
      const any = fillTemplate(push.template, push.capabilities, push.tags);
      const typeUrl = EXTENSION_CONFIG_TYPE;
      const whole = encodeSotwResponse({ typeUrl, versionInfo, nonce, resources: [any] });
      assert.deepEqual(messageOf(encodeSotwSlot(push, versionInfo, nonce)), whole);
    }),
    { numRuns: 60 },
  );
});

test('4. a capability or a tag of another width is not written', () => {
  const template = { bytes: Buffer.alloc(HOLE), holes: [{ capability: 0, tag: CAPABILITY_LENGTH }] };
  const push = { name: 's', version: '1.v', template, capabilities: ['c'.repeat(CAPABILITY_LENGTH)] };
  assert.throws(() => encodeDeltaSlot({ ...push, tags: ['short'] }, '1'), RangeError);
});
