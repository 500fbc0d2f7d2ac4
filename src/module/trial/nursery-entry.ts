/**
 * What the nursery's process runs: starts trial runs for a server, each in a child of its own, and keeps one child
 * started ahead. It runs no module itself. It goes with its server, and its children with it.
 */

import { toMessage } from '../../model/error.ts';
import type { Clock } from '../../model/ports.ts';
import type { NurseryAnswer, NurseryOrder } from './nursery-protocol.ts';
import { SpareChild } from './spare-child.ts';
import { SMALL } from './trial-bounds.ts';
import { toNotRun } from './trial-result.ts';

const clock: Clock = {
  now: () => Number(process.hrtime.bigint() / 1_000_000n),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
const running = new Map<number, AbortController>();
const spare = new SpareChild(SMALL, clock);

process.on('message', (order: NurseryOrder) => {
  if (order.kind === 'run') void run(order);
  else if (order.kind === 'end') running.get(order.id)?.abort();
  else void spare.prepare();
});
process.once('disconnect', () => {
  for (const one of running.values()) one.abort();
  spare.close();
});
// Of Ctrl-C the server hears too, and ends this process when its own work is done.
process.on('SIGINT', () => {});

async function run({ id, bytes, order, bounds }: NurseryOrder & { readonly kind: 'run' }): Promise<void> {
  const ending = new AbortController();
  running.set(id, ending);
  try {
    answer({ id, result: await spare.run(bytes, order, bounds, ending.signal) });
  } catch (error) {
    answer(ending.signal.aborted ? { id } : { id, result: toNotRun(toMessage(error)) });
  } finally {
    running.delete(id);
  }
}

function answer(of: NurseryAnswer): void {
  if (process.connected) process.send?.(of);
}
