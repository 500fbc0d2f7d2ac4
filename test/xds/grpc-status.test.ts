import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { toGrpcStatus } from '../../src/xds/grpc-status.ts';
import { XdsError, type XdsErrorCode } from '../../src/xds/xds-error.ts';

test('every code of ours has its gRPC status, and tells what was wrong', () => {
  const table: readonly [XdsErrorCode, status][] = [
    ['malformed-message', status.INVALID_ARGUMENT],
    ['node-id-missing', status.INVALID_ARGUMENT],
    ['type-url-missing', status.INVALID_ARGUMENT],
    ['node-changed', status.INVALID_ARGUMENT],
    ['xds-listen-failed', status.UNAVAILABLE],
  ];
  for (const [code, expected] of table)
    assert.deepEqual(toGrpcStatus(new XdsError(code, 'what was wrong')), {
      code: expected,
      details: `${code}: what was wrong`,
    });
});

test('what nobody expected says nothing of itself on the wire', () => {
  for (const thrown of [new Error('secret path'), 'secret', undefined, null, { code: 3 }]) {
    const { code, details } = toGrpcStatus(thrown);
    assert.equal(code, status.INTERNAL);
    assert.doesNotMatch(details, /secret/);
  }
});
