import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { silentLog } from '../../../src/model/ports.ts';
import { DEFAULT_XDS_LIMITS } from '../../../src/model/xds-limits.ts';
import { createInterceptor } from '../../../src/xds/limits/guarded-call.ts';
import { LimitGuard } from '../../../src/xds/limits/limit-guard.ts';
import { LOOK_EVERY_MS } from '../../../src/xds/limits/turns.ts';
import { FakeClock } from '../../store/fake-clock.ts';

type Call = Parameters<grpc.ServerInterceptor>[1];

test('a call that fails when its turn comes ends with a status, and those behind it begin', () => {
  const clock = new FakeClock();
  const guard = new LimitGuard({
    limits: DEFAULT_XDS_LIMITS,
    clock,
    steady: clock,
    idleMs: () => clock.now(),
    log: silentLog,
  });
  const interceptor = createInterceptor(guard, () => true);
  while (guard.turns.take('stream'));
  const codes: grpc.status[] = [];
  const begun: string[] = [];
  const open = (name: string, onBegin: () => void): void => {
    let listener: grpc.ServerListener | undefined;
    const stream = Object.assign(new EventEmitter(), { session: undefined, closed: true });
    const call = {
      getPeer: () => name,
      stream,
      sendStatus: ({ code }: { code: grpc.status }) => codes.push(code),
      start: (given: grpc.ServerListener) => {
        listener = given;
      },
    };
    interceptor({ path: '/x' } as Parameters<grpc.ServerInterceptor>[0], call as unknown as Call).start({
      onReceiveMetadata: onBegin,
      onReceiveMessage() {},
      onReceiveHalfClose() {},
      onCancel() {},
    });
    listener?.onReceiveMetadata?.(new grpc.Metadata(), () => {});
  };
  open('a', () => {
    throw new Error('no');
  });
  open('b', () => begun.push('b'));
  clock.advance(LOOK_EVERY_MS);
  assert.deepEqual([codes, begun], [[grpc.status.INTERNAL], ['b']]);
});
