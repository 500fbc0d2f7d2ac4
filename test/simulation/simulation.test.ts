import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runMany } from './run-many.ts';
import { runStory } from './run-story.ts';

const STORIES = Number(process.env.SIMULATE_STORIES ?? 300);

test('300 random stories of rollouts: no rule is broken on the wire', async () => {
  const seeds = Array.from({ length: STORIES }, (_, i) => i + 1);
  const { stories, rollouts, bad } = await runMany(seeds, Math.min(2, availableParallelism()));
  const told = bad.map(
    ({ seed, violations }) => `npm run simulate -- --seed ${seed} --story\n  ${violations.join('\n  ')}`,
  );
  assert.deepEqual(told, []);
  assert.equal(stories, STORIES);
  assert.ok(rollouts >= STORIES, `${rollouts} rollouts in ${stories} stories`);
});

test('the same seed gives the same story, whoever else is told in the same process', async () => {
  const alone = new Map<number, string>();
  for (const seed of [3, 7, 12]) alone.set(seed, (await runStory(seed)).digest);
  assert.equal(new Set(alone.values()).size, 3);
  const { digests } = await runMany([12, 5, 7, 3], 1);
  for (const [seed, digest] of alone) assert.equal(digests.get(seed), digest, `seed ${seed}`);
  const verbose = await runStory(7, { verbose: true });
  assert.equal(verbose.digest, alone.get(7), 'telling a story does not change it');
});

test('the checker rests on nothing of the stages that it judges', () => {
  const here = dirname(fileURLToPath(import.meta.url));
  const seen = new Set<string>();
  const follow = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, , to] of readFileSync(path, 'utf8').matchAll(/^(import|export) [^;]*?from '(\.[^']+)'/gms))
      follow(join(dirname(path), to ?? ''));
  };
  follow(join(here, 'checker.ts'));
  const names = [...seen].map(path => path.slice(join(here, '../..').length + 1));
  assert.ok(names.includes('test/simulation/checker-plugin.ts'));
  assert.deepEqual(
    names.filter(name => /^src\/(rollout|compile|module|api|store)\//.test(name)),
    [],
  );
});
