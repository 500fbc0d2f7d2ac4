import { Checker } from './checker.ts';
import type { Distort } from './mortal-store.ts';
import { Story } from './story.ts';
import { World } from './world.ts';

/** How a story went. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  /** How many rollouts there were. */
  readonly rollouts: number;
  /** Of everything that was seen and done: equal for equal seeds. */
  readonly digest: string;
  /** For a person; empty unless asked for. */
  readonly lines: readonly string[];
  /** What it cost. */
  readonly events: number;
}

/** Plays the story of a seed to its end, and judges it. */
export async function runStory(
  seed: number,
  options: { readonly verbose?: boolean; readonly distort?: Distort } = {},
): Promise<Outcome> {
  const { verbose = false, distort } = options;
  const checker = new Checker();
  const world = new World({
    seed,
    witnesses: [checker],
    verbose,
    ...(distort === undefined ? {} : { distort }),
  });
  const story = new Story(world);
  await story.play();
  await story.settle();
  checker.end(world.clock.now());
  const violations = [...checker.violations, ...world.faults, ...(await story.findStuck())];
  const outcome = {
    seed,
    violations,
    rollouts: await story.countRollouts(),
    digest: world.wire.digest(),
    lines: world.wire.lines ?? [],
    events: world.clock.events,
  };
  // Who still watches the store would keep this world in memory, and there are thousands.
  world.kill();
  return outcome;
}
