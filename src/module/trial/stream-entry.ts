/**
 * What the child process of `attache test` runs: as trial-entry.ts, with requests that pass.
 */
import { readFileSync, writeSync } from 'node:fs';
import { runSteps } from './stream/run-steps.ts';
import type { StreamOrder } from './stream/stream-protocol.ts';

const input = readFileSync(0);
const orderEnd = 4 + input.readUInt32LE(0);
const order = JSON.parse(input.toString('utf8', 4, orderEnd)) as StreamOrder;
runSteps(input.subarray(orderEnd), order, event => {
  writeAll(Buffer.from(`${JSON.stringify(event)}\n`));
});

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
