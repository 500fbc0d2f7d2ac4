import { once } from 'node:events';
import { createServer } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { toMessage } from '../../model/error.ts';
import { XdsError } from '../xds-error.ts';
import type { LimitGuard } from './limit-guard.ts';

export interface OpenPort {
  readonly port: number;
  /** No new connections; those that are there have `graceMs` to let go, then they are cut. Waits for the last to be gone. */
  close(graceMs: number): Promise<void>;
}

/** Listens for a gRPC server, so that connections are counted before anything is read. Throws XdsError `xds-listen-failed`. */
export async function openPort(
  server: grpc.Server,
  listen: { readonly host: string; readonly port: number },
  guard: LimitGuard,
): Promise<OpenPort> {
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const listener = createServer({ noDelay: true }, socket => {
    if (guard.takeIn(socket)) injector.injectConnection(socket);
  });
  try {
    listener.listen(listen.port, listen.host);
    await once(listener, 'listening');
  } catch (cause) {
    injector.destroy();
    throw new XdsError('xds-listen-failed', `cannot listen on ${toTarget(listen)}: ${toMessage(cause)}`, {
      cause,
      hint: 'choose another port with --xds-listen, or stop the other process',
    });
  }
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    async close(graceMs) {
      const closed = new Promise<void>(resolve => listener.close(() => resolve()));
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
