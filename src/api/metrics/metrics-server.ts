import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toMessage } from '../../model/error.ts';
import { createServer } from '../../model/http.ts';
import type { Log } from '../../model/ports.ts';
import { ApiError } from '../api-error.ts';
import { sendProblem } from '../http-server.ts';
import { SCRAPE_TYPE, type Scrape } from './create-scrape.ts';

export interface MetricsServer {
  readonly address: { readonly host: string; readonly port: number };
  /** Idempotent. */
  stop(): Promise<void>;
}

/** A scraper opens one connection, and asks again over it. */
const MOST_CONNECTIONS = 64;

/**
 * A port for scrapers, who have no tokens: `GET /metrics` and nothing else. port 0: any free one. Throws ApiError
 * `metrics-listen-failed`.
 */
export async function startMetricsServer(
  { host, port }: { readonly host: string; readonly port: number },
  scrape: Scrape,
  log: Log,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const answer = async (): Promise<void> => {
      if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD'))
        throw new ApiError('unknown-path', 'this port has GET /metrics and nothing else');
      const text = await scrape();
      response.writeHead(200, { 'content-type': SCRAPE_TYPE, 'content-length': Buffer.byteLength(text) });
      response.end(request.method === 'HEAD' ? '' : text);
    };
    answer().catch((thrown: unknown) => {
      if (!(thrown instanceof ApiError)) log.error({ error: toMessage(thrown) }, 'a scrape failed');
      sendProblem(response, thrown, path, '');
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, host, port);
  const { port: opened } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    address: { host, port: opened },
    stop: () => (stopped ??= close(server)),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', cause =>
      reject(
        new ApiError('metrics-listen-failed', `${host}:${port}: ${toMessage(cause)}`, {
          cause,
          hint: 'Another port: --metrics-listen HOST:PORT',
        }),
      ),
    );
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
