import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  findBreakage,
  type HealthFacts,
  isBroken,
  isFine,
  reloadsSince,
} from '../../src/model/node-health.ts';
import { type Interval, makeMetrics, makeSample, PLUGIN, repeat } from './metric-records.ts';

const GOOD: Interval = { ok: 100 };
const BAD: Interval = { bad: 100 };

/** A node moved right after its sample at 60 s; before and after it flushes every `everyMs`. */
function moved(after: readonly Interval[], over: Partial<HealthFacts> = {}, everyMs = 5000): HealthFacts {
  const calm = repeat({ ok: 5 }, 60_000 / everyMs);
  return {
    metrics: makeMetrics(0, everyMs, [...calm, ...after]),
    movedAt: 60_001,
    before: { requests: 60, errors5xx: 0 },
    others: [makeMetrics(0, everyMs, repeat(GOOD, 60))],
    ...over,
  };
}

const CASES: readonly (readonly [string, HealthFacts, boolean])[] = [
  ['two windows of 5xx alone', moved([BAD, BAD]), true],
  ['one window of 5xx alone', moved([BAD]), false],
  ['one good window between', moved([BAD, GOOD, BAD]), false],
  ['good again', moved([BAD, BAD, GOOD]), false],
  ['exactly half in each', moved(repeat({ ok: 10, bad: 10 }, 2)), true],
  ['a little less than half in one', moved([{ bad: 90 }, { ok: 11, bad: 10 }]), false],
  ['twenty requests over both', moved([{ bad: 1 }, { bad: 19 }]), true],
  ['nineteen requests', moved([{ bad: 1 }, { bad: 18 }]), false],
  ['a window without requests', moved([{ bad: 50 }, {}]), false],
  [
    'the others fail as well',
    moved([BAD, BAD], { others: [makeMetrics(0, 5000, repeat({ ok: 94, bad: 6 }, 60))] }),
    false,
  ],
  [
    'the others stay just under 5 %',
    moved([BAD, BAD], { others: [makeMetrics(0, 5000, repeat({ ok: 96, bad: 4 }, 60))] }),
    true,
  ],
  ['no others, good before', moved([BAD, BAD], { others: [] }), true],
  [
    'no others, a twentieth bad before',
    moved([BAD, BAD], { others: [], before: { requests: 100, errors5xx: 5 } }),
    false,
  ],
  [
    'others without traffic',
    moved([BAD, BAD], { others: [makeMetrics(0, 5000, repeat({}, 60)), undefined] }),
    true,
  ],
  ['mostly 5xx before already', moved([BAD, BAD], { before: { requests: 10, errors5xx: 6 } }), false],
  ['no record of before, but samples', moved([BAD, BAD], { others: [], before: undefined }), true],
  [
    'nothing at all to compare with',
    { metrics: makeMetrics(70_000, 5000, repeat(BAD, 4)), movedAt: 60_000, before: undefined, others: [] },
    false,
  ],
  ['no metrics', moved([], { metrics: undefined }), false],
  ['the move near the end of a bad window', moved([BAD, BAD], { movedAt: 64_000 }), false],
  ['the move in the first half of a bad window', moved([BAD, BAD], { movedAt: 62_000 }), true],
  ['flushes of 1 s: ten of them', moved(repeat({ bad: 5 }, 10), {}, 1000), true],
  ['flushes of 1 s: five of them', moved(repeat({ bad: 5 }, 5), {}, 1000), false],
  ['samples of 4 s: two of them', moved([BAD, BAD], {}, 4000), true],
  ['flushes of 10 s: two of them', moved([BAD, BAD], {}, 10_000), true],
  ['flushes of 10 s: one of them', moved([BAD], {}, 10_000), false],
];

for (const [what, facts, broken] of CASES)
  test(`${broken ? 'broken' : 'not broken'}: ${what}`, () => assert.equal(isBroken(facts), broken));

