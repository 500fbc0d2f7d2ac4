import { parentPort } from 'node:worker_threads';
import type { Job } from './run-many.ts';
import { type Outcome, runStory } from './run-story.ts';

/** Plays the stories that it is sent, and answers how they went. */
parentPort?.on('message', async ({ seeds }: Job) => {
  const outcomes: Outcome[] = [];
  for (const seed of seeds) outcomes.push(await runStory(seed));
  parentPort?.postMessage(outcomes);
});
