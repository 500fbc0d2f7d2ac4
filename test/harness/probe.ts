import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Probe {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One GET on a connection of its own. */
export function probe(port: number, path = '/'): Promise<Probe> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const sent = request({ host: '127.0.0.1', port, path, agent, timeout: 30_000 }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', piece => {
        body += piece;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer for 30 s')));
    sent.on('error', reject).end();
  });
}

/** What the stamp plugins say in a response, in the order of the header; undefined: none was at work. */
export function stampOf(response: { readonly headers: IncomingHttpHeaders }): string | undefined {
  const stamp = response.headers['x-stamp'];
  return Array.isArray(stamp) ? stamp.join(', ') : stamp;
}
