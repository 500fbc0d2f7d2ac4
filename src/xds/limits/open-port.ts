import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { toMessage } from '../../model/error.ts';
import { BACKLOG } from '../../model/listen-widely.ts';
import type { Log } from '../../model/ports.ts';
import type { PortTls } from '../../model/server-tls.ts';
import { XdsError } from '../xds-error.ts';
import { endInTurn } from './end-in-turn.ts';
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

/** What speaks HTTP/2 over the connections. */
export interface Http2Side {
  /** A connection that is counted, and past its TLS handshake. */
  take(socket: Duplex): void;
  /** No new streams; connections are let go within `graceMs`. */
  drain(graceMs: number): void;
  destroy(): void;
}

/** Listens for it, so that connections are counted before anything is read. Throws XdsError `xds-listen-failed`. */
export async function openPort(
  side: Http2Side,
  listen: PortOptions,
  guard: LimitGuard,
  log: Log,
): Promise<OpenPort> {
  const serve = (socket: Socket): void => {
    endInTurn(socket, guard.turns);
    side.take(socket);
  };
  const front = listen.tls && openTlsFront(listen.tls, guard, log, serve);
  const listener = createServer({ noDelay: true }, socket => {
    // What it sends before its turn is kept by the socket, 64 KiB at most: TLS and HTTP/2 begin with that.
    if (guard.takeIn(socket))
      guard.whenItsTurn(socket, () => (front === undefined ? serve(socket) : front.take(socket)));
  });
  try {
    listener.listen(listen.port, listen.host, BACKLOG);
    await once(listener, 'listening');
  } catch (cause) {
    front?.stop();
    side.destroy();
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
      side.drain(graceMs);
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
