/**
 * `npm run simulate`: random rollouts through the real stages against modelled Envoys, on a clock that costs nothing.
 *
 *     npm run simulate -- [--seed N] [--count N] [--workers N] [--story]
 *
 * One seed is one story of a fleet, with a rollout at least; the same seed gives the same story. `--count` stories
 * are played (default 10,000), from `--seed` on (default 1). A violation is told with its seed; `--story` plays one
 * seed and tells all of it. Ends with 1 when a rule was broken.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runMany } from './simulation/run-many.ts';
import { type Outcome, runStory } from './simulation/run-story.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    story: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);

process.exitCode = values.story ? await tellStory(first) : await playMany(Number(values.count));

async function tellStory(seed: number): Promise<number> {
  const outcome = await runStory(seed, { verbose: true });
  console.log(outcome.lines.join('\n'));
  report(outcome);
  return outcome.violations.length === 0 ? 0 : 1;
}

async function playMany(count: number): Promise<number> {
  const begun = process.hrtime.bigint();
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  let done = 0;
  const total = await runMany(seeds, Number(values.workers), outcome => {
    done += 1;
    if (outcome.violations.length > 0) report(outcome);
    if (done % 1000 === 0) console.log(`${done} of ${count} stories`);
  });
  const seconds = Number((process.hrtime.bigint() - begun) / 1_000_000_000n);
  const { stories, rollouts, bad } = total;
  console.log(
    `${stories} stories with ${rollouts} rollouts in ${seconds} s: ${bad.length} with a broken rule`,
  );
  return bad.length === 0 && stories === count ? 0 : 1;
}

function report({ seed, violations }: Outcome): void {
  if (violations.length === 0) return;
  console.log(`seed ${seed}:`);
  for (const violation of violations.slice(0, 5)) console.log(`  ${violation}`);
  console.log(`  its story: npm run simulate -- --seed ${seed} --story`);
}
