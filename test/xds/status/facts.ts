import type { NodeIdentity, NodePresence } from '../../../src/model/node.ts';
import type { NodeVerdict } from '../../../src/model/node-verdict.ts';

/** An Envoy of 1.40 in the default namespace. */
export function nodeOf(id: string, more: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    id,
    cluster: 'edge',
    namespace: 'default',
    labels: {},
    zone: 'a',
    envoyVersion: '1.40.0',
    capabilities: { filterChain: true, wasm: true, failReload: true },
    bootstrap: {},
    ...more,
  };
}

/** Connected, in process `p`. */
export function presenceOf(id: string, more: Partial<NodePresence> = {}): NodePresence {
  return {
    node: nodeOf(id),
    process: 'p',
    connected: true,
    since: 1,
    firstSeenAt: 1,
    slots: [],
    nacks: [],
    ...more,
  };
}

/** Of process `p`; `more` says what came of it. */
export function verdictOf(
  slot: string,
  more: Partial<NodeVerdict> & Pick<NodeVerdict, 'state'>,
): NodeVerdict {
  return {
    node: 'edge-1',
    process: 'p',
    slot,
    since: 7,
    tried: null,
    accepted: null,
    refused: null,
    ...more,
  };
}
