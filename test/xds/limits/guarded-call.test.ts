import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { silentLog } from '../../../src/model/ports.ts';
import { DEFAULT_XDS_LIMITS } from '../../../src/model/xds-limits.ts';
import { createInterceptor } from '../../../src/xds/limits/guarded-call.ts';
import { LimitGuard } from '../../../src/xds/limits/limit-guard.ts';
import { FakeClock } from '../../store/fake-clock.ts';

type Call = Parameters<grpc.ServerInterceptor>[1];

function makeScene() {
  const clock = new FakeClock();
  let due = (): void => {};
  const guard = new LimitGuard({
    limits: DEFAULT_XDS_LIMITS,
    clock,
    steady: clock,
    nextTurn: callback => {
      due = callback;
      return () => {};
    },
    log: silentLog,
  });
  const interceptor = createInterceptor(guard, () => true);
  const codes: grpc.status[] = [];
  const open = (name: string, onBegin: () => void, onMessage = (): void => {}): grpc.ServerListener => {
    let listener: grpc.ServerListener | undefined;
    const stream = Object.assign(new EventEmitter(), { session: undefined, closed: true, read: () => null });
    const call = {
      getPeer: () => name,
      stream,
      sendStatus: ({ code }: { code: grpc.status }) => codes.push(code),
      start: (given: grpc.ServerListener) => {
        listener = given;
      },
      startRead() {},
    };
    interceptor({ path: '/x' } as Parameters<grpc.ServerInterceptor>[0], call as unknown as Call).start({
      onReceiveMetadata: onBegin,
      onReceiveMessage: onMessage,
      onReceiveHalfClose() {},
      onCancel() {},
    });
    assert.ok(listener);
    listener.onReceiveMetadata?.(new grpc.Metadata(), () => {});
    return listener;
  };
  /** One of the event loop. */
  return { guard, codes, open, turn: () => due() };
}

test('a call that fails when its turn comes ends with a status, and those behind it begin', () => {
  const { guard, codes, open, turn } = makeScene();
  while (guard.turns.take('stream'));
  const begun: string[] = [];
  open('a', () => {
    throw new Error('no');
  });
  open('b', () => begun.push('b'));
  turn();
  assert.deepEqual([codes, begun], [[grpc.status.INTERNAL], ['b']]);
});

test('the first request of a call waits for connections that have ended, and no other does', () => {
  const { guard, open, turn } = makeScene();
  const seen: string[] = [];
  const ask = (name: string): grpc.ServerListener =>
    open(
      name,
      () => {},
      () => seen.push(name),
    );
  const [old, next] = [ask('old'), ask('next')];
  const send = (call: grpc.ServerListener): void => call.onReceiveMessage?.(Buffer.alloc(1), () => {});
  send(old);
  while (guard.turns.take('end'));
  const end = (): void => void seen.push('end');
  guard.turns.wait('end', { since: 0, begin: end, refuse: end });
  send(next);
  send(old);
  assert.deepEqual(seen, ['old', 'old']);
  turn();
  assert.deepEqual(seen, ['old', 'old', 'end', 'next']);
});
