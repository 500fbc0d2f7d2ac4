import { X509Certificate } from 'node:crypto';
import { DER, type DerElement, readDer, readDerInside, toOidBytes } from './der.ts';

/** Who a client certificate is of. Whether it is to be believed is checked before, by TLS. */
export interface CertificateIdentity {
  readonly kind: 'spiffe' | 'dns' | 'cn';
  /** As it stands in the certificate: `spiffe://example.org/node/edge-1`, `edge-1.example.org`, `edge-1`. */
  readonly name: string;
  /** From when and until when the certificate is valid, ms. */
  readonly validFrom: number;
  readonly validTo: number;
}

/**
 * One URI SAN `spiffe://<trust domain>/<path>`; where there is none, one DNS SAN; where there is none, one common name. It is
 * read from the bytes of the certificate and not from a text of all names, in which a name could pose as two. Throws an Error
 * for one without any of these, with several of the kind that counts, and with characters that do not belong in it.
 * https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md
 */
export function readCertificateIdentity(der: Uint8Array): CertificateIdentity {
  const { validFromDate, validToDate } = new X509Certificate(der);
  const { subject, extensions } = readParts(der);
  return {
    ...findName(subject, extensions),
    validFrom: validFromDate.getTime(),
    validTo: validToDate.getTime(),
  };
}

const SAN = toOidBytes('2.5.29.17');
const COMMON_NAME = toOidBytes('2.5.4.3');
const URI_NAME = 0x86;
const DNS_NAME = 0x82;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
/** Of tbsCertificate (RFC 5280, 4.1) behind the version: serial, algorithm, issuer, validity, subject. */
const SUBJECT = 4;

const SPIFFE = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)+$/;
const DNS = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*$/;

function findName(
  subject: DerElement | undefined,
  extensions: readonly DerElement[],
): Pick<CertificateIdentity, 'kind' | 'name'> {
  const names = readAltNames(extensions);
  const uris = names.filter(({ tag }) => tag === URI_NAME).map(({ content }) => toAscii(content, 'a URI'));
  if (uris.some(uri => /^spiffe:/i.test(uri))) {
    const name = onlyOne(uris, 'URIs');
    const isPath = SPIFFE.test(name) && !name.split('/').some(part => part === '.' || part === '..');
    if (!isPath || name.length > 2048)
      throw new Error(`${JSON.stringify(name)} is not a SPIFFE id with a path`);
    return { kind: 'spiffe', name };
  }
  const hosts = names
    .filter(({ tag }) => tag === DNS_NAME)
    .map(({ content }) => toAscii(content, 'a DNS name'));
  if (hosts.length > 0) {
    const name = onlyOne(hosts, 'DNS names');
    if (!DNS.test(name)) throw new Error(`${JSON.stringify(name)} is not the DNS name of one host`);
    return { kind: 'dns', name };
  }
  const common = subject === undefined ? [] : readCommonNames(subject);
  if (common.length === 0) throw new Error('it has no SPIFFE id, no DNS name and no common name');
  const name = onlyOne(common, 'common names');
  // It may be any text: one that looks like a name of another kind must not pass for it.
  if (name.includes('://')) throw new Error('the common name in it looks like a URI');
  return { kind: 'cn', name };
}

function onlyOne(names: readonly string[], what: string): string {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0)
    throw new Error(`it has ${names.length} ${what}, so that it says not who it is of`);
  return name;
}

function readParts(der: Uint8Array): { subject: DerElement | undefined; extensions: readonly DerElement[] } {
  const [tbs] = readDerInside(der, DER.sequence);
  const fields = readDer(tbs?.content ?? new Uint8Array());
  const behind = fields[0]?.tag === VERSION ? fields.slice(1) : fields;
  const list = fields.find(({ tag }) => tag === EXTENSIONS);
  return {
    subject: behind[SUBJECT],
    extensions: list === undefined ? [] : readDerInside(list.content, DER.sequence),
  };
}

/** An extension: its OID, whether it is critical (may be left out), its value in an octet string. */
function readAltNames(extensions: readonly DerElement[]): readonly DerElement[] {
  const own = extensions.map(({ content }) => readDer(content)).filter(([id]) => isOid(id, SAN));
  if (own.length > 1) throw new Error('it has several lists of alternative names');
  const value = own[0]?.at(-1);
  return value === undefined ? [] : readDerInside(value.content, DER.sequence);
}

/** A name: a sequence of sets of pairs of an OID and a text. */
function readCommonNames({ content }: DerElement): readonly string[] {
  return readDer(content)
    .flatMap(set => readDer(set.content))
    .map(pair => readDer(pair.content))
    .filter(([id]) => isOid(id, COMMON_NAME))
    .map(([, text]) => toText(text));
}

function isOid(element: DerElement | undefined, oid: Buffer): boolean {
  return element?.tag === DER.oid && oid.equals(element.content);
}

function toAscii(bytes: Uint8Array, what: string): string {
  const text = Buffer.from(bytes).toString('latin1');
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new Error(`${what} in it has characters that it must not have`);
}

const TEXTS: readonly number[] = [DER.utf8String, DER.printableString, DER.ia5String];

function toText(element: DerElement | undefined): string {
  if (element === undefined || !TEXTS.includes(element.tag))
    throw new Error('the common name in it is not of a kind that can be read surely');
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(element.content);
  if (text === '' || /\p{C}/u.test(text))
    throw new Error('the common name in it has characters that it must not have');
  return text;
}
