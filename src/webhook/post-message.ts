import { request as requestHttps } from 'node:https';
import { isListed } from '../model/address-policy.ts';
import { toMessage } from '../model/error.ts';
import { request as requestHttp } from '../model/http.ts';
import { makePublicLookup } from '../model/public-lookup.ts';
import type { WebhookOutcome } from '../model/webhook.ts';
import { findUrlFault } from './webhook-address.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `HOST` or `HOST:PORT` that may have a private address, and be spoken to without TLS; `*`: any. */
  readonly allowPrivateHosts: readonly string[];
  /** Until the receiver has answered, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** An answer is a status: what a receiver writes besides is read to its end, and dropped, up to here. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** They say: not this message. Any other failure may pass. */
const TEMPORARY: ReadonlySet<number> = new Set([401, 403, 404, 408, 425, 429]);

const lookup = makePublicLookup(
  (host, address) => new Error(`${host} (${address}) is a private or loopback address`),
);

/**
 * Sends a message once, on a connection of its own. Redirects are not followed: where messages go was decided by who
 * added the webhook. Never rejects but with the reason of the signal.
 */
export async function postMessage(post: Post): Promise<WebhookOutcome> {
  const { url: text, allowPrivateHosts, signal } = post;
  const fault = findUrlFault(text, allowPrivateHosts);
  if (fault !== undefined) return { kind: 'failed', text: `${fault.message}. ${fault.hint}` };
  const late = AbortSignal.timeout(post.timeoutMs);
  try {
    return toOutcome(await send(new URL(text), post, AbortSignal.any([signal, late])));
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const reason = late.aborted ? `no answer within ${post.timeoutMs / 1000} s` : toFailureText(cause);
    return { kind: 'failed', text: reason };
  }
}

/** The status. `signal` also ends what is read of the answer. */
function send(url: URL, { headers, body, allowPrivateHosts }: Post, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'attache',
        ...headers,
      },
      agent: false,
      signal,
      ...(isListed(url, allowPrivateHosts) ? {} : { lookup }),
    } as const;
    const request = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
    request.on('error', reject);
    // It wants to speak something else: without this, a request ends with neither an answer nor an error.
    request.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    request.on('close', () => reject(new Error('it closed the connection')));
    request.on('response', response => {
      resolve(response.statusCode ?? 0);
      let size = 0;
      response.on('error', () => {});
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) response.destroy();
      });
    });
    request.end(body);
  });
}

function toOutcome(status: number): WebhookOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status >= 300 && status < 400)
    return { kind: 'failed', text: `it answered ${status}, and redirects are not followed` };
  const isFinal = status >= 400 && status < 500 && !TEMPORARY.has(status);
  return { kind: isFinal ? 'refused' : 'failed', text: `it answered ${status}` };
}

function toFailureText(cause: unknown): string {
  const errors = cause instanceof AggregateError ? cause.errors : [cause];
  return errors.map(toMessage).find(message => message !== '') ?? 'no connection';
}
