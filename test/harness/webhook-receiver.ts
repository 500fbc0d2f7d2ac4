import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What came, as it came. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** How it answers the next message: a status, with headers; or never. */
export type ReceiverAnswer =
  | number
  | { readonly status: number; readonly headers: Record<string, string> }
  | 'hang';

/** A receiver of webhooks on loopback: answers as it is told, in order, then with 204. */
export async function startReceiver() {
  const received: Received[] = [];
  const answers: ReceiverAnswer[] = [];
  const server = createServer((request, response) => {
    void take(request, response);
  });
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    received.push({ path: request.url ?? '', headers: request.headers, body });
    const answer = answers.shift() ?? 204;
    if (answer === 'hang') return;
    const { status, headers = {} } = typeof answer === 'number' ? { status: answer } : answer;
    response.writeHead(status, headers).end();
  };
  const listen = (port: number) => new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>(resolve => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    received,
    answers,
    /** Connections are refused until it is up again. */
    down: close,
    up: () => listen(port),
    stop: async () => {
      if (server.listening) await close();
    },
  };
}

/** Whether a message was signed with a key, by the words of Standard Webhooks and none of ours. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}
