import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/**
 * A free port that no outgoing connection is given by chance while its owner is away: a client that tries such a
 * port again and again would even connect to itself one day.
 */
export async function quietPort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '32768');
  const below = Math.min(Number.parseInt(range, 10), 32_768);
  for (let tries = 0; tries < 100; tries++) {
    const port = 10_000 + Math.floor(Math.random() * (below - 10_000));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between 10000 and ${below}`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise(resolve => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
