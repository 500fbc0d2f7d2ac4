import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An echo upstream: 200 with the request's method, path and headers as JSON. */
export interface Upstream {
  readonly port: number;
  readonly url: string;
  /** Requests answered so far. */
  count(): number;
  stop(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    request.resume();
    const body = JSON.stringify({ method: request.method, path: request.url, headers: request.headers });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
  // Envoy's pooled connections must not be cut from here: each cut could be a failed request.
  server.keepAliveTimeout = 0;
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    count: () => count,
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
