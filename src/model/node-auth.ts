import type { CertificateIdentity } from './certificate-identity.ts';

/** How an Envoy proves which node it is; none: it is who it says. */
export const NODE_AUTHS = ['none', 'mtls', 'token'] as const;
export type NodeAuth = (typeof NODE_AUTHS)[number];

/** What namespace and labels are worth that a node says of itself, where no NodePolicy says it. */
export const NODE_CLAIMS = ['kept', 'ignored'] as const;
export type NodeClaims = (typeof NODE_CLAIMS)[number];

/** Stands for the node.id in the setting node-identity. */
export const ID_HOLE = '{id}';

/**
 * The node that a certificate is for where no NodePolicy names it. With a template, e.g. `spiffe://example.org/node/{id}`,
 * what stands in place of `{id}`; without one the last part of the path of a SPIFFE id, or the whole name. Undefined: none.
 */
export function toOwnNode(
  { kind, name }: Pick<CertificateIdentity, 'kind' | 'name'>,
  template: string | undefined,
): string | undefined {
  if (template === undefined) return kind === 'spiffe' ? name.split('/').at(-1) : name;
  const [before = '', after = ''] = template.split(ID_HOLE);
  const isOf = name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length;
  return isOf ? name.slice(before.length, name.length - after.length) : undefined;
}

/** Why a module is not given to a caller; undefined: it may have it. `der`: its client certificate, where it showed one. */
export type CheckModuleCaller = (
  der: Uint8Array | undefined,
  nodeHash: string,
) => { readonly code: string; readonly message: string } | undefined;

/** What Envoys need to talk to this server, as those are told who write bootstraps. */
export interface EnvoyAccess {
  /** Ports that speak TLS. */
  readonly tls: readonly ('xds' | 'modules')[];
  readonly auth: NodeAuth;
  /** `revokedAt`: NodePolicy.revoked.at, 0 where nothing was revoked. */
  makeToken(node: string, revokedAt: number): string;
}
