import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastAckOf } from '../../src/model/last-ack.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';

function verdict(process: string, acceptedAt: number | null): NodeVerdict {
  const accepted = acceptedAt === null ? null : { contentHash: 'c', at: acceptedAt, plugins: [] };
  return {
    node: 'edge-1',
    process,
    slot: 's',
    state: 'sent',
    since: 1,
    tried: null,
    accepted,
    refused: null,
  };
}

test('the last ACK is the newest of what the node and its places tell, of the Envoy that runs now', () => {
  const at = (lastAckAt: number | undefined, ...verdicts: NodeVerdict[]) =>
    lastAckOf({ process: 'p', ...(lastAckAt === undefined ? {} : { lastAckAt }) }, verdicts);
  assert.equal(at(undefined), undefined);
  assert.equal(at(undefined, verdict('p', null), verdict('old', 7)), undefined);
  assert.equal(at(5, verdict('p', 3), verdict('old', 7)), 5);
  assert.equal(at(5, verdict('p', 3), verdict('p', 6)), 6);
});
