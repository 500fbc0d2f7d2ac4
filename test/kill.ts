/**
 * `npm run kill -- --seed N [--count 200]`: kills Attaché and Envoy at the instants of a seed, under load. The first
 * twenty of the default seed are part of `npm test`.
 */
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { runKills } from './e2e/kill/kill-run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    count: { type: 'string', default: '200' },
  },
});
const seed = toNumber('--seed', values.seed);
const count = toNumber('--count', values.count);

test(`kill -9 of Attaché or Envoy, ${count} times under load (seed ${seed})`, async t => {
  await runKills(t, { seed, count, say: line => process.stdout.write(`${line}\n`) });
});

function toNumber(flag: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new RangeError(`${flag} ${text}: expected a whole number`);
  return Number(text);
}
