import { toMessage } from '../model/error.ts';
import type { Clock, Log } from '../model/ports.ts';

/**
 * Runs a job after every pause of so many ms. What it throws is logged as `failed`, and it is tried again the next time. The answer ends it
 * and waits for what is under way.
 */
export function repeat(
  ports: { readonly clock: Clock; readonly log: Log },
  intervalMs: number,
  failed: string,
  job: () => Promise<void>,
): () => Promise<void> {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  const run = (): void => {
    running = job()
      .catch(error => {
        if (!stopped) ports.log.warn({ error: toMessage(error) }, failed);
      })
      .then(() => {
        if (!stopped) cancel = ports.clock.after(intervalMs, run);
      });
  };
  let cancel = ports.clock.after(intervalMs, run);
  return () => {
    stopped = true;
    cancel();
    return running;
  };
}
