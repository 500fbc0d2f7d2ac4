import { Worker } from 'node:worker_threads';
import type { Outcome } from './run-story.ts';

export interface Job {
  readonly seeds: readonly number[];
}

export interface Total {
  readonly stories: number;
  readonly rollouts: number;
  readonly events: number;
  /** Outcomes with violations, by seed. */
  readonly bad: readonly Outcome[];
  /** Digests by seed. */
  readonly digests: ReadonlyMap<number, string>;
}

const CHUNK = 20;

/**
 * Plays the stories of these seeds in `workers` threads; each is a world of its own, so that nothing depends on who
 * plays it. `onOutcome` is called as they end, in no order.
 */
export async function runMany(
  seeds: readonly number[],
  workers: number,
  onOutcome: (outcome: Outcome) => void = () => {},
): Promise<Total> {
  const left = chunk(seeds);
  const outcomes: Outcome[] = [];
  const takeOn = async (): Promise<void> => {
    if (left.length === 0) return;
    const worker = new Worker(new URL('story-worker.ts', import.meta.url));
    try {
      for (let job = left.shift(); job !== undefined; job = left.shift())
        for (const outcome of await ask(worker, { seeds: job })) {
          outcomes.push(outcome);
          onOutcome(outcome);
        }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: workers }, takeOn));
  return {
    stories: outcomes.length,
    rollouts: outcomes.reduce((sum, { rollouts }) => sum + rollouts, 0),
    events: outcomes.reduce((sum, { events }) => sum + events, 0),
    bad: outcomes.filter(({ violations }) => violations.length > 0).sort((a, b) => a.seed - b.seed),
    digests: new Map(outcomes.map(({ seed, digest }) => [seed, digest])),
  };
}

function ask(worker: Worker, job: Job): Promise<readonly Outcome[]> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown): void => reject(error);
    worker.once('error', onError);
    worker.once('message', (outcomes: readonly Outcome[]) => {
      worker.off('error', onError);
      resolve(outcomes);
    });
    worker.postMessage(job);
  });
}

function chunk(seeds: readonly number[]): number[][] {
  const size = Math.max(1, Math.min(CHUNK, Math.ceil(seeds.length / 8)));
  return Array.from({ length: Math.ceil(seeds.length / size) }, (_, i) =>
    seeds.slice(i * size, (i + 1) * size),
  );
}
