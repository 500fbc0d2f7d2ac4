import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, type ApiErrorCode } from '../../src/api/api-error.ts';
import { DocumentRejected } from '../../src/api/document-rejected.ts';
import { toProblem } from '../../src/api/error-reply.ts';
import { StoreError } from '../../src/store/store-error.ts';

const facts = { path: '/v1/x', requestId: 'r1' };

/** Complete by type: a new code without a status fails to compile here. */
const STATUS: Readonly<Record<ApiErrorCode, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  'token-wrong': 422,
  'token-exists': 409,
  'webhook-wrong': 422,
  'not-found': 404,
  'unknown-path': 404,
  'bad-json': 400,
  'bad-request': 400,
  'bad-query': 400,
  'cursor-expired': 410,
  'uri-too-long': 414,
  'headers-too-large': 431,
  'request-timeout': 408,
  'media-type': 415,
  'body-too-large': 413,
  'name-mismatch': 422,
  'revision-mismatch': 412,
  'precondition-required': 428,
  'name-conflict': 409,
  'address-conflict': 409,
  'illegal-action': 409,
  frozen: 423,
  'signature-refused': 409,
  'group-in-use': 409,
  'node-connected': 409,
  'foreign-host': 403,
  'foreign-origin': 403,
  'too-many-requests': 429,
  'not-ready': 503,
  internal: 500,
  'metrics-listen-failed': 500,
  'api-listen-failed': 500,
};

test('every code of the API has its status', () => {
  const found = Object.keys(STATUS).map(code => [
    code,
    toProblem(new ApiError(code as ApiErrorCode, 'm'), facts).status,
  ]);
  assert.deepEqual(Object.fromEntries(found), STATUS);
});

test('a problem names its page, its request and every fault with pointer and hint', () => {
  const rejected = new DocumentRejected([
    { code: 'unknown-field', pointer: '/spec/x', message: 'unknown field', hint: 'Did you mean y?' },
    { code: 'wrong-type', pointer: '/spec/z', message: 'expected a string' },
  ]);
  assert.deepEqual(toProblem(rejected, facts), {
    type: 'docs/errors.md#unknown-field',
    title: 'The document is not valid',
    status: 422,
    detail: 'spec.x: unknown field, and 1 more',
    instance: '/v1/x',
    code: 'unknown-field',
    hint: 'Did you mean y?',
    requestId: 'r1',
    errors: [
      { pointer: '/spec/x', message: 'unknown field', hint: 'Did you mean y?' },
      { pointer: '/spec/z', message: 'expected a string' },
    ],
  });
});

test('a full disk is 507, a rate limit 429, and what is not known 500 without its text', () => {
  assert.equal(toProblem(new StoreError('store-full', 'm'), facts).status, 507);
  assert.equal(
    toProblem(Object.assign(new Error('slow down'), { statusCode: 429 }), facts).code,
    'too-many-requests',
  );
  for (const thrown of [
    new Error('secret'),
    'secret',
    undefined,
    new StoreError('store-damaged', 'secret'),
  ]) {
    const problem = toProblem(thrown, facts);
    assert.deepEqual([problem.status, problem.code], [500, 'internal']);
    assert.doesNotMatch(problem.detail, /secret/);
  }
});
