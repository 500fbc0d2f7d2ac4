import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeGates } from '../../src/rollout/judge-gates.ts';
import { type Interval, repeat } from '../model/metric-records.ts';
import {
  control,
  facts,
  GOOD,
  gate,
  MOVED_AT,
  node,
  POOR,
  reportOf,
  soak,
  watchSoak,
} from './judge-facts.ts';

// When soft gates are sampled.

const CADENCE: readonly (readonly [string, number, object, number[]])[] = [
  ['every third of a short soak', 30_000, {}, [10_000, 20_000, 30_000]],
  ['every 30 s of a long one', 120_000, {}, [30_000, 60_000, 90_000, 120_000]],
  ['as often as the gate says', 60_000, { every: '20s' }, [20_000, 40_000, 60_000]],
  ['at the end at least', 10_000, { every: '1m' }, [10_000]],
  ['and at the end where thirds do not fit', 50_000, { every: '20s' }, [20_000, 40_000, 50_000]],
];

for (const [what, totalMs, over, expected] of CADENCE)
  test(`a soft gate is sampled ${what}`, () => {
    const watched = watchSoak(repeat(GOOD, 40), { totalMs, rollout: gate(over) });
    assert.deepEqual(watched.at, expected);
    assert.equal(watched.last.reports.at(-1)?.verdict, 'pass');
  });

test('between samples a report stays as it is', () => {
  const moved = [node('edge-1', repeat(GOOD, 20))];
  const first = judgeGates(facts({ moved, watch: soak(30_000), now: MOVED_AT + 30_000 }));
  assert.equal(reportOf(first, '5xx').verdict, 'pass');
  const between = { moved, reports: first.reports, watch: soak(45_000), now: MOVED_AT + 45_000 };
  const second = judgeGates(facts(between));
  assert.equal(second.reports, first.reports);
  assert.equal(second.nextAt, MOVED_AT + 60_000);
});

test('asked again at the same time it answers the same, and samples nothing twice', () => {
  const over = { moved: [node('edge-1', repeat(POOR, 20))], watch: soak(90_000), now: MOVED_AT + 90_000 };
  const first = judgeGates(facts(over));
  assert.equal(reportOf(first, '5xx').failures, 1);
  assert.equal(judgeGates(facts({ ...over, reports: first.reports })).reports, first.reports);
});

test('a step without a soak is not sampled', () => {
  const judgement = judgeGates(facts({ watch: soak(0, 0), now: MOVED_AT + 1 }, gate({ max: 0 })));
  assert.deepEqual([judgement.pause, judgement.nextAt], [undefined, null]);
});

// What soft gates say.

test('two failed samples are allowed, the third fails with both rates and the number of requests', () => {
  const { verdicts, last } = watchSoak(repeat(POOR, 20));
  assert.deepEqual(verdicts, ['failing', 'failing', 'fail']);
  assert.deepEqual([last.fail?.kind, last.fail?.gate, last.fail?.reason], ['gate', '5xx', 'Gate']);
  assert.equal(last.fail?.text, 'canary 10 %, control 0 %, 600 requests; limit 2 points above the others');
  assert.deepEqual(last.fail?.failing, ['edge-1']);
  const { moved, others, failures, maxIncrease } = reportOf(last, '5xx');
  assert.deepEqual(
    [moved, others],
    [
      { value: 10, requests: 600 },
      { value: 0, requests: 600 },
    ],
  );
  assert.deepEqual([failures, maxIncrease], [3, 2]);
});

test('two failed samples and a good one go on', () => {
  const { verdicts, last } = watchSoak([...repeat(POOR, 12), ...repeat(GOOD, 6)]);
  assert.deepEqual(verdicts, ['failing', 'failing', 'pass']);
  assert.deepEqual([last.fail, last.pause], [undefined, undefined]);
});

test('a new soak begins without failures, and keeps what was said until its first sample', () => {
  const { last } = watchSoak([...repeat(POOR, 12), ...repeat(GOOD, 6)]);
  assert.equal(reportOf(last, '5xx').failures, 2);
  const since = MOVED_AT + 100_000;
  const moved = [node('edge-1', [...repeat(GOOD, 20), ...repeat(POOR, 6)])];
  const next = { moved, reports: last.reports, watch: { ...soak(10_000), since }, now: since + 10_000 };
  assert.equal(reportOf(judgeGates(facts(next)), '5xx').failures, 2);
  const sampled = judgeGates(facts({ ...next, watch: { ...soak(30_000), since }, now: since + 30_000 }));
  assert.deepEqual([reportOf(sampled, '5xx').verdict, reportOf(sampled, '5xx').failures], ['failing', 1]);
});

test('failures: 0 fails at the first bad sample', () => {
  const { verdicts } = watchSoak(repeat(POOR, 20), { rollout: gate({ failures: 0 }) });
  assert.deepEqual(verdicts, ['fail']);
});

test('the same trouble on the other side is not held against the plugin', () => {
  const { verdicts } = watchSoak(repeat(POOR, 20), { others: [control(POOR)] });
  assert.deepEqual(verdicts, ['pass', 'pass', 'pass']);
});

test('an absolute limit holds whatever the others do', () => {
  const { last } = watchSoak(repeat(POOR, 20), { others: [control(POOR)], rollout: gate({ max: '5%' }) });
  assert.equal(
    last.fail?.text,
    'canary 10 %, control 10 %, 600 requests; limit 5 % or 2 points above the others',
  );
});

