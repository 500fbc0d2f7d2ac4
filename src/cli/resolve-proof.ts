import type { BootstrapProof } from './bootstrap-proof.ts';
import { CliError } from './cli-error.ts';

/** What a command line says of how an Envoy is to talk to Attaché. */
export interface ProofOptions {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly nodeToken?: string;
}

/** What the server asks of Envoys. */
export interface EnvoyNeeds {
  readonly tls: readonly ('xds' | 'modules')[];
  readonly nodeAuth: 'none' | 'mtls' | 'token';
}

/**
 * What the Envoy has to bring, or a CliError `bad-usage` that names the flag. `needs` undefined: the server was not asked;
 * then what was given is taken as it is. `askToken` is asked where a token is needed and none was given.
 */
export async function resolveProof(
  { tlsCa, tlsCert, tlsKey, nodeToken }: ProofOptions,
  needs: EnvoyNeeds | undefined,
  askToken: () => Promise<string>,
): Promise<BootstrapProof> {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new CliError('bad-usage', '--tls-cert and --tls-key belong together');
  if (tlsCert !== undefined && tlsCa === undefined)
    throw new CliError('bad-usage', '--tls-cert needs the CA of the server too: --tls-ca FILE');
  if (tlsCa === undefined && (needs?.tls.length ?? 0) > 0)
    throw new CliError('bad-usage', 'the server speaks TLS: name the CA of its certificate: --tls-ca FILE', {
      hint: 'A path on the machine of the Envoy. Of attache pki it is ca.pem.',
    });
  if (needs?.nodeAuth === 'mtls' && tlsCert === undefined)
    throw new CliError(
      'bad-usage',
      'the server asks Envoys for certificates: --tls-cert FILE --tls-key FILE',
      {
        hint: 'Paths on the machine of the Envoy. For a new one: attache pki issue --node ID DIR',
      },
    );
  const token = nodeToken ?? (needs?.nodeAuth === 'token' ? await askToken() : undefined);
  if (tlsCa === undefined) return { tls: undefined, token };
  // A server that speaks plain text itself can have something before it that speaks TLS.
  const ports = needs === undefined || needs.tls.length === 0 ? (['xds', 'modules'] as const) : needs.tls;
  const own = tlsCert === undefined || tlsKey === undefined ? undefined : { cert: tlsCert, key: tlsKey };
  return { tls: { ports, ca: tlsCa, own }, token };
}
