import type { NodePolicy } from '../../model/fleet-records.ts';

/** What the server side says of who may be which node, ready to be asked at each request. */
export class NodePolicies {
  readonly #byNode = new Map<string, NodePolicy>();
  /** Nodes by the name in the certificate that a policy gives to them. */
  readonly #byCertificate = new Map<string, Set<string>>();

  set(node: string, policy: NodePolicy | undefined): void {
    const before = this.#byNode.get(node)?.certificate;
    if (before !== undefined) {
      const nodes = this.#byCertificate.get(before);
      nodes?.delete(node);
      if (nodes?.size === 0) this.#byCertificate.delete(before);
    }
    if (policy === undefined) this.#byNode.delete(node);
    else this.#byNode.set(node, policy);
    const { certificate } = policy ?? {};
    if (certificate !== undefined)
      this.#byCertificate.set(certificate, (this.#byCertificate.get(certificate) ?? new Set()).add(node));
  }

  /** 0: nothing was revoked. */
  revokedAt(node: string): number {
    return this.#byNode.get(node)?.revoked?.at ?? 0;
  }

  /** The name that a certificate for this node has to have, where a policy says it. */
  certificateOf(node: string): string | undefined {
    return this.#byNode.get(node)?.certificate;
  }

  /**
   * Nodes that a certificate with this name is for. A name that policies give away is for their nodes alone, and a node
   * that a policy gives a name to is for that alone; `own` is the node that the name is for otherwise.
   */
  nodesOf(name: string, own: string | undefined): readonly string[] {
    const given = this.#byCertificate.get(name);
    if (given !== undefined) return [...given];
    return own === undefined || this.certificateOf(own) !== undefined ? [] : [own];
  }
}
