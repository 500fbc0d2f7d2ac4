import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ADMISSION_WAIT_MS,
  LATE_MS,
  LOOK_EVERY_MS,
  StreamTurns,
  TURNS_PER_LOOK,
  TURNS_WHILE_LATE,
} from '../../../src/xds/limits/stream-turns.ts';

/** Many streams, and an event loop that comes to its timers when the test says. */
class Crowd {
  now = 0;
  begun = 0;
  refused = 0;
  due: { readonly at: number; readonly callback: () => void }[] = [];
  readonly turns = new StreamTurns({
    now: () => this.now,
    after: (delayMs, callback) => {
      const timer = { at: this.now + delayMs, callback };
      this.due.push(timer);
      return () => {
        this.due = this.due.filter(one => one !== timer);
      };
    },
  });

  come(count: number): (() => void)[] {
    const leave: (() => void)[] = [];
    for (let i = 0; i < count; i++) {
      if (this.turns.take()) this.begun += 1;
      else
        leave.push(
          this.turns.wait({ since: this.now, begin: () => this.begun++, refuse: () => this.refused++ }),
        );
    }
    return leave;
  }

  /** The loop was busy for so long; then come the timers that are due. */
  turn(busyMs: number): void {
    this.now += busyMs;
    const due = this.due.filter(({ at }) => at <= this.now);
    this.due = this.due.filter(({ at }) => at > this.now);
    for (const { callback } of due) callback();
  }
}

test('a crowd begins a slice at a time while the loop keeps up, and nobody is refused', () => {
  const crowd = new Crowd();
  crowd.come(10 * TURNS_PER_LOOK);
  assert.equal(crowd.begun, TURNS_PER_LOOK);
  for (let looks = 2; looks <= 10; looks++) {
    crowd.turn(LOOK_EVERY_MS + LATE_MS);
    assert.equal(crowd.begun, looks * TURNS_PER_LOOK);
  }
  assert.equal(crowd.refused, 0);
});

test('who comes later does not overtake those that wait', () => {
  const crowd = new Crowd();
  crowd.come(2 * TURNS_PER_LOOK + 1);
  crowd.turn(LOOK_EVERY_MS);
  assert.equal(crowd.turns.take(), false);
  crowd.turn(LOOK_EVERY_MS);
  assert.equal(crowd.begun, 2 * TURNS_PER_LOOK + 1);
  assert.equal(crowd.turns.take(), true);
});

test('while the loop is late few begin, and who has waited for a second is refused', () => {
  const crowd = new Crowd();
  const lateMs = LOOK_EVERY_MS + LATE_MS + 1;
  crowd.come(1000);
  while (crowd.now + lateMs < ADMISSION_WAIT_MS) crowd.turn(lateMs);
  assert.equal(crowd.refused, 0);
  // A second's worth at the first late look, then by time.
  const byTime = ((crowd.now - lateMs) * TURNS_WHILE_LATE) / 1000;
  assert.equal(crowd.begun, TURNS_PER_LOOK + TURNS_WHILE_LATE + Math.floor(byTime));
  crowd.turn(lateMs);
  assert.equal(crowd.begun + crowd.refused, 1000);
});

test('as soon as it has caught up the rest begins', () => {
  const crowd = new Crowd();
  crowd.come(TURNS_PER_LOOK + TURNS_WHILE_LATE + 5);
  crowd.turn(LOOK_EVERY_MS + LATE_MS + 1);
  assert.equal(crowd.begun, TURNS_PER_LOOK + TURNS_WHILE_LATE);
  crowd.turn(LOOK_EVERY_MS);
  assert.equal(crowd.begun, TURNS_PER_LOOK + TURNS_WHILE_LATE + 5);
});

test('one that goes while it waits is neither begun nor refused, and nothing looks on without need', () => {
  const crowd = new Crowd();
  for (const leave of crowd.come(TURNS_PER_LOOK + 7)) leave();
  crowd.turn(LOOK_EVERY_MS);
  crowd.turn(LOOK_EVERY_MS);
  assert.deepEqual([crowd.begun, crowd.refused, crowd.due.length], [TURNS_PER_LOOK, 0, 0]);
  assert.equal(crowd.turns.take(), true);
});

test('a stall that is longer than anybody is to wait turns nobody away', () => {
  const crowd = new Crowd();
  crowd.come(TURNS_PER_LOOK + 3 * TURNS_WHILE_LATE);
  crowd.turn(LOOK_EVERY_MS + 3 * ADMISSION_WAIT_MS);
  assert.deepEqual([crowd.begun, crowd.refused], [TURNS_PER_LOOK + TURNS_WHILE_LATE, 0]);
  for (let looks = 0; crowd.begun < TURNS_PER_LOOK + 3 * TURNS_WHILE_LATE && looks < 20; looks++)
    crowd.turn(LOOK_EVERY_MS);
  assert.deepEqual([crowd.begun, crowd.refused], [TURNS_PER_LOOK + 3 * TURNS_WHILE_LATE, 0]);
});
