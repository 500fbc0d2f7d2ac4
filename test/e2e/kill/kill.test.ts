import { test } from 'node:test';
import { runKills } from './kill-run.ts';

const SEED = Number(process.env.ATTACHE_TEST_SEED ?? 20261121);

test(`kill -9 of Attaché or Envoy, 20 times under load (seed ${SEED})`, async t => {
  await runKills(t, { seed: SEED, count: 20, say: line => t.diagnostic(line) });
});
