import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelayLine } from '../../src/xds/delay-line.ts';
import { FakeClock } from './model/fake-clock.ts';

function setUp() {
  const clock = new FakeClock();
  const out: string[] = [];
  const line = new DelayLine<string>(clock, 100, (item, since) => out.push(`${item} ${since}`));
  const start = clock.now();
  const add = (item: string): void => line.add(item, clock.now());
  const take = (): readonly string[] => out.splice(0).map(it => it.replace(String(start), '0'));
  return { clock, line, add, take };
}

test('each item comes out in its own time, with when it was added', () => {
  const { clock, add, take } = setUp();
  add('a');
  add('b');
  clock.run(40);
  add('c');
  clock.run(59);
  assert.deepEqual(take(), []);
  clock.run(1);
  assert.deepEqual(take(), ['a 0', 'b 0']);
  clock.run(40);
  assert.equal(take().length, 1);
  clock.run(1000);
  assert.deepEqual(take(), []);
});

test('what is added while others come out waits its whole time', () => {
  const clock = new FakeClock();
  const out: number[] = [];
  const line = new DelayLine<number>(clock, 100, round => {
    out.push(round);
    if (round < 3) line.add(round + 1, clock.now());
  });
  line.add(1, clock.now());
  clock.run(100);
  assert.deepEqual(out, [1]);
  clock.run(99);
  assert.deepEqual(out, [1]);
  clock.run(101);
  assert.deepEqual(out, [1, 2, 3]);
});

test('a clock that is set back keeps nothing in', () => {
  const { clock, line, take } = setUp();
  line.add('from the future', clock.now() + 3_600_000);
  clock.run(100);
  assert.equal(take().length, 1);
});

test('after its end nothing comes out, and what was in it is told', () => {
  const { clock, line, add, take } = setUp();
  add('a');
  clock.run(100);
  add('b');
  assert.deepEqual(line.stop(), ['b']);
  clock.run(1000);
  assert.deepEqual(take(), ['a 0']);
});
