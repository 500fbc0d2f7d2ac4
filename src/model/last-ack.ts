import type { NodeIdentity, NodePresence } from './node.ts';
import type { NodeVerdict } from './node-verdict.ts';

/**
 * Whether the records of its places alone tell when an Envoy accepted something there. Its presence is not written for that
 * as well: it was half of what a change of a fleet wrote. An Envoy before 1.39 says by any ACK that it saw a listener.
 */
export function tellsByPlaces({ capabilities }: NodeIdentity): boolean {
  return capabilities.filterChain;
}

/** When an Envoy last ACKed anything, ms; undefined: never. `verdicts`: of its node. */
export function lastAckOf(
  { process, lastAckAt }: Pick<NodePresence, 'process' | 'lastAckAt'>,
  verdicts: Iterable<NodeVerdict>,
): number | undefined {
  let last = lastAckAt;
  for (const { process: of, accepted } of verdicts)
    if (of === process && accepted !== null && accepted.at > (last ?? 0)) last = accepted.at;
  return last;
}
