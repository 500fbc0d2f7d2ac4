import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config, ListenAddress } from './config.ts';

/** Where the ports are, as written to DIR/addresses.json. */
export interface Addresses {
  /** `HOST:PORT` */
  readonly xds: string;
  readonly modules: string;
  /** `http://HOST:PORT` */
  readonly api: string;
  /** `HOST:PORT`, where there is such a port. */
  readonly metrics?: string;
}

/** What Envoys are told: the advertised host, or the listener's own. */
export function advertised(config: Pick<Config, 'advertiseHost'>, address: ListenAddress): ListenAddress {
  return { host: config.advertiseHost ?? address.host, port: address.port };
}

/** Renamed into place: whoever sees the file sees all of it. The answer takes it away. */
export async function keepAddresses(directory: string, addresses: Addresses): Promise<() => Promise<void>> {
  const path = join(directory, 'addresses.json');
  await writeFile(`${path}.new`, `${JSON.stringify(addresses)}\n`);
  await rename(`${path}.new`, path);
  return () => rm(path, { force: true });
}
