import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CertificateFiles, createCa, issue, toCaFiles } from '../../src/cli/pki/pki-files.ts';

/** A CA as `attache pki` makes it, in a folder that goes with the test, and what it signed. */
export interface TestPki {
  readonly folder: string;
  /** Certificate of the CA. */
  readonly ca: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: CertificateFiles;
  /** Issues one, in place of the one that was there. */
  node(id: string, now?: number): CertificateFiles;
  /** Another one for the server, in the same files. */
  renewServer(days?: number): void;
  /** Flags of `serve` for mutual TLS on both ports that Envoys use. */
  readonly serveFlags: readonly string[];
}

export const TRUST_DOMAIN = 'attache.test';

export function makePki(t: TestContext): TestPki {
  const folder = mkdtempSync(join(tmpdir(), 'attache-pki-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  createCa(folder, TRUST_DOMAIN, Date.now());
  const issueServer = (days = 30): CertificateFiles =>
    issue(
      folder,
      { kind: 'server', name: 'server', names: () => ['127.0.0.1', 'localhost'], days, replace: true },
      Date.now(),
    );
  const server = issueServer();
  const ca = toCaFiles(folder).cert;
  return {
    folder,
    ca,
    server,
    node(id, now = Date.now()) {
      const names = (trustDomain: string) => [`spiffe://${trustDomain}/node/${id}`];
      return issue(folder, { kind: 'node', name: id, names, days: 30, replace: true }, now);
    },
    renewServer: issueServer,
    serveFlags: [
      ...['--tls-cert', server.cert, '--tls-key', server.key, '--allow-plaintext', 'api'],
      ...['--node-auth', 'mtls', '--client-ca', ca],
    ],
  };
}

/** PEM as clients take it. */
export function readPem({ cert, key }: CertificateFiles): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
