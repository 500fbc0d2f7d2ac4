import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { endInTurn } from '../../../src/xds/limits/end-in-turn.ts';
import { Turns } from '../../../src/xds/limits/turns.ts';
import { FakeClock } from '../../store/fake-clock.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;
  readableEnded = false;
  /** What it was destroyed with. */
  error: Error | undefined;

  destroy(error?: Error): this {
    this.destroyed = true;
    this.error = error;
    return this;
  }
}

const RESET = Object.assign(new Error('read ECONNRESET'), { syscall: 'read' });

function makeScene() {
  let due = (): void => {};
  const nextTurn = (callback: () => void) => {
    due = callback;
    return () => {};
  };
  const turns = new Turns({ clock: new FakeClock(), nextTurn });
  const open = (): FakeSocket => {
    const socket = new FakeSocket();
    endInTurn(socket as unknown as Socket, turns);
    return socket;
  };
  /** One of the event loop. */
  return { turns, open, turn: () => due() };
}

test('the end of a connection that its peer ended or reset waits for its turn, and makes no error of a reset', () => {
  const { turns, open, turn } = makeScene();
  while (turns.take('connection'));
  const [reset, ended] = [open(), open()];
  reset.destroy(RESET);
  ended.readableEnded = true;
  ended.destroy();
  assert.deepEqual([reset.destroyed, ended.destroyed, turns.isHeld('end')], [false, false, true]);
  turn();
  assert.deepEqual([reset.destroyed, ended.destroyed, turns.isHeld('end')], [true, true, false]);
  assert.equal(reset.error, undefined);
});

test('what we end ourselves, and what fails otherwise, ends at once, also while it waits', () => {
  const { turns, open, turn } = makeScene();
  while (turns.take('connection'));
  const [cut, failed, both] = [open(), open(), open()];
  cut.destroy();
  const failure = Object.assign(new Error('write EPIPE'), { syscall: 'write' });
  failed.destroy(failure);
  assert.deepEqual([cut.destroyed, failed.error], [true, failure]);
  both.destroy(RESET);
  assert.equal(both.destroyed, false);
  both.destroy(failure);
  assert.equal(both.error, failure);
  turn();
  assert.equal(turns.isHeld('end'), false);
});

test('one that ends alone ends at once', () => {
  const { open } = makeScene();
  const socket = open();
  socket.destroy(RESET);
  assert.equal(socket.destroyed, true);
});
