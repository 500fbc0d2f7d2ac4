import { isIP } from 'node:net';
import type { JsonObject } from '../model/plugin-spec.ts';

/** How an Envoy talks to Attaché and shows who it is. Paths are those on the machine of the Envoy. */
export interface BootstrapProof {
  /** Undefined: plain text. */
  readonly tls: BootstrapTls | undefined;
  /** A node token, for the gRPC metadata. */
  readonly token: string | undefined;
}

export interface BootstrapTls {
  /** Which ports speak it. */
  readonly ports: readonly ('xds' | 'modules')[];
  /** CA of the server's certificate, PEM. */
  readonly ca: string;
  /** Certificate and key of the node, PEM. */
  readonly own: { readonly cert: string; readonly key: string } | undefined;
}

/** Plain text, and nothing to show: on loopback. */
export const NO_PROOF: BootstrapProof = { tls: undefined, token: undefined };

const TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

/** The entry of a cluster that makes it speak TLS; none where the port does not. */
export function toTransportSocket(
  port: 'xds' | 'modules',
  host: string,
  { tls }: BootstrapProof,
): { readonly transport_socket?: JsonObject } {
  if (!tls?.ports.includes(port)) return {};
  const name = isIP(host) === 0 ? { san_type: 'DNS' } : { san_type: 'IP_ADDRESS' };
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': TYPE,
        ...(isIP(host) === 0 ? { sni: host } : {}),
        common_tls_context: {
          ...(port === 'xds' ? { alpn_protocols: ['h2'] } : {}),
          ...(tls.own === undefined ? {} : { tls_certificates: [toCertificate(tls.own)] }),
          validation_context: {
            trusted_ca: { filename: tls.ca },
            // Without it any certificate of that CA would do, one of another server too.
            match_typed_subject_alt_names: [{ ...name, matcher: { exact: host } }],
          },
        },
      },
    },
  };
}

/** The entry of a gRPC service that shows the token. */
export function toInitialMetadata({ token }: BootstrapProof): { readonly initial_metadata?: object[] } {
  return token === undefined
    ? {}
    : { initial_metadata: [{ key: 'authorization', value: `Bearer ${token}` }] };
}

function toCertificate({ cert, key }: NonNullable<BootstrapTls['own']>): JsonObject {
  return { certificate_chain: { filename: cert }, private_key: { filename: key } };
}
