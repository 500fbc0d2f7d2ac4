import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/**
 * Connections that may wait to be taken in, of one socket. With Node's 511 the system dropped the rest of 1,000 Envoys that fetch a
 * module at once, and each tried again a second later. The system has a bound of its own (`net.core.somaxconn`).
 */
export const BACKLOG = 4096;
/**
 * Sockets of one port. Node takes in one connection of a socket in each turn of the event loop: 1,000 Envoys that came for a module
 * waited up to three seconds to be heard. With 16 all have it after 2.4 s instead of 4.3 s.
 */
const SOCKETS = 16;
/** For a free port that somebody else took just then. */
const ATTEMPTS = 3;

export interface Place {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * Makes a server listen by several sockets, whose connections all become its own; the answer closes those that are not its own.
 * Rejects as `listen` does, also where a program that shares its port has it. Where the system shares no ports there is one socket.
 */
export async function listenWidely(
  server: Server,
  place: Place,
  { allowHalfOpen }: { readonly allowHalfOpen: boolean },
): Promise<() => void> {
  const shared = await listenAlone(server, place);
  if (!shared.reusePort) return () => {};
  const others = await Promise.all(
    Array.from({ length: SOCKETS - 1 }, () => {
      const options = { allowHalfOpen, noDelay: true };
      return listen(
        createServer(options, socket => server.emit('connection', socket)),
        shared,
      );
    }),
  );
  return () => {
    for (const other of others) other.close();
  };
}

interface Shared extends Place {
  readonly backlog: number;
  readonly reusePort: boolean;
}

/** On a port that nobody has; a shared one would not say so. */
async function listenAlone(server: Server, place: Place, attempt = 1): Promise<Shared> {
  const probe = await listen(createServer(), place);
  const shared = { ...place, port: (probe.address() as AddressInfo).port, backlog: BACKLOG, reusePort: true };
  probe.close();
  await once(probe, 'close');
  try {
    await listen(server, shared);
    return shared;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' && place.port === 0 && attempt < ATTEMPTS)
      return listenAlone(server, place, attempt + 1);
    if (code !== 'ENOTSUP') throw error;
    const single = { ...shared, reusePort: false };
    await listen(server, single);
    return single;
  }
}

async function listen(server: Server, options: Place): Promise<Server> {
  server.listen(options);
  await once(server, 'listening');
  return server;
}
