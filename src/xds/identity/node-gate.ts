import { type CertificateIdentity, readCertificateIdentity } from '../../model/certificate-identity.ts';
import { toMessage } from '../../model/error.ts';
import { toNodeHash } from '../../model/module-fetch.ts';
import { type CheckModuleCaller, type NodeAuth, type NodeClaims, toOwnNode } from '../../model/node-auth.ts';
import { isGenuine, parseNodeToken } from '../../model/node-token.ts';
import type { Clock, Log } from '../../model/ports.ts';
import type { Store } from '../../store/store.ts';
import { XdsError, type XdsErrorCode } from '../xds-error.ts';
import { NodePolicies } from './node-policies.ts';
import { ANY_NODE, demand, type NodeRight } from './node-right.ts';

export interface NodeGateOptions {
  readonly auth: NodeAuth;
  readonly claims: NodeClaims;
  /** See toOwnNode. */
  readonly identity: string | undefined;
  readonly tokenKey: Uint8Array;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a caller shows of itself. */
export interface Shown {
  /** Its client certificate, DER, which TLS has verified. */
  readonly certificate: Uint8Array | undefined;
  /** The header `authorization`. */
  readonly authorization: string | undefined;
}

/** Who may act as which node. */
export interface NodeGate {
  readonly auth: NodeAuth;
  /** Throws XdsError where what it shows is nothing that could be right. */
  enter(shown: Shown): NodeRight;
  readonly checkModuleCaller: CheckModuleCaller;
  /** Called when rights may have ended. The answer ends it. */
  onChange(listener: () => void): () => void;
  /** Counts an error if it is about who somebody is. */
  note(error: unknown): void;
  /** How often somebody was refused, by code. */
  refusals(): ReadonlyMap<XdsErrorCode, number>;
  stop(): void;
}

/** A certificate can expire while its stream is open. */
const LOOK_EVERY_MS = 60_000;

/** Knows every NodePolicy before it answers. */
export async function openNodeGate(options: NodeGateOptions): Promise<NodeGate> {
  const { auth, claims, store, clock, log } = options;
  const policies = new NodePolicies();
  for (const { key, value } of (await store.list('NodePolicy')).records) policies.set(key, value);
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const abort = new AbortController();
  const watch = async (): Promise<void> => {
    for await (const changes of store.watch(['NodePolicy'], abort.signal)) {
      for (const change of changes)
        if (change.kind === 'NodePolicy') policies.set(change.key, change.stored?.value);
      tell();
    }
  };
  watch().catch((err: unknown) => log.error({ err }, 'who may be which node is not followed any more'));
  let cancel = (): void => {};
  const look = (): void => {
    tell();
    cancel = clock.after(LOOK_EVERY_MS, look);
  };
  if (auth === 'mtls') cancel = clock.after(LOOK_EVERY_MS, look);
  const judge = new NodeJudge(options, policies);
  const anyNode: NodeRight = { ...ANY_NODE, claims };
  const refusals = new Map<XdsErrorCode, number>(IDENTITY_CODES.map(code => [code, 0]));
  const note = (error: unknown): void => {
    if (!(error instanceof XdsError)) return;
    const count = refusals.get(error.code);
    if (count !== undefined) refusals.set(error.code, count + 1);
  };

  return {
    auth,
    enter(shown) {
      if (auth === 'none') return anyNode;
      return auth === 'token' ? judge.byToken(shown.authorization) : judge.byCertificate(shown.certificate);
    },
    checkModuleCaller(der, nodeHash) {
      if (auth !== 'mtls') return undefined;
      try {
        judge.checkHash(der, nodeHash);
        return undefined;
      } catch (error) {
        note(error);
        if (error instanceof XdsError) return { code: error.code, message: error.message };
        throw error;
      }
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    note,
    refusals: () => refusals,
    stop() {
      abort.abort();
      cancel();
    },
  };
}

const IDENTITY_CODES: readonly XdsErrorCode[] = [
  'node-credential-missing',
  'node-credential-wrong',
  'node-credential-expired',
  'node-credential-revoked',
  'node-refused',
];

/** By the policies as they stand when it is asked. */
class NodeJudge {
  readonly #options: NodeGateOptions;
  readonly #policies: NodePolicies;

  constructor(options: NodeGateOptions, policies: NodePolicies) {
    this.#options = options;
    this.#policies = policies;
  }

  byToken(authorization: string | undefined): NodeRight {
    const { tokenKey, claims } = this.#options;
    const text = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (text === undefined)
      throw refused('missing', 'no node token came', 'attache bootstrap writes one into the bootstrap');
    const token = parseNodeToken(text);
    if (token === undefined) throw refused('wrong', 'what came is no node token (atn_…)');
    const right: NodeRight = {
      claims,
      proof: 'a token',
      refusal: nodeId => {
        if (token.node !== nodeId) return toForeign(`the token is of ${token.node}`, nodeId);
        if (isGenuine(token, tokenKey, this.#policies.revokedAt(nodeId))) return undefined;
        const next = `Get a new one: attache node token ${nodeId}`;
        return refused('wrong', `the token is none of ${nodeId}, or was revoked`, next);
      },
    };
    demand(right, token.node);
    return right;
  }

  byCertificate(der: Uint8Array | undefined): NodeRight {
    const identity = readIdentity(der);
    return {
      claims: this.#options.claims,
      proof: identity.name,
      refusal: nodeId =>
        this.#nodesOf(identity).includes(nodeId)
          ? this.#findTooOld(identity, nodeId)
          : toForeign(`the certificate is of ${identity.name}`, nodeId),
    };
  }

  /** Of module URLs only a hash of the node is known. Throws XdsError. */
  checkHash(der: Uint8Array | undefined, nodeHash: string): void {
    const identity = readIdentity(der);
    const node = this.#nodesOf(identity).find(one => toNodeHash(one) === nodeHash);
    const refusal =
      node === undefined
        ? toForeign(`the certificate is of ${identity.name}`, 'the node that this URL was made for')
        : this.#findTooOld(identity, node);
    if (refusal !== undefined) throw refusal;
  }

  #nodesOf(identity: CertificateIdentity): readonly string[] {
    return this.#policies.nodesOf(identity.name, toOwnNode(identity, this.#options.identity));
  }

  #findTooOld({ name, validFrom, validTo }: CertificateIdentity, node: string): XdsError | undefined {
    if (validTo <= this.#options.clock.now())
      return refused('expired', `the certificate of ${name} has expired`, 'Issue a new one');
    // Certificates tell the time to the second.
    if (validFrom < Math.floor(this.#policies.revokedAt(node) / 1000) * 1000)
      return refused('revoked', `the certificates of ${node} until now were revoked`, 'Issue a new one');
    return undefined;
  }
}

function readIdentity(der: Uint8Array | undefined): CertificateIdentity {
  if (der === undefined) throw refused('missing', 'no client certificate came');
  try {
    return readCertificateIdentity(der);
  } catch (error) {
    throw refused('wrong', `the client certificate does not say who it is of: ${toMessage(error)}`);
  }
}

function refused(
  what: 'missing' | 'wrong' | 'expired' | 'revoked',
  message: string,
  next?: string,
): XdsError {
  return new XdsError(`node-credential-${what}`, next === undefined ? message : `${message}. ${next}`);
}

function toForeign(proven: string, asked: string): XdsError {
  const next =
    'A certificate of another name can be made that of a node: attache node set ID --certificate NAME';
  const isToken = proven.startsWith('the token');
  return new XdsError('node-refused', `${proven}, which is not ${asked}${isToken ? '' : `. ${next}`}`);
}
