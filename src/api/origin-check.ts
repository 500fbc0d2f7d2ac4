import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { ApiError } from './api-error.ts';

/** Whether a listen host is this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * An API on loopback needs no token, so a browser must not be able to lend its reach to another site: by a name
 * of that site's that resolves to 127.0.0.1 (then Host is that name), or by a request across origins (then
 * Origin is that site; where it only reads, as an image does, Sec-Fetch-Site tells). Codes: `foreign-host`,
 * `foreign-origin`. https://fetch.spec.whatwg.org/#origin-header https://www.w3.org/TR/fetch-metadata/
 */
export function checkLoopbackRequest(headers: IncomingHttpHeaders): void {
  const host = headers.host ?? '';
  const name = /^\[(.*)\](:\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, '');
  if (!isLoopback(name.toLowerCase()))
    throw new ApiError(
      'foreign-host',
      `Host ${JSON.stringify(host)} is not this machine's loopback address`,
      {
        hint: 'Use http://127.0.0.1 and the port.',
      },
    );
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    throw new ApiError('foreign-origin', `requests from the page ${JSON.stringify(origin)} are not taken`);
  if (isForeignLoad(headers))
    throw new ApiError('foreign-origin', 'requests from pages of other sites are not taken');
}

/** A link that a person follows is none: what comes of it is the person's alone. */
function isForeignLoad(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document';
}
