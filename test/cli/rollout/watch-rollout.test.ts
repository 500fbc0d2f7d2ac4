import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RolloutView } from '../../../src/api/schema/rollout-view.ts';
import { CliError } from '../../../src/cli/cli-error.ts';
import { RestError } from '../../../src/cli/rest-client.ts';
import { type Moment, type WatchOptions, watchRollout } from '../../../src/cli/rollout/watch-rollout.ts';
import { bakingView, succeededView } from '../rollout-views.ts';

/** The answers of one look after another; the last one stays. */
function answering(answers: readonly (RolloutView | Error)[]): () => Promise<RolloutView> {
  let next = 0;
  return async () => {
    const answer = answers[Math.min(next, answers.length - 1)];
    next += 1;
    if (answer instanceof Error || answer === undefined) throw answer;
    return answer;
  };
}

async function collect(
  answers: readonly (RolloutView | Error)[],
  options: WatchOptions = {},
): Promise<readonly string[]> {
  const moments: Moment[] = [];
  for await (const moment of watchRollout(answering(answers), { everyMs: 0, ...options }))
    moments.push(moment);
  return moments.map(moment => (moment.kind === 'view' ? moment.view.phase : moment.kind));
}

const gone = new CliError('unreachable', 'gone');
const problem = (status: number) => new RestError({ status, code: 'x', detail: 'x', errors: [] });

test('it ends with the rollout, at once where that has ended', async () => {
  assert.deepEqual(await collect([bakingView(), bakingView(), succeededView()]), [
    'Baking',
    'Baking',
    'Succeeded',
  ]);
  assert.deepEqual(await collect([succeededView()]), ['Succeeded']);
});

test('C-B5: a server that restarts is said to be lost once, and found again', async () => {
  const answers = [bakingView(), gone, gone, problem(503), bakingView(), succeededView()];
  assert.deepEqual(await collect(answers), ['Baking', 'lost', 'connected', 'Baking', 'Succeeded']);
});

test('it ends where a person has to act', async () => {
  const paused = bakingView({ phase: 'Paused', waitsForPerson: true });
  assert.deepEqual(await collect([bakingView(), paused]), ['Baking', 'Paused']);
});

test('the time to wait ends it, also while the server is away', async () => {
  assert.deepEqual(await collect([bakingView()], { timeoutMs: 0 }), ['Baking', 'timeout']);
  assert.deepEqual(await collect([bakingView(), gone], { timeoutMs: 5 }), ['Baking', 'lost', 'timeout']);
});

test('a server that is not there at first, and a rollout that is not, are errors', async () => {
  await assert.rejects(collect([gone]), { code: 'unreachable' });
  await assert.rejects(collect([bakingView(), problem(404)]), { status: 404 });
});
