/**
 * What a trial's child process runs: reads an order and a module from stdin, runs the plugin, writes what happens to
 * stdout as it happens. After a run that went well it waits for another order, for the same module; after any other it
 * is gone. It opens no file and no connection and is given no right to.
 */
import { writeSync } from 'node:fs';
import { readFrame } from './child-input.ts';
import { runGuest } from './run-guest.ts';
import type { TrialEvent, TrialOrder } from './trial-protocol.ts';
import type { WasmModule } from './web-assembly.ts';

/** The smallest module there is. */
const EMPTY = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const NO_ORDER = { envoyMinor: 40, plugin: '', rootId: '', configuration: '', env: [], hostEnv: [], now: 0 };
// The engine and our own code are warm when the order comes: 2 ms instead of 5 from it to the first call.
runGuest(EMPTY, NO_ORDER, () => {});

/** Of the run before. What a plugin did is in its instance, which each run makes anew, as all that its host keeps. */
let module: WasmModule | undefined;
do {
  const order = readFrame();
  const bytes = readFrame();
  if (order === undefined || bytes === undefined) break;
  const code = bytes.length === 0 && module !== undefined ? module : bytes;
  module = runGuest(code, JSON.parse(order.toString()) as TrialOrder, event => write(withCost(event)));
} while (module !== undefined);

function withCost(event: TrialEvent): TrialEvent {
  if (event.kind !== 'left') return event;
  const { user, system } = process.cpuUsage();
  const cost = { residentMiB: process.memoryUsage.rss() / 2 ** 20, processorMs: (user + system) / 1000 };
  return { ...event, cost };
}

function write(event: TrialEvent): void {
  const bytes = Buffer.from(`${JSON.stringify(event)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
