import { decideRollout } from '../../src/rollout/decide-rollout.ts';
import { World } from './world.ts';

const n = Number(process.argv[2]);
const w = new World(n).apply(1, { preset: 'all-at-once' }).answer().pass(600_000).apply(2).answer();
w.pass(120000).answer();
w.pass(300000).answer();
const f = w.facts();
for (let j = 0; j < 3; j++) {
  const t = performance.now();
  const k = 50;
  for (let i = 0; i < k; i++) decideRollout(f);
  console.log(n, w.latest().step, w.latest().stage, w.moved().length, (performance.now() - t) / k, 'ms');
}
