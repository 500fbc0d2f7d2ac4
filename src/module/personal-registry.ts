import { isIP } from 'node:net';
import { silentMeter } from '../model/meter.ts';
import type { OciReference } from '../model/module-reference.ts';
import type { ModuleSourceOptions } from './fetch-module.ts';
import type { OnTransfer } from './transfer.ts';

/** How a person reaches a registry that they named themselves. */
export interface RegistryAccess {
  /** `HOST:PORT` of registries spoken to over plain HTTP; loopback addresses need no entry, unless a CA is named. */
  readonly insecureRegistries: readonly string[];
  /** A docker config.json with credentials; it need not exist. */
  readonly dockerConfigPath: string | undefined;
  /** PEM of a CA that is trusted for the host of the reference besides those of the system; default: none. */
  readonly ca?: string | undefined;
  /** A token that the host of the reference takes as a password; it wins over the docker config. Default: none. */
  readonly token?: string | undefined;
  /** Told of what is sent and received. */
  readonly onTransfer?: OnTransfer;
}

/** For one command: private addresses are allowed, since the person named the host. */
export function toPersonalOptions(
  { insecureRegistries, dockerConfigPath, ca, token, onTransfer }: RegistryAccess,
  host: OciReference['host'] | undefined,
): ModuleSourceOptions {
  // Who names a CA means TLS.
  const loopback = host !== undefined && ca === undefined && isLoopback(host) ? [host] : [];
  return {
    insecureRegistries: () => [...insecureRegistries, ...loopback],
    registries:
      ca === undefined || host === undefined ? [] : [{ prefix: host, mirrors: [], insecure: false, ca }],
    allowPrivateHosts: ['*'],
    dockerConfigPath,
    ...(token === undefined || host === undefined ? {} : { token: { host, token } }),
    moduleDirectory: undefined,
    // A command is short: no token is thrown away for its age, and a 401 renews it.
    clock: { now: () => 0 },
    meter: silentMeter,
    ...(onTransfer === undefined ? {} : { onTransfer }),
  };
}

function isLoopback(host: string): boolean {
  const { hostname } = new URL(`http://${host}`);
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && /^127\./.test(hostname))
  );
}
