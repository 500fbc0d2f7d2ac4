import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toMessage } from '../../model/error.ts';
import { CliError } from '../cli-error.ts';
import { type CertificateRequest, type Issuer, issueCertificate } from './issue-certificate.ts';

/** A certificate and its key, as files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
/** For clocks of Envoys that are behind. Not for nodes: what was issued after a revocation must count at once. */
const BACKDATED_MS = 3_600_000;

export function toCaFiles(directory: string): CertificateFiles {
  return { cert: join(directory, 'ca.pem'), key: join(directory, 'ca-key.pem') };
}

/** A CA of its own; nothing that is there is written over. Throws CliError `bad-file`. */
export function createCa(directory: string, trustDomain: string, now: number): CertificateFiles {
  const files = toCaFiles(directory);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { commonName: `Attaché CA of ${trustDomain}`, publicKey, privateKey };
  const request: CertificateRequest = {
    ...{ kind: 'ca', commonName: issuer.commonName, publicKey, names: [`spiffe://${trustDomain}`] },
    ...{ validFrom: now - BACKDATED_MS, validTo: now + CA_DAYS * DAY_MS, serial: randomBytes(16) },
  };
  return wrapped(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return write(files, issueCertificate(request, issuer), privateKey, false);
  });
}

/** What the CA of a directory is to sign. */
export interface Wanted {
  readonly kind: 'server' | 'node';
  /** Of the files, and the common name. */
  readonly name: string;
  readonly names: (trustDomain: string) => readonly string[];
  readonly days: number;
  /** Files of that name may be replaced, the key too. */
  readonly replace: boolean;
}

/** Throws CliError `bad-file`. */
export function issue(
  directory: string,
  wanted: Wanted,
  now: number,
): CertificateFiles & { readonly trustDomain: string } {
  return wrapped(directory, () => {
    const { issuer, trustDomain } = readCa(directory);
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const validFrom = wanted.kind === 'server' ? now - BACKDATED_MS : now;
    const request: CertificateRequest = {
      ...{
        kind: wanted.kind,
        commonName: wanted.name.slice(0, 64),
        publicKey,
        names: wanted.names(trustDomain),
      },
      ...{ validFrom, validTo: now + wanted.days * DAY_MS, serial: randomBytes(16) },
    };
    const files = {
      cert: join(directory, `${wanted.name}.pem`),
      key: join(directory, `${wanted.name}-key.pem`),
    };
    return {
      ...write(files, issueCertificate(request, issuer), privateKey, wanted.replace),
      trustDomain,
    };
  });
}

/** The trust domain stands in the certificate of the CA. */
function readCa(directory: string): { issuer: Issuer; trustDomain: string } {
  const files = toCaFiles(directory);
  const certificate = new X509Certificate(readFileSync(files.cert));
  const privateKey = createPrivateKey(readFileSync(files.key));
  const commonName = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  const trustDomain = /^URI:spiffe:\/\/([a-z0-9._-]+)$/.exec(certificate.subjectAltName ?? '')?.[1];
  if (commonName === undefined || trustDomain === undefined || !certificate.checkPrivateKey(privateKey))
    throw new CliError('bad-file', `${files.cert} and ${files.key} are not a CA that attache pki init made`);
  return { issuer: { commonName, publicKey: certificate.publicKey, privateKey }, trustDomain };
}

/** The key first: a certificate without its key is of no use, and the other way round it can be made again. */
function write(files: CertificateFiles, cert: string, key: KeyObject, replace: boolean): CertificateFiles {
  const parts = [
    { path: files.key, text: String(key.export({ type: 'pkcs8', format: 'pem' })), mode: 0o600 },
    { path: files.cert, text: cert, mode: 0o644 },
  ];
  const made: string[] = [];
  try {
    for (const { path, text, mode } of parts) {
      const partial = `${path}.new`;
      rmSync(partial, { force: true });
      writeFileSync(partial, text, { mode, flag: 'wx', flush: true });
      if (replace) renameSync(partial, path);
      else {
        // A link fails where something is there already; a rename would write over it.
        try {
          linkSync(partial, path);
        } finally {
          rmSync(partial);
        }
        made.push(path);
      }
    }
    return files;
  } catch (error) {
    for (const path of made) rmSync(path);
    throw error;
  }
}

function wrapped<T>(directory: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'EEXIST')
      throw new CliError('bad-file', `${toMessage(cause).replace(/.* '([^']*)'$/, '$1')} is there already`, {
        cause,
        hint: 'Nothing was changed. Another directory, or for a certificate that is to be renewed: --replace',
      });
    const hint = code === 'ENOENT' ? { hint: `Make a CA first: attache pki init ${directory}` } : {};
    throw new CliError('bad-file', `${directory}: ${toMessage(cause)}`, { cause, ...hint });
  }
}
