import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { toMessage } from '../model/error.ts';
import type { CertificateStatus, TlsMaterial, TlsPaths } from '../model/server-tls.ts';
import { TlsError } from './tls-error.ts';

/** The bytes of all files, in the order of the paths. Throws TlsError. */
export async function readFiles({ cert, key, clientCas }: TlsPaths): Promise<TlsMaterial> {
  const [certBytes, keyBytes, ...caBytes] = await Promise.all([cert, key, ...clientCas].map(readOne));
  return { cert: certBytes ?? Buffer.alloc(0), key: keyBytes ?? Buffer.alloc(0), clientCas: caBytes };
}

export function isSameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  const same = (x: Buffer, y: Buffer | undefined): boolean => y !== undefined && x.equals(y);
  return (
    same(a.cert, b.cert) && same(a.key, b.key) && a.clientCas.every((bytes, i) => same(bytes, b.clientCas[i]))
  );
}

/**
 * Checks that they can be used together, so that a handshake does not find it out; what is expired is for the clients to
 * judge. Throws TlsError, which names the file.
 */
export function checkMaterial(material: TlsMaterial, paths: TlsPaths): readonly CertificateStatus[] {
  const chain = parseBundle(material.cert, paths.cert);
  const leaf = chain[0];
  const key = wrapped(paths.key, () => createPrivateKey(material.key));
  if (leaf === undefined || !leaf.checkPrivateKey(key))
    throw wrong(
      paths.key,
      `it is not the key of ${paths.cert}`,
      'The certificate of the server itself comes first in its file.',
    );
  if (leaf.ca)
    throw wrong(
      paths.cert,
      'it is the certificate of a CA',
      'Issue one for the server: attache pki issue --server HOST DIR',
    );
  wrapped(paths.cert, () => createSecureContext({ cert: material.cert, key: material.key }));
  const cas = paths.clientCas.flatMap((file, i) => {
    const bytes = material.clientCas[i] ?? Buffer.alloc(0);
    return parseBundle(bytes, file).map(certificate => {
      if (certificate.ca) return toStatus(certificate, file, 'client-ca');
      throw wrong(
        file,
        `${oneLine(certificate.subject)} is not a CA`,
        'It takes the CAs that sign the certificates of Envoys, not those certificates.',
      );
    });
  });
  return [toStatus(leaf, paths.cert, 'tls-cert'), ...cas];
}

/** Fingerprints of the CAs of clients. */
export function toTrusted({ clientCas }: TlsMaterial): ReadonlySet<string> {
  return new Set(
    clientCas.flatMap(bytes => toPems(bytes).map(pem => new X509Certificate(pem).fingerprint256)),
  );
}

function parseBundle(bytes: Buffer, file: string): readonly X509Certificate[] {
  const pems = toPems(bytes);
  if (pems.length === 0) throw wrong(file, 'there is no PEM certificate in it');
  return pems.map(pem => wrapped(file, () => new X509Certificate(pem)));
}

function toPems(bytes: Buffer): readonly string[] {
  return bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function toStatus(
  certificate: X509Certificate,
  file: string,
  use: CertificateStatus['use'],
): CertificateStatus {
  return { file, use, subject: oneLine(certificate.subject), validTo: certificate.validToDate.getTime() };
}

/** OpenSSL writes a part of a name a line; a certificate need not have any. */
function oneLine(subject: string | undefined): string {
  return (subject ?? '').replaceAll('\n', ', ') || 'a certificate without a name';
}

async function readOne(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw wrong(path, toMessage(cause));
  }
}

function wrapped<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw wrong(file, toMessage(cause));
  }
}

function wrong(file: string, what: string, hint = 'Correct the file, or name another one.'): TlsError {
  return new TlsError('tls-file-wrong', `${file}: ${what}`, { hint });
}

/** Of each setting the certificate that ends first, ms. */
export function toSoonestEnds(certificates: readonly CertificateStatus[]): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const { use, validTo } of certificates) ends.set(use, Math.min(ends.get(use) ?? validTo, validTo));
  return ends;
}
