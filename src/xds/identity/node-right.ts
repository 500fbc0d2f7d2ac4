import type { NodeClaims } from '../../model/node-auth.ts';
import type { XdsError } from '../xds-error.ts';

/** What a caller may, by what it showed when it called. Asked anew for each of its requests. */
export interface NodeRight {
  /** Why it may not (any more) act as this node. */
  refusal(nodeId: string): XdsError | undefined;
  /** What namespace and labels are worth that it says it has. */
  readonly claims: NodeClaims;
  /** What it proved to be, for the log: the name in its certificate, `a token`, or nothing. */
  readonly proof: string | undefined;
}

/** Nobody has to prove anything. */
export const ANY_NODE: NodeRight = { refusal: () => undefined, claims: 'kept', proof: undefined };

/** Throws the refusal. */
export function demand(right: NodeRight, nodeId: string): void {
  const refusal = right.refusal(nodeId);
  if (refusal !== undefined) throw refusal;
}
