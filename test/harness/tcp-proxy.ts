import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProxyBehaviour {
  /** Connections are cut at once: nobody is there. */
  readonly refuse?: boolean;
  /** New connections are taken, and passed on only once it is fulfilled. */
  readonly until?: Promise<unknown>;
  /** Before each piece towards the client, in ms. */
  readonly delayMs?: number;
  /** Towards the client, over each connection. */
  readonly bytesPerSecond?: number;
  /** Each new connection is answered with this HTTP status and closed; the target is not asked. */
  readonly httpStatus?: number;
}

/** Stands in front of a port and can cut, delay, slow down or answer in its place. */
export interface TcpProxy {
  readonly port: number;
  /** Connections taken so far. */
  count(): number;
  /** For new connections, and for what is still to come on the open ones. */
  behave(behaviour: ProxyBehaviour): void;
  /** Where new connections go from now on. */
  aim(targetPort: number): void;
  /** Cuts every open connection. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let target = targetPort;
  let behaviour: ProxyBehaviour = {};
  let count = 0;
  const open = new Set<Socket>();
  const server = createServer(client => {
    count++;
    track(open, client);
    if (behaviour.refuse) client.destroy();
    else if (behaviour.httpStatus !== undefined) answerInPlace(client, behaviour.httpStatus);
    else
      Promise.resolve(behaviour.until).then(() => {
        if (!client.destroyed) join(client, track(open, connect(target, '127.0.0.1')), () => behaviour);
      });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    behave(next) {
      behaviour = next;
    },
    aim(port) {
      target = port;
    },
    cut,
    async stop() {
      cut();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

function track(open: Set<Socket>, socket: Socket): Socket {
  open.add(socket);
  socket.on('error', () => {});
  return socket.on('close', () => open.delete(socket));
}

function answerInPlace(client: Socket, status: number): void {
  client.once('data', () => {
    client.end(`HTTP/1.1 ${status} In Its Place\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  });
}

function join(client: Socket, server: Socket, behaviour: () => ProxyBehaviour): void {
  client.pipe(server);
  server.pipe(slowed(behaviour)).pipe(client);
  client.on('close', () => server.destroy());
  // An ordinary end passes through the pipe, after what is still in it.
  server.on('close', hadError => void (hadError && client.destroy()));
}

function slowed(behaviour: () => ProxyBehaviour): Transform {
  return new Transform({
    highWaterMark: 4_096,
    transform(piece: Buffer, _encoding, done) {
      const { delayMs = 0, bytesPerSecond } = behaviour();
      const waitMs = delayMs + (bytesPerSecond === undefined ? 0 : (1000 * piece.length) / bytesPerSecond);
      if (waitMs === 0) return done(null, piece);
      delay(waitMs).then(() => done(null, piece), done);
    },
  });
}