test('a breakage has both rates', () => {
  const others = [
    makeMetrics(0, 5000, repeat({ ok: 998, bad: 2 }, 60)),
    makeMetrics(0, 5000, repeat(GOOD, 60)),
  ];
  assert.deepEqual(findBreakage(moved([{ bad: 199 }, { bad: 199 }], { others })), {
    requests: 398,
    errors5xx: 398,
    overMs: 10_000,
    control: { requests: 2200, errors5xx: 4, nodes: 2 },
  });
  assert.deepEqual(findBreakage(moved([BAD, BAD], { others: [] }))?.control, {
    requests: 60,
    errors5xx: 0,
    nodes: 0,
  });
});

test('with flushes of 5 s a node that answers nothing but 5xx is found within 15 s, whenever it was moved', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4999 }), afterFlush => {
      const movedAt = 60_000 + afterFlush;
      // 20 requests a second: good until the move, bad from it on.
      const first = { ok: Math.round(afterFlush / 50), bad: Math.round((5000 - afterFlush) / 50) };
      const after = [first, BAD, BAD];
      const found = [1, 2, 3].find(count => isBroken(moved(after.slice(0, count), { movedAt })));
      assert.ok(found !== undefined && 60_000 + found * 5000 - movedAt <= 15_000);
    }),
  );
});

test('a node that serves as before is never broken', () => {
  const rates = fc.array(fc.record({ ok: fc.integer({ min: 11, max: 500 }), bad: fc.nat(10) }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(rates, fc.nat(100_000), (after, movedAt) => {
      assert.equal(isBroken(moved(after, { movedAt })), false);
    }),
  );
});

test('crashes since a move are counted, and those from before are not', () => {
  const metrics = makeMetrics(0, 5000, [{}, {}, { crashes: 1 }, {}, { crashes: 2 }]);
  assert.equal(reloadsSince(metrics, PLUGIN, 10_000), 3);
  assert.equal(reloadsSince(metrics, 'default/other', 10_000), 0);
  assert.equal(reloadsSince(metrics, 'constructor', 10_000), 0);
  assert.equal(reloadsSince(metrics, PLUGIN, 26_000), 0);
  assert.equal(reloadsSince(undefined, PLUGIN, 0), 0);
});

test('a crash between the last flush before the move and the first one after is the new side, if the old one ran well', () => {
  assert.equal(reloadsSince(makeMetrics(0, 5000, [{}, {}, { crashes: 1 }]), PLUGIN, 12_000), 1);
});

test('where the old side crashed as well, it is given time to go before crashes count', () => {
  const metrics = makeMetrics(0, 5000, [{ crashes: 4 }, { crashes: 4 }, { crashes: 3 }, { crashes: 0 }, {}]);
  assert.equal(reloadsSince(metrics, PLUGIN, 12_000), 0);
  const still = makeMetrics(0, 5000, [
    { crashes: 4 },
    { crashes: 4 },
    { crashes: 3 },
    { crashes: 2 },
    { crashes: 1 },
  ]);
  assert.equal(reloadsSince(still, PLUGIN, 12_000), 1);
});

test('counts that are found at our own start are not new', () => {
  const late = { node: 'a', process: null, samples: [makeSample(9000, { reloads: { [PLUGIN]: 50 } })] };
  assert.equal(reloadsSince(late, PLUGIN, 1000), 0);
});

test('a node is fine when it serves enough requests, and well', () => {
  const fine = (after: readonly Interval[]) =>
    isFine(moved(after).metrics, 60_000, 60_000 + after.length * 5000);
  assert.equal(fine([{ ok: 20 }]), true);
  assert.equal(fine([{ ok: 19 }]), false);
  assert.equal(fine([{ ok: 95, bad: 5 }]), false);
  assert.equal(fine([{ ok: 96, bad: 4 }]), true);
  assert.equal(fine([]), false);
  // Long ago is not now.
  assert.equal(fine([GOOD, ...repeat({}, 10)]), false);
});
