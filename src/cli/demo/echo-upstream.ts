import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The application behind the Envoy: answers 200 with what it was asked. */
export interface EchoUpstream {
  readonly port: number;
  stop(): Promise<void>;
}

export function startEchoUpstream(): Promise<EchoUpstream> {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end(`${request.method} ${request.url}\n`);
  });
  // A pooled connection that is cut from here would be a failed request that no plugin caused.
  server.keepAliveTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const stop = () =>
        new Promise<void>(done => {
          server.close(() => done());
          server.closeAllConnections();
        });
      resolve({ port, stop });
    });
  });
}
