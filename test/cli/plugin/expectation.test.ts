import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findDisappointments,
  findWrongLengths,
  readExpectation,
} from '../../../src/cli/plugin/expectation.ts';
import { describeRun, isGood } from '../../../src/cli/plugin/run-report.ts';
import { DocumentPart } from '../../../src/model/document-part.ts';
import type { Exchange, FlatMessage } from '../../../src/model/plugin-run.ts';

const message = (headers: FlatMessage['headers'], body = ''): FlatMessage => ({
  headers,
  body,
  trailers: [],
});
const exchange: Exchange = {
  name: 'it',
  atMs: 0,
  request: {
    before: message([
      ['x-old', '1'],
      ['x-same', 'a'],
    ]),
    after: message([
      ['x-same', 'a'],
      ['x-user', 'alice'],
    ]),
  },
  isForwarded: true,
  response: {
    before: message(
      [
        [':status', '200'],
        ['content-length', '3'],
        ['x-kind', 'a'],
      ],
      'old',
    ),
    after: message(
      [
        [':status', '403'],
        ['content-length', '3'],
        ['x-kind', 'b'],
        ['x-many', '1'],
        ['x-many', '2'],
      ],
      'newer',
    ),
  },
  calls: [
    {
      cluster: 'auth',
      headers: [
        [':method', 'GET'],
        [':path', '/c'],
      ],
      body: '',
      timeoutMs: 1,
      answer: 'answered',
      status: '204',
    },
  ],
  logs: [{ level: 'warn', message: 'a line of the plugin' }],
  unknownProperties: ['source.address'],
};

function expectation(value: object) {
  const part = new DocumentPart(value);
  const read = readExpectation(part);
  assert.deepEqual(part.faults, []);
  return read;
}

test('what came true is no disappointment', () => {
  const all = {
    ...{ status: 403, headers: { 'X-Kind': 'b', 'x-many': 2, 'x-none': null }, body: 'newer' },
    ...{
      requestHeaders: { 'x-user': 'alice', 'x-old': null },
      requestBody: '',
      forwarded: true,
      logs: ['line of'],
    },
  };
  assert.deepEqual(findDisappointments(expectation(all), exchange), []);
  assert.deepEqual(findDisappointments(expectation({}), exchange), []);
});

test('what did not is told, each by itself', () => {
  const none = {
    ...{ status: 200, headers: { 'x-many': '3', 'x-kind': null, 'x-none': 'x' }, body: 'old' },
    ...{ requestHeaders: { 'x-user': 'bob' }, forwarded: false, logs: ['other'] },
  };
  assert.deepEqual(findDisappointments(expectation(none), exchange), [
    'expected status 200, got 403',
    'expected header x-many "3", got "1", "2"',
    'expected header x-kind not to be there, got "b"',
    'expected header x-none "x", got none',
    'expected request header x-user "bob", got "alice"',
    'expected body "old", got "newer"',
    'expected the application not to get the request',
    'expected a log line with "other"',
  ]);
});

test('a body that does not fit its content-length is a fault without being expected', () => {
  assert.match(
    findWrongLengths(exchange)[0] ?? '',
    /^the response body has 5 bytes now, content-length says 3: /,
  );
});

test('the report shows what changed, and only that', () => {
  const run = {
    outcome: 'ok',
    reason: '',
    startLogs: [],
    exchanges: [exchange],
    endLogs: [],
    metrics: { seen: 1 },
  } as const;
  const judged = { plugin: 'auth', run, disappointments: [['something else was expected']], asked: 1 };
  assert.equal(isGood(judged), false);
  assert.equal(
    describeRun(judged),
    `auth
it  →  403
  request  - x-old: 1
  request  + x-user: alice
  called   auth: GET /c  →  204
  response ~ :status: 200 → 403
  response ~ x-kind: a → b
  response + x-many: 1
  response + x-many: 2
  response body "old" → "newer"
  log      warn: a line of the plugin
  note     asked for properties that the file does not give: source.address
  FAILED   something else was expected
metrics  seen 1
failed: 0 requests, 1 failed`,
  );
});
