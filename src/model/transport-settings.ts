import type { Fault } from './error.ts';
import { ID_HOLE, NODE_AUTHS, NODE_CLAIMS, type NodeAuth, type NodeClaims } from './node-auth.ts';
import type { TlsPaths } from './server-tls.ts';

/** How the ports are protected, and how Envoys prove who they are. */
export interface TransportSettings {
  /** Undefined: no port speaks TLS. */
  readonly tls: TlsPaths | undefined;
  readonly nodeAuth: NodeAuth;
  readonly nodeClaims: NodeClaims;
  /** See toOwnNode. */
  readonly nodeIdentity: string | undefined;
}

/** As they were given; paths are absolute. */
export interface TransportTexts {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly clientCas: readonly string[];
  readonly nodeAuth: string | undefined;
  readonly nodeClaims: string | undefined;
  readonly nodeIdentity: string | undefined;
  /** Of the ports that Envoys use: those that are to speak plain text whatever there is. */
  readonly plain: readonly ('xds' | 'modules')[];
  /** The xDS port is reached from other machines. */
  readonly isExposed: boolean;
}

/** What cannot work is a fault, and never a weaker setting. Who proves anything is taken at its word no more. */
export function parseTransport(texts: TransportTexts, faults: Fault[]): TransportSettings {
  const { cert, key, clientCas, nodeIdentity } = texts;
  const fault = (name: string, message: string): void => {
    faults.push({ pointer: `/${name}`, message: `--${name}${message}` });
  };
  const nodeAuth = oneOf('node-auth', texts.nodeAuth, NODE_AUTHS, fault) ?? 'none';
  const nodeClaims =
    oneOf('node-claims', texts.nodeClaims, NODE_CLAIMS, fault) ?? (nodeAuth === 'none' ? 'kept' : 'ignored');
  if (cert !== undefined && key === undefined) fault('tls-cert', ': its key is missing: --tls-key FILE');
  if (cert === undefined && key !== undefined)
    fault('tls-key', ': the certificate is missing: --tls-cert FILE');
  const hasTls = cert !== undefined && key !== undefined;
  if (nodeAuth === 'mtls') {
    if (!hasTls) fault('node-auth', ' mtls: the ports need a certificate: --tls-cert FILE --tls-key FILE');
    if (clientCas.length === 0)
      fault(
        'node-auth',
        ' mtls: say whose certificates count: --client-ca FILE. Without it nobody could come in',
      );
    for (const name of texts.plain)
      fault(
        'allow-plaintext',
        ` ${name}: with --node-auth mtls the port has to speak TLS. Leave ${name} out`,
      );
  } else {
    if (clientCas.length > 0) fault('client-ca', ': it counts only with --node-auth mtls');
    if (nodeIdentity !== undefined) fault('node-identity', ': it counts only with --node-auth mtls');
  }
  if (nodeIdentity !== undefined && nodeIdentity.split(ID_HOLE).length !== 2)
    fault(
      'node-identity',
      ` ${nodeIdentity}: expected one ${ID_HOLE} in it, e.g. spiffe://example.org/node/${ID_HOLE}`,
    );
  if (hasTls && texts.isExposed && texts.nodeAuth === undefined && !texts.plain.includes('xds'))
    fault(
      'node-auth',
      ': who reaches the xDS port could be any node. Say how Envoys prove who they are: --node-auth mtls or token. To allow anybody: --node-auth none',
    );
  const tls = hasTls ? { cert, key, clientCas } : undefined;
  return { tls, nodeAuth, nodeClaims, nodeIdentity };
}

function oneOf<T extends string>(
  name: string,
  text: string | undefined,
  known: readonly T[],
  fault: (name: string, message: string) => void,
): T | undefined {
  const found = known.find(one => one === text);
  if (text !== undefined && found === undefined) fault(name, ` ${text}: expected one of ${known.join(', ')}`);
  return found;
}
