import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FEWEST_PER_SECOND,
  LATE_MS,
  type Lane,
  QUIET_MS,
  TURN_WAIT_MS,
  TURNS_AT_ONCE,
  TURNS_IN_QUIET,
  Turns,
} from '../../../src/xds/limits/turns.ts';

/** A turn of the loop in which nothing else happens, ms. */
const NOTHING = QUIET_MS / 4;
/** One in which a few messages are read. */
const SOMETHING = QUIET_MS * 10;

/** Many streams and connections, and an event loop whose turns take as long as the test says. */
class Crowd {
  now = 0;
  readonly begun: Record<Lane, number> = { end: 0, stream: 0, connection: 0 };
  refused = 0;
  due: (() => void)[] = [];
  readonly turns = new Turns({
    clock: {
      now: () => this.now,
      after: () => assert.fail('a loop that has something else to do would come late to a timer'),
    },
    nextTurn: callback => {
      this.due.push(callback);
      return () => {
        this.due = this.due.filter(one => one !== callback);
      };
    },
  });

  get all(): number {
    return this.begun.end + this.begun.stream + this.begun.connection;
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

  turn(tookMs: number): void {
    this.now += tookMs;
    const due = this.due;
    this.due = [];
    for (const callback of due) callback();
  }

  /** A second in which the loop has something else to do in each turn. */
  busySecond(): void {
    for (let turns = Math.round(1000 / SOMETHING); turns > 0; turns--) this.turn(SOMETHING);
  }
}

test('while the loop has nothing else to do a few begin in each turn of it, and nobody is refused', () => {
  const crowd = new Crowd();
  crowd.come(1000);
  assert.equal(crowd.all, TURNS_AT_ONCE);
  crowd.turn(NOTHING);
  assert.equal(crowd.all, TURNS_AT_ONCE + TURNS_IN_QUIET);
  for (let turns = 0; crowd.all < 1000; turns++) {
    assert.ok(turns < 1000 / TURNS_IN_QUIET);
    crowd.turn(NOTHING);
  }
  assert.equal(crowd.refused, 0);
});

test('while it always has something else few begin, and who has waited for too long is refused', () => {
  const crowd = new Crowd();
  crowd.come(2000);
  crowd.busySecond();
  const before = crowd.all;
  crowd.busySecond();
  const inSecond = crowd.all - before;
  assert.ok(Math.abs(inSecond - FEWEST_PER_SECOND) <= 1, `${inSecond} began in a second`);
  while (crowd.now < TURN_WAIT_MS - 2 * SOMETHING) crowd.turn(SOMETHING);
  assert.equal(crowd.refused, 0);
  for (let turns = 0; turns < 3; turns++) crowd.turn(SOMETHING);
  assert.equal(crowd.all + crowd.refused, 2000);
});

test('with the first quiet turn after a busy time some begin again', () => {
  const crowd = new Crowd();
  crowd.come(500);
  crowd.busySecond();
  const before = crowd.all;
  crowd.turn(NOTHING);
  assert.ok(crowd.all - before >= TURNS_IN_QUIET);
  assert.equal(crowd.refused, 0);
});

test('who comes later does not overtake; ends go before streams, and streams before connections', () => {
  const crowd = new Crowd();
  crowd.come(TURNS_AT_ONCE + 20, 'connection');
  crowd.come(20, 'stream');
  crowd.come(20, 'end');
  assert.deepEqual([crowd.turns.isHeld('end'), crowd.turns.take('end')], [true, false]);
  while (crowd.begun.end < 20) {
    assert.deepEqual(crowd.begun, { ...crowd.begun, stream: 0, connection: TURNS_AT_ONCE });
    crowd.turn(NOTHING);
  }
  assert.deepEqual([crowd.turns.isHeld('end'), crowd.turns.take('stream')], [false, false]);
  while (crowd.begun.stream < 20) {
    assert.equal(crowd.begun.connection, TURNS_AT_ONCE);
    crowd.turn(NOTHING);
  }
  assert.equal(crowd.turns.take('connection'), false);
  for (let turns = 0; turns < 3; turns++) crowd.turn(NOTHING);
  assert.equal(crowd.begun.connection, TURNS_AT_ONCE + 20);
});

test('one that goes while it waits is neither begun nor refused, and nothing looks on without need', () => {
  const crowd = new Crowd();
  for (const leave of crowd.come(TURNS_AT_ONCE + 7)) leave();
  crowd.busySecond();
  assert.equal(crowd.due.length, 1);
  crowd.turn(NOTHING);
  assert.deepEqual([crowd.all, crowd.refused, crowd.due.length], [TURNS_AT_ONCE, 0, 0]);
  assert.equal(crowd.turns.take('stream'), true);
});

test('a stall that is longer than anybody is to wait turns nobody away, and lets in no crowd at its end', () => {
  const crowd = new Crowd();
  crowd.come(500);
  const before = crowd.all;
  crowd.turn(3 * TURN_WAIT_MS);
  const atItsEnd = crowd.all - before;
  assert.ok(atItsEnd <= (FEWEST_PER_SECOND * LATE_MS) / 1000, `${atItsEnd} began at its end`);
  for (let turns = 0; turns < 500 / TURNS_IN_QUIET; turns++) crowd.turn(NOTHING);
  assert.deepEqual([crowd.all, crowd.refused], [500, 0]);
});

test('a loop whose turns are long lets in as many in a second', () => {
  const crowd = new Crowd();
  crowd.come(1000);
  for (let looks = 0; looks < 10; looks++) crowd.turn(LATE_MS);
  const before = crowd.all;
  for (let looks = 0; looks < 10; looks++) crowd.turn(LATE_MS);
  assert.equal(crowd.all - before, FEWEST_PER_SECOND);
});
