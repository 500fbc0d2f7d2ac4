import { ModuleError } from './module-error.ts';

export const MAX_REDIRECTS = 3;

/** Headers that belong to the origin they were made for. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization'];

/**
 * Where a redirect leads and which headers go along: credentials stay on their origin (storage that signs its URLs
 * refuses a second authentication, and nobody else may learn them). Throws `redirect-refused` from https to http.
 */
export function followRedirect(
  from: URL,
  location: string,
  headers: Readonly<Record<string, string>>,
): { readonly url: URL; readonly headers: Record<string, string> } {
  if (!URL.canParse(location, from.href)) throw refused(from, location, 'it is no URL');
  const url = new URL(location, from.href);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(from, location, 'only http and https are followed');
  if (from.protocol === 'https:' && url.protocol === 'http:')
    throw refused(from, location, 'https never goes on as http');
  url.username = '';
  url.password = '';
  const kept = Object.entries(headers).filter(
    ([name]) => url.origin === from.origin || !CREDENTIALS.includes(name.toLowerCase()),
  );
  return { url, headers: Object.fromEntries(kept) };
}

/** Without the query: storage that signs its URLs has the signature there. */
function refused(from: URL, location: string, why: string): ModuleError {
  const [address] = location.split(/[?#]/);
  return new ModuleError('redirect-refused', `${from.host} redirects to ${address}: ${why}`, {
    hint: 'Name an address that answers by itself.',
  });
}
