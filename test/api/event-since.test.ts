import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEventId, toBookmarkId, toEventId, toRolloutEventId } from '../../src/api/event-id.ts';
import { parseSince } from '../../src/api/event-since.ts';

const NOW = Date.parse('2026-07-01T03:00:00Z');

test('since is a duration, a time or an id', () => {
  assert.deepEqual(parseSince('2h', NOW), { from: NOW - 7_200_000 });
  assert.deepEqual(parseSince('1d2h3m4s', NOW), { from: NOW - (86_400 + 7_200 + 180 + 4) * 1000 });
  assert.deepEqual(parseSince('2026-07-01T02:00:00Z', NOW), { from: NOW - 3_600_000 });
  assert.deepEqual(parseSince('2026-07-01T04:00:00+02:00', NOW), { from: NOW - 3_600_000 });
  const id = toEventId(7, '000001700000000-ab12cd34');
  assert.deepEqual(parseSince(id, NOW), { after: id });
});

test('anything else is refused', () => {
  for (const text of ['', '2', 'h', '2 h', '-2h', 'yesterday', '2026-13-45T00:00:00Z', '12-x'])
    assert.throws(() => parseSince(text, NOW), { code: 'bad-query' }, text);
});

test('ids sort as the stream does: by revision, events before rollouts, a bookmark last', () => {
  const ids = [
    toBookmarkId(8),
    toEventId(9, '000000000000001-00'),
    toEventId(9, '000000000000002-00'),
    toRolloutEventId(9, 'default/auth/0000000001'),
    toBookmarkId(9),
    toEventId(10, '000000000000000-ff'),
  ];
  assert.deepEqual(ids.toSorted(), ids);
  assert.deepEqual(ids.map(readEventId), [8, 9, 9, 9, 9, 10]);
  assert.equal(readEventId('000001700000000-ab12cd34'), undefined);
});
