import { connect } from 'node:net';
import { isLoopback, parseAddress } from '../../config.ts';

const CONNECT_MS = 5_000;

/** Also of a URL, where an IPv6 address has brackets. */
export function isLoopbackHost(host: string): boolean {
  return isLoopback(host.replace(/^\[|\]$/g, ''));
}

/** Why nobody takes a connection at `HOST:PORT`; undefined: somebody does. Nothing is sent. */
export function probe(address: string): Promise<string | undefined> {
  const parsed = parseAddress(address);
  if (parsed === undefined) return Promise.resolve('no address of the form HOST:PORT');
  return new Promise(resolve => {
    const socket = connect({ host: parsed.host, port: parsed.port, timeout: CONNECT_MS });
    const end = (why: string | undefined) => {
      socket.destroy();
      resolve(why);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end('timed out'));
    socket.once('error', error => end(explain(error)));
  });
}

function explain(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED') return 'connection refused';
  return code === 'ENOTFOUND' ? 'no such host' : error.message;
}
