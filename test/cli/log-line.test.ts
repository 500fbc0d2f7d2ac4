import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLogLine } from '../../src/cli/log-line.ts';

test('a log line for a person: time, level, message, fields', () => {
  const json = JSON.stringify({
    level: 30,
    time: 0,
    pid: 1,
    hostname: 'h',
    node: 'edge-1',
    count: 2,
    msg: 'connected',
  });
  assert.match(`${formatLogLine(json)}`, /^\d\d:\d\d:\d\d info {2}connected {2}node=edge-1 count=2\n$/);
  assert.match(formatLogLine('{"level":50,"time":0,"msg":"bad"}'), / error bad\n$/);
});

test('what is no log line is left as it is', () => {
  assert.equal(formatLogLine('free text\n'), 'free text\n');
});
