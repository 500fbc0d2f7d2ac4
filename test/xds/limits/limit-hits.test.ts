import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/model/ports.ts';
import { XDS_LIMITS } from '../../../src/model/xds-limits.ts';
import { HitCounter } from '../../../src/xds/limits/limit-hits.ts';

test('every hit is counted; the log has one line of a limit in ten seconds', () => {
  const lines: object[] = [];
  const counter = new HitCounter({ ...silentLog, warn: fields => lines.push(fields) });
  for (let now = 0; now < 20_000; now += 100) counter.hit('names', 'peer', 'why', now);
  counter.hit('streams', 'peer', 'why', 20_000);
  assert.equal(lines.length, 3);
  const hits = counter.all();
  assert.deepEqual(hits.names, { count: 200, lastAt: 19_900 });
  assert.deepEqual(hits.connections, { count: 0, lastAt: null });
  assert.equal(Object.keys(hits).length, XDS_LIMITS.length);
});

test('a clock that is set back silences no limit', () => {
  const lines: object[] = [];
  const counter = new HitCounter({ ...silentLog, warn: fields => lines.push(fields) });
  for (const now of [3_600_000, 1_000, 2_000, 11_000]) counter.hit('names', 'peer', 'why', now);
  assert.equal(lines.length, 3);
});
