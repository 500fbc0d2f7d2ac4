import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchDeadline } from '../../../src/module/trial/trial-deadline.ts';
import { systemClock } from '../actors.ts';

test('a limit is passed where the process took more, and what it took before does not count', {
  skip: process.platform === 'linux' ? false : 'only Linux tells the time of a process',
}, async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { user, system } = process.cpuUsage();
  const usedMs = (user + system) / 1000;
  // Its limit of time on the clock is never over.
  const clock = { ...systemClock, now: () => 0 };
  const stop = watchDeadline(process.pid, { limitMs: 1, usedMs: usedMs + 60_000 }, clock, () =>
    resolve('counted what was before'),
  );
  watchDeadline(process.pid, { limitMs: 1, usedMs: 0 }, clock, () => resolve('expired'));
  assert.equal(await promise, 'expired');
  stop();
});
