import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { isPem, parseSignatureKey } from '../../src/model/signature-key.ts';

const toPem = (key: KeyObject) => key.export({ format: 'pem', type: 'spki' }).toString();
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
const p256 = toPem(ec('prime256v1').publicKey);

test('the four kinds of keys are known by themselves', () => {
  const kinds = [
    ['ecdsa-p256-sha256', p256],
    ['ecdsa-p384-sha384', toPem(ec('secp384r1').publicKey)],
    ['ed25519', toPem(generateKeyPairSync('ed25519').publicKey)],
    ['rsa-pkcs1-sha256', toPem(rsa(2048).publicKey)],
  ] as const;
  for (const [algorithm, pem] of kinds) {
    const key = parseSignatureKey(pem);
    assert.ok(typeof key !== 'string', String(key));
    assert.equal(key.algorithm, algorithm);
    assert.match(key.fingerprint, /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(parseSignatureKey(key.pem), key);
  }
});

test('one key has one fingerprint, however its PEM is broken into lines', () => {
  const body = p256.split('\n').slice(1, -2).join('');
  const [one, other] = [p256, `\n-----BEGIN PUBLIC KEY-----\r\n${body}\r\n-----END PUBLIC KEY-----\r\n\n`];
  assert.deepEqual(parseSignatureKey(other), parseSignatureKey(one));
});

test('what is no such key is refused with the reason', () => {
  const pair = ec('prime256v1');
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['a private key', pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), /private key/],
    ['a private key behind a public one', `${p256}-----BEGIN EC PRIVATE KEY-----`, /private key/],
    ['two keys', p256 + p256, /one block/],
    ['PKCS #1', rsa(2048).publicKey.export({ format: 'pem', type: 'pkcs1' }).toString(), /RSA PUBLIC KEY/],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /CERTIFICATE/],
    ['RSA of 1024 bits', toPem(rsa(1024).publicKey), /1024 bits/],
    ['RSA with a huge exponent', hugeExponent(), /exponent/],
    ['RSA-PSS', toPem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey), /rsa-pss/],
    ['P-521', toPem(ec('secp521r1').publicKey), /secp521r1/],
    ['secp256k1', toPem(ec('secp256k1').publicKey), /secp256k1/],
    ['X25519', toPem(generateKeyPairSync('x25519').publicKey), /x25519/],
    ['a cut one', p256.replace(/\n.+\n-----END/, '\n-----END'), /decode/],
    ['nothing', '', /one block/],
  ];
  for (const [name, text, why] of refused) {
    const key = parseSignatureKey(text);
    assert.ok(typeof key === 'string', name);
    assert.match(key, why, name);
  }
});

function hugeExponent(): string {
  const jwk = rsa(2048).publicKey.export({ format: 'jwk' });
  return toPem(createPublicKey({ key: { ...jwk, e: 'AQAAAAAB' }, format: 'jwk' }));
}

test('no text makes it throw, and none but PEM is taken', () => {
  const body = p256.split('\n').slice(1, -2).join('');
  const mutated = fc
    .tuple(fc.nat(body.length - 1), fc.constantFrom('A', '/', '=', 'z', ''))
    .map(
      ([at, by]) =>
        `-----BEGIN PUBLIC KEY-----\n${body.slice(0, at)}${by}${body.slice(at + 1)}\n-----END PUBLIC KEY-----`,
    );
  fc.assert(
    fc.property(fc.oneof(fc.string(), mutated), text => {
      const key = parseSignatureKey(text);
      if (typeof key === 'string') return;
      assert.ok(isPem(text));
      assert.equal(createPublicKey(key.pem).asymmetricKeyType, 'ec');
    }),
    { numRuns: 300 },
  );
});
