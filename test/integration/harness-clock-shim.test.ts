import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endChild, spawnChild } from '../harness/child-process.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { startClockShim } from '../harness/clock-shim.ts';

test('a running program sees both clocks jump forward, and sleeps as before', async t => {
  const shim = stopAfter(t, await startClockShim());
  const program = `process.stdin.on('data', () => console.log(Date.now() / 3.6e6, performance.now() / 3.6e6))`;
  const running = spawnChild(process.execPath, ['-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...shim.env },
  });
  stopAfter(t, { stop: async () => void (await endChild(running)) });
  const ask = () =>
    new Promise<number[]>(resolve => {
      running.child.stdout?.once('data', (text: Buffer) => resolve(String(text).split(' ').map(Number)));
      running.child.stdin?.write('now\n');
    });
  const [wall = 0, steady = 0] = await ask();
  await shim.advanceHours(25);
  const [wallAfter = 0, steadyAfter = 0] = await ask();
  assert.equal(Math.round(wallAfter - wall), 25);
  assert.equal(Math.round(steadyAfter - steady), 25);
});
