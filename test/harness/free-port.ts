import { createServer } from 'node:net';

/** Below what Linux gives for port 0 and to outgoing connections (`ip_local_port_range`: from 32768). */
const [FIRST, END] = [20_000, 32_768];
/** Each process has its own, so that two that ask at once do not get the same. */
const SHARE = 64;

const first = FIRST + (process.pid % Math.floor((END - FIRST) / SHARE)) * SHARE;
let asked = 0;

/**
 * A port that is free, and stays so for whoever must know it before he opens it, keeps it over a restart, or is to
 * find nobody there: nothing else is given it by chance. A client that tries such a port again and again would even
 * connect to itself one day.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < SHARE; tries++) {
    const port = first + (asked++ % SHARE);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found from ${first} to ${first + SHARE - 1}`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise(resolve => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
