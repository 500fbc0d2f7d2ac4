import { lookup as resolveName } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isPrivateAddress } from './address-policy.ts';

/**
 * A look-up for connections that may leave for the public network only: the address that was looked at is the one that
 * is used. A name is refused, with what `refuse` makes, if any of its addresses is private: which one is used is not
 * ours to say.
 */
export function makePublicLookup(refuse: (host: string, address: string) => Error): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const refused = addresses.find(({ address }) => isPrivateAddress(address));
      if (refused !== undefined) return callback(refuse(hostname, refused.address), '', 0);
      const [first] = addresses;
      if (options.all === true) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family ?? 0);
    });
  };
}
