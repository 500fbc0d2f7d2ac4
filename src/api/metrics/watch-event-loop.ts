import type { Meter } from '../../model/meter.ts';
import type { Clock } from '../../model/ports.ts';
import { toHistogram } from './create-meter.ts';
import { METRICS } from './metric-table.ts';
import type { Registry } from './prometheus.ts';

const INTERVAL_MS = 100;

/** Takes how late timers are; the answer ends it. */
export function watchEventLoop(
  registry: Registry,
  { start }: Pick<Meter, 'start'>,
  clock: Pick<Clock, 'after'>,
): () => void {
  const lag = toHistogram(METRICS.eventLoopLag, registry);
  let cancel = (): void => {};
  const wait = (): void => {
    const read = start();
    cancel = clock.after(INTERVAL_MS, () => {
      lag.observe(Math.max(0, read() - INTERVAL_MS / 1000));
      wait();
    });
  };
  wait();
  return () => cancel();
}
