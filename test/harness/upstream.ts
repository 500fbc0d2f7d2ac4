import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An echo upstream: 200 with the request's method, path and headers as JSON; `/held` waits for `release`. */
export interface Upstream {
  readonly port: number;
  readonly url: string;
  /** Requests answered so far. */
  count(): number;
  /** Answers the requests that are held. */
  release(): void;
  stop(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  let count = 0;
  const held: (() => void)[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/held') held.push(() => answer(request, response));
    else answer(request, response);
  });
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    count++;
    const body = JSON.stringify({ method: request.method, path: request.url, headers: request.headers });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  };
  // Envoy's pooled connections must not be cut from here: each cut could be a failed request.
  server.keepAliveTimeout = 0;
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    count: () => count,
    release: () => {
      for (const go of held.splice(0)) go();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
