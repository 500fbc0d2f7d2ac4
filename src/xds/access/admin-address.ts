import { NodeAccessError } from '../node-access-error.ts';

/**
 * Where an admin interface may be asked: on loopback, or at an address that the setting `allow-node-admin` lists. Addresses
 * come from people with a right to set them; a node never names one. Answers the origin, `http://HOST:PORT`. Throws
 * NodeAccessError `admin-address-refused`. `allowed`: `HOST` or `HOST:PORT`, in any case.
 */
export function checkAdminAddress(address: string, allowed: readonly string[]): URL {
  const url = URL.parse(address);
  if (url === null || url.protocol !== 'http:' || url.hostname === '')
    throw refuse(address, 'is not an address of the form http://HOST:PORT');
  if (
    url.username !== '' ||
    url.password !== '' ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw refuse(address, 'has more than a host and a port');
  if (isLoopback(url.hostname) || isListed(url, allowed)) return url;
  throw refuse(
    address,
    'is neither on loopback nor allowed',
    `Start the server with --allow-node-admin ${url.host}, if Envoy's admin interface is to be asked there`,
  );
}

/** By its literal address: a name could lead elsewhere tomorrow. URL has made all spellings of one equal. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function isListed({ hostname, host, port }: URL, allowed: readonly string[]): boolean {
  const withPort = port === '' ? `${host}:80` : host;
  return allowed.some(one => [hostname, withPort].includes(one.toLowerCase()));
}

function refuse(address: string, what: string, hint?: string): NodeAccessError {
  const text = `${address.slice(0, 200)} ${what}`;
  return new NodeAccessError('admin-address-refused', text, hint === undefined ? {} : { hint });
}
