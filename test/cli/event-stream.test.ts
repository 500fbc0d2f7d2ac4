import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventStreamParser } from '../../src/cli/event-stream.ts';

const TEXT = [
  ': heartbeat',
  '',
  'retry: 2000',
  '',
  'event: event',
  'id: 7-a',
  'data: {"one":',
  'data:1}',
  '',
  'data: x',
  '',
  'id: 8',
  'data: y',
  '',
  'event: left out, as it has no data',
  '',
  '',
].join('\n');

const EVENTS = [
  { id: '7-a', type: 'event', data: '{"one":\n1}' },
  { id: '7-a', type: 'message', data: 'x' },
  { id: '8', type: 'message', data: 'y' },
];

test('events, ids that stay, comments and lines of data are read as the standard says', () => {
  assert.deepEqual(new EventStreamParser().push(TEXT), EVENTS);
  assert.deepEqual(new EventStreamParser().push(TEXT.replaceAll('\n', '\r\n')), EVENTS);
  assert.deepEqual(new EventStreamParser().push(TEXT.replaceAll('\n', '\r').concat('\r')), EVENTS);
});

test('a reconnect begins with the id it ended with', () => {
  assert.deepEqual(new EventStreamParser('6').push('data: x\n\n'), [{ id: '6', type: 'message', data: 'x' }]);
});

test('it does not matter where the pieces end', () => {
  const cuts = fc.array(fc.nat({ max: TEXT.length }), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, fc.boolean(), (at, crlf) => {
      const text = crlf ? TEXT.replaceAll('\n', '\r\n') : TEXT;
      const parser = new EventStreamParser();
      const edges = [0, ...at.toSorted((a, b) => a - b), text.length];
      const events = edges.flatMap((edge, i) => parser.push(text.slice(edges[i - 1] ?? 0, edge)));
      assert.deepEqual(events, EVENTS);
    }),
  );
});
