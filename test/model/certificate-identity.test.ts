/** Whose a certificate is, and certificates that were made to seem somebody else's (CVE-2021-44531, -44532, CVE-2026-39350, -47778). */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { issueCertificate } from '../../src/cli/pki/issue-certificate.ts';
import { readCertificateIdentity } from '../../src/model/certificate-identity.ts';
import { DER } from '../../src/model/der.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const issuer = { commonName: 'a CA', ...keys };
const FROM = Date.UTC(2026, 0, 1);
const TO = Date.UTC(2027, 0, 1);

function make(names: readonly string[], commonName = 'edge-1'): Buffer {
  const request = { kind: 'node', commonName, publicKey: keys.publicKey, names } as const;
  const pem = issueCertificate({ ...request, validFrom: FROM, validTo: TO, serial: randomBytes(16) }, issuer);
  return new X509Certificate(pem).raw;
}

const nameOf = (names: readonly string[], commonName?: string) =>
  readCertificateIdentity(make(names, commonName)).name;
const refused = (names: readonly string[], commonName?: string) =>
  assert.throws(() => nameOf(names, commonName), Error);

/** The same bytes with others in one place; its signature is wrong then, which TLS would find. */
function patch(der: Buffer, from: Buffer, to: Buffer): Buffer {
  assert.equal(from.length, to.length);
  const at = der.lastIndexOf(from);
  assert.ok(at > 0);
  return Buffer.concat([der.subarray(0, at), to, der.subarray(at + to.length)]);
}

test('a SPIFFE id counts before a DNS name, and that before a common name', () => {
  assert.deepEqual(readCertificateIdentity(make(['spiffe://example.org/ns/edge/node/edge-1', 'a.example'])), {
    kind: 'spiffe',
    name: 'spiffe://example.org/ns/edge/node/edge-1',
    validFrom: FROM,
    validTo: TO,
  });
  assert.equal(nameOf(['https://example.org/', 'edge-1.example.org']), 'edge-1.example.org');
  assert.equal(nameOf(['10.0.0.1'], 'edge-1'), 'edge-1', 'an address says nothing of who it is');
  assert.equal(nameOf([], 'Kante 1'), 'Kante 1');
});

test('several of the kind that counts say nothing', () => {
  refused(['spiffe://example.org/a', 'spiffe://example.org/b']);
  refused(['spiffe://example.org/a', 'https://example.org/']);
  refused(['edge-1.example.org', 'edge-2.example.org']);
});

test('a SPIFFE id has a trust domain and a path, and nothing else', () => {
  const wrong = [
    'spiffe://example.org',
    'spiffe://example.org/',
    'spiffe:///edge-1',
    'SPIFFE://example.org/edge-1',
    'spiffe://Example.org/edge-1',
    'spiffe://example.org:80/edge-1',
    'spiffe://ada@example.org/edge-1',
    'spiffe://example.org/a/../edge-1',
    'spiffe://example.org/a//edge-1',
    'spiffe://example.org/edge-1?x',
    'spiffe://example.org/edge%2d1',
    `spiffe://example.org/${'a'.repeat(2048)}`,
  ];
  for (const id of wrong) refused([id]);
});

test('a NUL, a blank or a comma in a name is no end of it', () => {
  refused(['edge-1.example.org\0.evil.example']);
  refused(['spiffe://example.org/edge-1\0']);
  refused(['edge-1, DNS:edge-2']);
  refused(['edge-1.example.org '], 'edge-1');
  refused([], 'edge-1\0.evil');
  refused([], 'edge-1\n');
  refused([], 'edge-1\u202e');
});

test('a DNS name is of one host', () => {
  refused(['*.example.org']);
  refused(['.example.org']);
  refused(['edge_1..example.org']);
  refused(['a'.repeat(64)]);
});

test('a common name does not pass for a URI', () => refused([], 'spiffe://example.org/node/edge-1'));

test('bytes that are no UTF-8, and texts of old kinds, are refused', () => {
  const der = make([], 'edge-X');
  refusedBytes(patch(der, Buffer.from('edge-X'), Buffer.from([0x65, 0x64, 0x67, 0x65, 0x2d, 0xff])));
  const tagged = (tag: number) => Buffer.from([tag, 6, ...Buffer.from('edge-X')]);
  refusedBytes(patch(der, tagged(DER.utf8String), tagged(0x1e)));
  refusedBytes(patch(der, tagged(DER.utf8String), tagged(0x14)));
});

function refusedBytes(der: Buffer): void {
  assert.throws(() => readCertificateIdentity(der), Error);
}

test('whatever a byte is changed to, no name comes out that could not stand in a certificate', () => {
  const der = make(['spiffe://example.org/node/edge-1']);
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(255), (at, value) => {
      const bytes = Buffer.from(der);
      bytes[at] = value;
      try {
        const { name, kind } = readCertificateIdentity(bytes);
        assert.ok(kind === 'cn' || /^[\x21-\x7e]+$/.test(name), name);
        assert.doesNotMatch(name, /\p{C}/u);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 150 },
  );
});
