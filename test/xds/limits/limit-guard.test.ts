import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type NextTurn, silentLog } from '../../../src/model/ports.ts';
import { DEFAULT_XDS_LIMITS } from '../../../src/model/xds-limits.ts';
import { LimitGuard } from '../../../src/xds/limits/limit-guard.ts';
import { QUIET_MS, TURN_WAIT_MS } from '../../../src/xds/limits/turns.ts';
import { FakeClock } from '../../store/fake-clock.ts';

/** The system reuses a port, or forgets the address of a socket that was reset, only when it likes to. */
class FakeSocket extends EventEmitter {
  readonly remotePort = 1234;
  readonly remoteAddress: string | undefined;
  destroyed = false;

  constructor(remoteAddress?: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

const toSocket = (fake: FakeSocket): Socket => fake as unknown as Socket;

function makeGuard(connections: number, more: Partial<typeof DEFAULT_XDS_LIMITS> = {}) {
  const clock = new FakeClock();
  const limits = { ...DEFAULT_XDS_LIMITS, connections, ...more };
  let due: (() => void) | undefined;
  const nextTurn: NextTurn = callback => {
    due = callback;
    return () => {};
  };
  const guard = new LimitGuard({ limits, clock, steady: clock, nextTurn, log: silentLog });
  /** One of the event loop. */
  const turn = (tookMs = 0): void => {
    clock.advance(tookMs);
    const callback = due;
    due = undefined;
    callback?.();
  };
  return { guard, clock, turn };
}

test('a socket that was reset before it is taken in is not counted', () => {
  const { guard } = makeGuard(10);
  const socket = new FakeSocket();
  assert.equal(guard.takeIn(toSocket(socket)), false);
  assert.equal(socket.destroyed, true);
  assert.equal(guard.usage().connections, 0);
});

test('a port that is taken anew before the end of its last connection is told counts once', () => {
  const { guard, clock } = makeGuard(0);
  const [old, next] = [new FakeSocket('::1'), new FakeSocket('::1')];
  guard.takeIn(toSocket(old));
  guard.takeIn(toSocket(next));
  old.emit('close');
  assert.equal(guard.usage().connections, 1);
  // Its own time to go is running, the other's is not any more.
  clock.advance(5_000);
  assert.deepEqual([old.destroyed, next.destroyed], [false, true]);
  next.emit('close');
  assert.equal(guard.usage().connections, 0);
  assert.equal(clock.pending, 0);
});

test('a call whose end is told after its port was taken anew cuts nobody who has the port now', () => {
  const { guard, clock } = makeGuard(10);
  const [old, next] = [new FakeSocket('::1'), new FakeSocket('::1')];
  guard.takeIn(toSocket(old));
  const connection = guard.connectionOf('::1:1234');
  guard.cutLater(connection);
  guard.takeIn(toSocket(next));
  const stream = Object.assign(new EventEmitter(), { closed: true }) as unknown as ServerHttp2Stream;
  guard.callOver(connection, stream, { destroyed: true } as Http2Session);
  clock.advance(3_600_000);
  assert.deepEqual([old.destroyed, next.destroyed], [true, false]);
});

test('a call that leaves after its port was taken anew makes no room on the connection that has the port now', () => {
  const { guard } = makeGuard(10, { 'streams-per-connection': 1 });
  const [old, next] = [toSocket(new FakeSocket('::1')), toSocket(new FakeSocket('::1'))];
  guard.takeIn(old);
  guard.enter(old, false);
  guard.takeIn(next);
  guard.enter(next, false);
  guard.leave(old);
  assert.throws(() => guard.enter(next, false), { code: 'too-many-streams' });
  assert.equal(guard.usage().streams, 1);
});

test('a connection for which there is no time in time is cut, and one that goes or fails while it waits never begins', () => {
  const { guard, turn } = makeGuard(10);
  while (guard.turns.take('connection'));
  const [gone, failed, late] = [new FakeSocket('::1'), new FakeSocket('::2'), new FakeSocket('::3')];
  const begun: FakeSocket[] = [];
  for (const socket of [gone, failed, late]) guard.whenItsTurn(toSocket(socket), () => begun.push(socket));
  gone.emit('close');
  failed.emit('error', new Error('reset'));
  turn();
  assert.deepEqual(begun, [late]);
  const stuck = makeGuard(10);
  while (stuck.guard.turns.take('connection'));
  const crowd = Array.from({ length: 1000 }, () => new FakeSocket('::1'));
  for (const socket of crowd) stuck.guard.whenItsTurn(toSocket(socket), () => begun.push(socket));
  for (let ms = 0; ms <= TURN_WAIT_MS; ms += 50 * QUIET_MS) stuck.turn(50 * QUIET_MS);
  const cut = crowd.filter(socket => socket.destroyed);
  assert.equal(cut.length + begun.length, 1 + crowd.length);
  assert.equal(stuck.guard.usage().hits['new-streams-per-second'].count, cut.length);
  assert.ok(cut.length > 0);
});
