/**
 * What the nursery's process runs: starts trial runs for a server in children, and keeps one child started ahead. It runs
 * no module itself. It goes with its server, and its children with it.
 */

import { toMessage } from '../../model/error.ts';
import type { Clock } from '../../model/ports.ts';
import type { NurseryAnswer, NurseryOrder, NurseryRun } from './nursery-protocol.ts';
import { SMALL } from './trial-bounds.ts';
import { TrialChildren } from './trial-children.ts';
import { type TrialResult, toNotRun } from './trial-result.ts';

const clock: Clock = {
  now: () => Number(process.hrtime.bigint() / 1_000_000n),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
const running = new Map<number, AbortController>();
const children = new TrialChildren(SMALL, clock);

process.on('message', (order: NurseryOrder) => {
  if (order.kind === 'run') void run(order);
  else if (order.kind === 'end') running.get(order.id)?.abort();
  else void children.prepare();
});
process.once('disconnect', () => {
  for (const one of running.values()) one.abort();
  children.close();
});
// Of Ctrl-C the server hears too, and ends this process when its own work is done.
process.on('SIGINT', () => {});

async function run({ id, ...of }: NurseryRun): Promise<void> {
  const ending = new AbortController();
  running.set(id, ending);
  try {
    answer(id, await children.run(of, ending.signal));
  } catch (error) {
    answer(id, ending.signal.aborted ? undefined : toNotRun(toMessage(error)));
  } finally {
    running.delete(id);
  }
}

function answer(id: number, result: TrialResult | undefined): void {
  const { keys } = children;
  const said: NurseryAnswer = result === undefined ? { id, keys } : { id, result, keys };
  if (process.connected) process.send?.(said);
}
