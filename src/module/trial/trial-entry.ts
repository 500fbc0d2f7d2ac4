/**
 * What a trial's child process runs: reads an order and a module from stdin, runs the plugin, writes what happens to
 * stdout as it happens, and is gone. It opens no file and no connection and is given no right to.
 */
import { readFileSync, writeSync } from 'node:fs';
import { runGuest } from './run-guest.ts';
import type { TrialOrder } from './trial-protocol.ts';

/** The smallest module there is. */
const EMPTY = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const NO_ORDER = { envoyMinor: 40, plugin: '', rootId: '', configuration: '', env: [], hostEnv: [], now: 0 };
// The engine and our own code are warm when the order comes: 2 ms instead of 5 from it to the first call.
runGuest(EMPTY, NO_ORDER, () => {});

const input = readFileSync(0);
const orderEnd = 4 + input.readUInt32LE(0);
const order = JSON.parse(input.toString('utf8', 4, orderEnd)) as TrialOrder;
runGuest(input.subarray(orderEnd), order, event => {
  writeAll(Buffer.from(`${JSON.stringify(event)}\n`));
});

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
