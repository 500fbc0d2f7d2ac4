import type { Index } from '../api/schema/server-view.ts';
import { formatAddress, type ListenAddress, parseAddress } from '../config.ts';
import { CliError } from './cli-error.ts';
import type { EnvoyNeeds } from './resolve-proof.ts';
import type { RestClient } from './rest-client.ts';

/** Where an Envoy finds xDS and modules. */
export interface EnvoyAddresses {
  readonly xds: ListenAddress;
  readonly modules: ListenAddress;
  /** Undefined: nobody could be asked. */
  readonly needs: EnvoyNeeds | undefined;
  /** Set when nobody could be asked. */
  readonly note: string | undefined;
}

const XDS_PORT = 18000;
const MODULES_PORT = 18001;

/**
 * What the user said, else what the server says, else the default ports on the server's host: a bootstrap can be
 * written while no server runs.
 */
export async function findEnvoyAddresses(
  client: RestClient,
  given: { readonly xds: string | undefined; readonly modules: string | undefined },
): Promise<EnvoyAddresses> {
  const xds = given.xds === undefined ? undefined : parse('--xds-address', given.xds);
  const modules = given.modules === undefined ? undefined : parse('--modules-address', given.modules);
  if (xds !== undefined && modules !== undefined) {
    // It is not needed: whatever keeps it from answering keeps nobody from a bootstrap.
    const needs = (await ask(client).catch(() => undefined))?.needs;
    return { xds, modules, needs, note: undefined };
  }
  const answer = await ask(client);
  if (answer !== undefined)
    return {
      xds: xds ?? answer.xds,
      modules: modules ?? answer.modules,
      needs: answer.needs,
      note: undefined,
    };
  const { hostname } = new URL(client.server);
  const host = hostname.replace(/^\[|\]$/g, '');
  const assumed = { xds: { host, port: XDS_PORT }, modules: { host, port: MODULES_PORT } };
  const note = `${client.server} does not answer; took its default ports: xDS ${formatAddress(assumed.xds)}, modules ${formatAddress(assumed.modules)}`;
  return { xds: xds ?? assumed.xds, modules: modules ?? assumed.modules, needs: undefined, note };
}

async function ask(
  client: RestClient,
): Promise<{ xds: ListenAddress; modules: ListenAddress; needs: EnvoyNeeds } | undefined> {
  try {
    const { addresses, envoys: needs } = await client.get<Index>('/');
    const xds = parseAddress(addresses?.xds ?? '');
    const modules = parseAddress(addresses?.modules ?? '');
    return xds === undefined || modules === undefined ? undefined : { xds, modules, needs };
  } catch (error) {
    if (error instanceof CliError && error.code === 'unreachable') return undefined;
    throw error;
  }
}

function parse(flag: string, text: string): ListenAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new CliError('bad-usage', `${flag} ${text}: expected HOST:PORT`);
  return address;
}
