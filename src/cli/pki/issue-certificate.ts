import { createHash, type KeyObject, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { DER, toDer, toOidBytes } from '../../model/der.ts';

/** What stands in a certificate (X.509 v3, RFC 5280); the key is P-256, the signature ECDSA with SHA-256. */
export interface CertificateRequest {
  readonly kind: 'ca' | 'server' | 'node';
  readonly commonName: string;
  readonly publicKey: KeyObject;
  /** URIs, DNS names and addresses. */
  readonly names: readonly string[];
  /** ms */
  readonly validFrom: number;
  readonly validTo: number;
  /** 16 bytes by chance. */
  readonly serial: Uint8Array;
}

export interface Issuer {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** PEM. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): string {
  const tbs = toDer(
    DER.sequence,
    toDer(0xa0, toDer(DER.integer, Buffer.from([2]))),
    toSerial(request.serial),
    ECDSA_SHA256,
    toName(issuer.commonName),
    toDer(DER.sequence, toTime(request.validFrom), toTime(request.validTo)),
    toName(request.commonName),
    toSpki(request.publicKey),
    toDer(0xa3, toDer(DER.sequence, ...toExtensions(request, issuer))),
  );
  const signature = sign('sha256', tbs, { key: issuer.privateKey, dsaEncoding: 'der' });
  const der = toDer(DER.sequence, tbs, ECDSA_SHA256, toBits(signature, 0));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const ECDSA_SHA256 = toDer(DER.sequence, toOid('1.2.840.10045.4.3.2'));

function toExtensions(request: CertificateRequest, issuer: Issuer): readonly Buffer[] {
  const isCa = request.kind === 'ca';
  const constraints = isCa
    ? toDer(DER.sequence, toBoolean(true), toDer(DER.integer, Buffer.from([0])))
    : toDer(DER.sequence);
  const authority = toDer(DER.sequence, toDer(0x80, toKeyId(issuer.publicKey)));
  return [
    toExtension('2.5.29.19', constraints, true),
    // A CA signs certificates (bit 5) and lists of revoked ones (bit 6); the others only in a handshake (bit 0).
    toExtension('2.5.29.15', isCa ? toBits(Buffer.from([0x06]), 1) : toBits(Buffer.from([0x80]), 7), true),
    ...(isCa ? [] : [toExtension('2.5.29.37', toDer(DER.sequence, toOid(PURPOSES[request.kind])))]),
    toExtension('2.5.29.14', toDer(DER.octetString, toKeyId(request.publicKey))),
    toExtension('2.5.29.35', authority),
    ...(request.names.length === 0
      ? []
      : [toExtension('2.5.29.17', toDer(DER.sequence, ...request.names.map(toAltName)))]),
  ];
}

/** What the other side asks for: a node cannot pose as a server, nor a server as a node. */
const PURPOSES = { ca: '', server: '1.3.6.1.5.5.7.3.1', node: '1.3.6.1.5.5.7.3.2' } as const;

function toExtension(oid: string, value: Uint8Array, isCritical = false): Buffer {
  const critical = isCritical ? [toBoolean(true)] : [];
  return toDer(DER.sequence, toOid(oid), ...critical, toDer(DER.octetString, value));
}

function toAltName(name: string): Buffer {
  if (isIPv4(name)) return toDer(0x87, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return toDer(0x87, toIPv6Bytes(name));
  return toDer(name.includes('://') ? 0x86 : 0x82, Buffer.from(name, 'ascii'));
}

function toIPv6Bytes(address: string): Buffer {
  // A URL writes an address in one way, also one that ends as IPv4 does.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => part.split(':').filter(Boolean);
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  const all = [...first, ...(tail === undefined ? [] : zeros), ...last];
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex');
}

function toName(commonName: string): Buffer {
  const text = toDer(DER.utf8String, Buffer.from(commonName));
  return toDer(DER.sequence, toDer(DER.set, toDer(DER.sequence, toOid('2.5.4.3'), text)));
}

/** To the second; from 2050 on with four digits of the year. */
function toTime(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]|\..*/g, '')}Z`;
  return text < '2050'
    ? toDer(DER.utcTime, Buffer.from(text.slice(2)))
    : toDer(DER.generalizedTime, Buffer.from(text));
}

/** Positive, and no digit too many: it begins with a one bit behind a zero bit. */
function toSerial(random: Uint8Array): Buffer {
  const [first = 0, ...rest] = random;
  return toDer(DER.integer, Buffer.from([(first & 0x7f) | 0x40, ...rest]));
}

function toSpki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function toKeyId(key: KeyObject): Buffer {
  return createHash('sha256').update(toSpki(key)).digest().subarray(0, 20);
}

function toOid(oid: string): Buffer {
  return toDer(DER.oid, toOidBytes(oid));
}

function toBoolean(value: boolean): Buffer {
  return toDer(DER.boolean, Buffer.from([value ? 0xff : 0]));
}

function toBits(bytes: Uint8Array, unused: number): Buffer {
  return toDer(DER.bitString, Buffer.from([unused]), bytes);
}
