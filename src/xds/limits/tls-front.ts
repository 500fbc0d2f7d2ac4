import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Log } from '../../model/ports.ts';
import { keepCertificatesFresh, type PortTls, toTlsOptions } from '../../model/server-tls.ts';
import type { LimitGuard } from './limit-guard.ts';

export interface TlsFront {
  /** Shakes hands; what comes of it is given on. */
  take(socket: Socket): void;
  stop(): void;
}

/** Whoever cannot shake hands tries again, and so do all others behind him. */
const LOG_EVERY_MS = 10_000;

/** TLS before a gRPC server, so that certificates can change while it runs, and who came by a withdrawn CA is cut. */
export function openTlsFront(
  tls: PortTls,
  guard: LimitGuard,
  log: Log,
  giveOn: (socket: TLSSocket) => void,
): TlsFront {
  const server = createServer({ ...toTlsOptions(tls), ALPNProtocols: ['h2'] });
  server.on('secureConnection', socket => {
    // The socket below it never finishes: what is written is the handshake's.
    guard.follow(socket);
    giveOn(socket);
  });
  let failed = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  server.on('tlsClientError', (err, socket) => {
    failed += 1;
    const now = guard.steady.now();
    if (now - loggedAt < LOG_EVERY_MS) return;
    loggedAt = now;
    log.warn({ err, peer: socket.remoteAddress, failed }, 'a TLS handshake failed');
  });
  const stops = [
    keepCertificatesFresh(server, tls),
    tls.certificates.onChange(({ withdrawn }) => {
      if (withdrawn && tls.requireClient) guard.cutAll();
    }),
  ];
  return {
    take: socket => server.emit('connection', socket),
    stop() {
      for (const stop of stops) stop();
    },
  };
}
