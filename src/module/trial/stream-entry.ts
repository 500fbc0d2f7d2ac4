/**
 * What the child process of `attache test` runs: as trial-entry.ts, once, with requests that pass.
 */
import { writeSync } from 'node:fs';
import { readFrame } from './child-input.ts';
import { runSteps } from './stream/run-steps.ts';
import type { StreamOrder } from './stream/stream-protocol.ts';

const order = readFrame();
const bytes = readFrame();
if (order !== undefined && bytes !== undefined)
  runSteps(bytes, JSON.parse(order.toString()) as StreamOrder, event => {
    writeAll(Buffer.from(`${JSON.stringify(event)}\n`));
  });

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
