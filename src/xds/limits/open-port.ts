import { once } from 'node:events';
import { createServer } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { toMessage } from '../../model/error.ts';
import type { Log } from '../../model/ports.ts';
import type { PortTls } from '../../model/server-tls.ts';
import { XdsError } from '../xds-error.ts';
import type { LimitGuard } from './limit-guard.ts';
import { openTlsFront } from './tls-front.ts';

/** Where a port listens, and what it speaks. */
export interface PortOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** undefined: plain text. */
  readonly tls: PortTls | undefined;
}

export interface OpenPort {
  readonly port: number;
  /** No new connections; those that are there have `graceMs` to let go, then they are cut. Waits for the last to be gone. */
  close(graceMs: number): Promise<void>;
}

/** Listens for a gRPC server, so that connections are counted before anything is read. Throws XdsError `xds-listen-failed`. */
export async function openPort(
  server: grpc.Server,
  listen: PortOptions,
  guard: LimitGuard,
  log: Log,
): Promise<OpenPort> {
  // With TLS it is given sockets that shook hands already: to it they are as good as plain ones.
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const front =
    listen.tls && openTlsFront(listen.tls, guard, log, socket => injector.injectConnection(socket));
  const listener = createServer({ noDelay: true }, socket => {
    if (!guard.takeIn(socket)) return;
    if (front === undefined) injector.injectConnection(socket);
    else front.take(socket);
  });
  try {
    listener.listen(listen.port, listen.host);
    await once(listener, 'listening');
  } catch (cause) {
    front?.stop();
    injector.destroy();
    throw new XdsError('xds-listen-failed', `cannot listen on ${toTarget(listen)}: ${toMessage(cause)}`, {
      cause,
      hint: 'choose another port with --xds-listen, or stop the other program',
    });
  }
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    async close(graceMs) {
      const closed = new Promise<void>(resolve => listener.close(() => resolve()));
      front?.stop();
      injector.drain(graceMs);
      // A peer that does not read takes no end of a connection either.
      const timer = setTimeout(() => guard.cutAll(), graceMs);
      await closed;
      // The listener is done as soon as the last one begins to close.
      await guard.allGone();
      clearTimeout(timer);
    },
  };
}

function toTarget({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
