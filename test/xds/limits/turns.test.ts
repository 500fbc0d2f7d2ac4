import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FEWEST_PER_SECOND,
  LATE_MS,
  type Lane,
  LOOK_EVERY_MS,
  MOST_PER_SECOND,
  TURN_WAIT_MS,
  TURNS_AT_ONCE,
  Turns,
} from '../../../src/xds/limits/turns.ts';

/** Many streams and connections, and an event loop that comes to its timers when the test says. */
class Crowd {
  now = 0;
  idleMs = 0;
  readonly begun: Record<Lane, number> = { stream: 0, connection: 0 };
  refused = 0;
  due: { readonly at: number; readonly callback: () => void }[] = [];
  readonly turns = new Turns({
    clock: {
      now: () => this.now,
      after: (delayMs, callback) => {
        const timer = { at: this.now + delayMs, callback };
        this.due.push(timer);
        return () => {
          this.due = this.due.filter(one => one !== timer);
        };
      },
    },
    idleMs: () => this.idleMs,
  });

  get all(): number {
    return this.begun.stream + this.begun.connection;
  }

  come(count: number, lane: Lane = 'stream'): (() => void)[] {
    const leave: (() => void)[] = [];
    for (let i = 0; i < count; i++) {
      if (this.turns.take(lane)) this.begun[lane] += 1;
      else
        leave.push(
          this.turns.wait(lane, {
            since: this.now,
            begin: () => {
              this.begun[lane] += 1;
            },
            refuse: () => {
              this.refused += 1;
            },
          }),
        );
    }
    return leave;
  }

  /** The loop was busy for so long, and had nothing to do for so long; then come the timers that are due. */
  turn(busyMs: number, idleMs: number): void {
    this.now += busyMs + idleMs;
    this.idleMs += idleMs;
    const due = this.due.filter(({ at }) => at <= this.now);
    this.due = this.due.filter(({ at }) => at > this.now);
    for (const { callback } of due) callback();
  }

  /** A second in which the loop has time left, or none. */
  second(of: 'idle' | 'busy'): void {
    for (let ms = 0; ms < 1000; ms += LOOK_EVERY_MS)
      if (of === 'idle') this.turn(0, LOOK_EVERY_MS);
      else this.turn(LOOK_EVERY_MS, 0);
  }
}

test('a crowd begins ever faster while the loop has time left, and nobody is refused', () => {
  const crowd = new Crowd();
  crowd.come(3 * MOST_PER_SECOND);
  assert.equal(crowd.all, TURNS_AT_ONCE);
  crowd.second('idle');
  const first = crowd.all;
  crowd.second('idle');
  const inSecond = crowd.all - first;
  assert.ok(first < inSecond, `${first} began in the first second, ${inSecond} in the next`);
  assert.ok(Math.abs(inSecond - MOST_PER_SECOND) <= TURNS_AT_ONCE, `${inSecond} began in a second`);
  assert.equal(crowd.refused, 0);
});

test('while the loop has no time left few begin, and who has waited for too long is refused', () => {
  const crowd = new Crowd();
  crowd.come(2000);
  crowd.second('busy');
  const before = crowd.all;
  crowd.second('busy');
  const inSecond = crowd.all - before;
  assert.ok(Math.abs(inSecond - FEWEST_PER_SECOND) <= 1, `${inSecond} began in a second`);
  while (crowd.now < TURN_WAIT_MS - LOOK_EVERY_MS) crowd.turn(LOOK_EVERY_MS, 0);
  assert.equal(crowd.refused, 0);
  crowd.turn(LOOK_EVERY_MS, 0);
  assert.equal(crowd.all + crowd.refused, 2000);
});

test('as soon as the loop has time again the rest begins', () => {
  const crowd = new Crowd();
  crowd.come(500);
  crowd.second('busy');
  crowd.second('idle');
  assert.deepEqual([crowd.all, crowd.refused], [500, 0]);
});

test('who comes later does not overtake, and streams go before connections', () => {
  const crowd = new Crowd();
  crowd.come(TURNS_AT_ONCE + 20, 'connection');
  crowd.come(20, 'stream');
  assert.equal(crowd.turns.take('stream'), false);
  while (crowd.begun.stream < 20) {
    assert.equal(crowd.begun.connection, TURNS_AT_ONCE);
    crowd.turn(LOOK_EVERY_MS, 0);
  }
  assert.equal(crowd.turns.take('connection'), false);
  crowd.second('idle');
  assert.equal(crowd.begun.connection, TURNS_AT_ONCE + 20);
});

test('one that goes while it waits is neither begun nor refused, and nothing looks on without need', () => {
  const crowd = new Crowd();
  for (const leave of crowd.come(TURNS_AT_ONCE + 7)) leave();
  crowd.second('busy');
  assert.deepEqual([crowd.all, crowd.refused, crowd.due.length], [TURNS_AT_ONCE, 0, 0]);
  assert.equal(crowd.turns.take('stream'), true);
});

test('a stall that is longer than anybody is to wait turns nobody away, and lets in no crowd at its end', () => {
  const crowd = new Crowd();
  crowd.come(200);
  crowd.second('idle');
  crowd.come(500);
  const before = crowd.all;
  crowd.turn(LOOK_EVERY_MS + 3 * TURN_WAIT_MS, 0);
  const atItsEnd = crowd.all - before;
  assert.ok(atItsEnd <= (MOST_PER_SECOND * 2 * LOOK_EVERY_MS) / 1000, `${atItsEnd} began at its end`);
  assert.equal(crowd.refused, 0);
  crowd.second('idle');
  assert.deepEqual([crowd.all, crowd.refused], [700, 0]);
});

test('a loop that comes late to each look lets in as many in a second', () => {
  const crowd = new Crowd();
  crowd.come(1000);
  for (let looks = 0; looks < 10; looks++) crowd.turn(LATE_MS, 0);
  const before = crowd.all;
  for (let looks = 0; looks < 10; looks++) crowd.turn(LATE_MS, 0);
  assert.equal(crowd.all - before, FEWEST_PER_SECOND);
});