test('where all nodes are moved, they are compared with what they answered before', () => {
  const { last } = watchSoak(repeat(POOR, 20), { others: [], baking: true });
  assert.equal(last.fail?.text, 'canary 10 %, before 0 %, 600 requests; limit 2 points above the others');
  const before = { requests: 600, errors5xx: 60 };
  const same = watchSoak(repeat(POOR, 20), {
    others: [],
    moved: [node('edge-1', repeat(POOR, 20), { before })],
  });
  assert.deepEqual(same.verdicts, ['pass', 'pass', 'pass']);
});

test('the built-in gate with too few requests says so and holds nothing up', () => {
  const { last, verdicts } = watchSoak([{ ok: 3 }, ...repeat({}, 20)]);
  assert.deepEqual(verdicts, ['few', 'few', 'few']);
  assert.deepEqual([last.pause, last.fail], [undefined, undefined]);
  assert.equal(judgeText([{}, { ok: 3 }]), '0 % of 3 requests: too few to judge, not held against it');
  assert.equal(judgeText([]), '0 requests: too few to judge, not held against it');
});

/** What the built-in gate says after one sample of a soak of 30 s. */
function judgeText(after: readonly Interval[]): string {
  const moved = [node('edge-1', after)];
  return reportOf(judgeGates(facts({ moved, watch: soak(10_000, 30_000), now: MOVED_AT + 10_000 })), '5xx')
    .text;
}

test('a written gate with too few requests pauses at the end of the soak, and not before', () => {
  const { at, verdicts, last } = watchSoak([{}, { ok: 30 }, ...repeat({}, 20)], { rollout: gate({}) });
  assert.deepEqual(at, [30_000, 60_000, 90_000]);
  assert.deepEqual(verdicts, ['few', 'few', 'inconclusive']);
  assert.equal(last.pause?.reason, 'Inconclusive');
  assert.equal(last.pause?.why, 'gate mine cannot tell: 0 % of 30 requests: too few to judge, 100 wanted');
});

test('where one sample holds too little, the whole soak so far is looked at', () => {
  const { verdicts } = watchSoak(repeat({ ok: 8 }, 20), { rollout: gate({}) });
  assert.deepEqual(verdicts, ['few', 'few', 'pass']);
});

test('minRequests is what the gate says', () => {
  const { verdicts } = watchSoak(repeat({ ok: 8 }, 20), { rollout: gate({ minRequests: 20 }) });
  assert.deepEqual(verdicts, ['pass', 'pass', 'pass']);
});

test('a gate that only compares cannot tell where there is nothing to compare with', () => {
  const moved = [node('edge-1', repeat(GOOD, 20), { before: undefined })];
  const written = watchSoak([], { moved, others: [], rollout: gate({}) });
  assert.equal(written.last.pause?.reason, 'Inconclusive');
  const builtIn = watchSoak([], { moved, others: [] });
  assert.deepEqual(builtIn.verdicts, ['few', 'few', 'few']);
  const absolute = watchSoak([], { moved, others: [], rollout: gate({ max: 5 }) });
  assert.deepEqual(absolute.verdicts, ['pass', 'pass', 'pass']);
});

test('who resumes an inconclusive soak goes on without that gate', () => {
  const rollout = gate({});
  const { last } = watchSoak(repeat({}, 20), { rollout });
  const reports = last.reports.map(report => ({
    ...report,
    verdict: 'waiting' as const,
    failures: 0,
    errors: 0,
  }));
  const now = MOVED_AT + 95_000;
  const resumed = judgeGates(
    facts({ reports, now, watch: soak(90_000), moved: [node('edge-1', [])] }, rollout),
  );
  assert.equal(reportOf(resumed, 'mine').verdict, 'few');
  assert.equal(resumed.pause, undefined);
});

test('a dry run reports and decides nothing', () => {
  const failing = watchSoak(repeat(POOR, 20), { rollout: gate({ dryRun: true, failures: 0 }) });
  assert.deepEqual(failing.verdicts, ['fail', 'fail', 'fail']);
  const few = watchSoak(repeat({}, 20), { rollout: gate({ dryRun: true }) });
  assert.equal(few.verdicts.at(-1), 'inconclusive');
  for (const { last } of [failing, few]) assert.deepEqual([last.fail, last.pause], [undefined, undefined]);
});

test('errors of the metrics pause, never roll back: four in a row', () => {
  const moved = [node('edge-1', [], { metrics: undefined })];
  const { verdicts, last } = watchSoak([], {
    moved,
    totalMs: 600_000,
    rollout: gate({ max: 0, failures: 0 }),
  });
  assert.deepEqual(verdicts, ['error', 'error', 'error', 'error']);
  assert.deepEqual([last.fail, last.pause?.reason], [undefined, 'MetricErrors']);
  assert.equal(reportOf(last, 'mine').errors, 4);
});

test('a soak does not end well on an error', () => {
  const moved = [node('edge-1', [], { metrics: undefined })];
  const { at, last } = watchSoak([], { moved, totalMs: 30_000, rollout: gate({}) });
  assert.deepEqual([at.length, last.pause?.reason], [3, 'MetricErrors']);
});

test('without metrics the built-in gate holds nothing up', () => {
  const { verdicts, last } = watchSoak([], { moved: [node('edge-1', [], { metrics: undefined })] });
  assert.deepEqual(verdicts, ['few', 'few', 'few']);
  assert.equal(
    reportOf(last, '5xx').text,
    'no metrics from the moved nodes: too few to judge, not held against it',
  );
});
