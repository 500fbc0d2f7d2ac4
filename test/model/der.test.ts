import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DER, readDer, readDerInside, toDer, toOidBytes } from '../../src/model/der.ts';

test('what is written is read again, at any length', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000]) {
    const content = Buffer.alloc(length, 1);
    const [only, ...more] = readDer(toDer(DER.octetString, content));
    assert.deepEqual([only?.tag, more.length], [DER.octetString, 0]);
    assert.ok(content.equals(only?.content ?? assert.fail()), `${length} bytes`);
  }
  const inside = readDerInside(toDer(DER.sequence, toDer(DER.integer, Buffer.from([1]))), DER.sequence);
  assert.equal(inside.length, 1);
});

test('what BER would allow and DER does not is an error', () => {
  const wrong = [
    '0481', // no length
    '048180', // longer than there is
    '04810100', // a short length written long
    '0482000500', // a length with a zero before it
    '04800000', // no definite length
    '0485000000000100', // a length of five bytes
    '1f0100', // a tag of several bytes
    '0402ff', // shorter than it says
  ];
  for (const hex of wrong) assert.throws(() => readDer(Buffer.from(hex, 'hex')), Error, hex);
  assert.throws(() => readDerInside(Buffer.from('04000400', 'hex'), DER.octetString), Error);
});

test('an OID is written as X.690 has it', () => {
  assert.equal(toOidBytes('1.2.840.10045.4.3.2').toString('hex'), '2a8648ce3d040302');
  assert.equal(toOidBytes('2.5.29.17').toString('hex'), '551d11');
});
