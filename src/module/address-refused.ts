import { ModuleError } from './module-error.ts';

/** What is thrown where nobody allowed a host to be one of the inner network. */
export function addressRefused(host: string, address: string): ModuleError {
  const what = host === address ? host : `${host} (${address})`;
  return new ModuleError('address-refused', `${what} is a private or loopback address`, {
    hint: `If modules may come from there, start the server with --allow-private-host ${host}.`,
  });
}
