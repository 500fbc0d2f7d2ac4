import { constants } from 'node:crypto';
import type { Server, TlsOptions } from 'node:tls';

/** Files, by absolute paths. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  /** PEM bundles; what is in any of them counts. */
  readonly clientCas: readonly string[];
}

/** Certificate chain, key and CAs of clients, all PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Who may sign the certificates of clients; none: nobody. */
  readonly clientCas: readonly Buffer[];
}

/** One certificate that the server uses, and how long it may. */
export interface CertificateStatus {
  readonly file: string;
  /** The setting that names its file. */
  readonly use: 'tls-cert' | 'client-ca';
  readonly subject: string;
  /** Until when it is valid, ms. */
  readonly validTo: number;
}

/** What the ports speak TLS with; it changes while they are open. */
export interface ServerTls {
  material(): TlsMaterial;
  /** `withdrawn`: a CA is not trusted any more, so that who came by it is to show itself again. */
  onChange(listener: (change: { readonly withdrawn: boolean }) => void): () => void;
  certificates(): readonly CertificateStatus[];
  /** Sentences for anybody about what is wrong or soon will be: files that cannot be used, certificates that expire. */
  warnings(): readonly string[];
}

/** How a port speaks TLS. */
export interface PortTls {
  readonly certificates: ServerTls;
  /** Nobody gets in without a certificate of a client CA. */
  readonly requireClient: boolean;
}

const HANDSHAKE_MS = 10_000;

/**
 * TLS 1.2 (which Envoy stops at by itself) or 1.3. No session is taken up again: its certificate would not be looked at anew.
 */
export function toTlsOptions(tls: PortTls): TlsOptions {
  return {
    ...toContext(tls),
    requestCert: tls.requireClient,
    rejectUnauthorized: tls.requireClient,
    handshakeTimeout: HANDSHAKE_MS,
  };
}

/** Handshakes from now on use what is there then. The answer ends it. */
export function keepCertificatesFresh(server: Server, tls: PortTls): () => void {
  return tls.certificates.onChange(() => server.setSecureContext(toContext(tls)));
}

function toContext({ certificates, requireClient }: PortTls) {
  const { cert, key, clientCas } = certificates.material();
  return {
    cert,
    key,
    // An empty list would mean everybody that the machine trusts.
    ...(requireClient ? { ca: [...clientCas] } : {}),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  } as const;
}
