import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailStrategy } from '../../src/model/plugin-spec.ts';
import { judgeGates, policyInForce } from '../../src/rollout/judge-gates.ts';
import { PLUGIN, repeat } from '../model/metric-records.ts';
import { BAD, control, FLUSH, facts, GOOD, gate, MOVED_AT, node, reportOf, soak } from './judge-facts.ts';

test('with nothing wrong the hard gates pass, with a zero, and say the same again', () => {
  const first = judgeGates(facts());
  assert.deepEqual(
    first.reports.map(({ name, verdict, text }) => [name, verdict, text]),
    [
      ['refusals', 'pass', '0'],
      ['crashes', 'pass', '0'],
      ['broken', 'pass', '0'],
      ['5xx', 'waiting', 'not sampled yet'],
    ],
  );
  assert.equal(first.nextAt, null);
  assert.equal(judgeGates(facts({ reports: first.reports, now: MOVED_AT + 1 })).reports, first.reports);
});

test("a refusal fails at once, with the first node and Envoy's text", () => {
  const text = `Unable to create Wasm plugin ${PLUGIN}`;
  const refusals = ['b', 'a', 'b', 'c'].map((name, at) => ({ node: name, text, at }));
  const judgement = judgeGates(facts({ refusals, aim: 'revision 8' }));
  assert.deepEqual(judgement.fail, {
    gate: 'refusals',
    kind: 'refusal',
    reason: 'Refused',
    node: 'b',
    nodes: ['b', 'a', 'c'],
    failing: ['b', 'a', 'c'],
    count: 3,
    text,
    why: `3 nodes refused revision 8, first b: "${text}"`,
    at: 0,
  });
  assert.equal(reportOf(judgement, 'refusals').verdict, 'fail');
  const alone = judgeGates(facts({ refusals: refusals.slice(0, 1) }));
  assert.equal(alone.fail?.why, `b refused the new revision: "${text}"`);
});

test('a failure lists its first twenty nodes and counts all', () => {
  const refusals = Array.from({ length: 25 }, (_, at) => ({ node: `n${at}`, text: 'no', at }));
  const { fail } = judgeGates(facts({ refusals }));
  assert.deepEqual([fail?.nodes.length, fail?.count, fail?.failing.length], [20, 25, 25]);
});

test('a crash fails with plugin, node and the failure policy in force', () => {
  const moved = [node('edge-1', [GOOD]), node('edge-2', [{ ...GOOD, crashes: 3 }])];
  const { fail } = judgeGates(facts({ moved, aim: 'revision 8' }));
  assert.deepEqual(
    [fail?.kind, fail?.reason, fail?.node, fail?.gate],
    ['reload', 'Crashed', 'edge-2', 'crashes'],
  );
  assert.equal(fail?.text, 'default/auth crashed 3 times; failure policy FAIL_RELOAD');
  assert.equal(
    fail?.why,
    'default/auth crashed 3 times on edge-2 since the move to revision 8; failure policy FAIL_RELOAD',
  );
});

test('crashes of other plugins, and those from before the move, are not held against it', () => {
  const later = { ...node('edge-1', [{ ...GOOD, crashes: 3 }]), at: MOVED_AT + FLUSH };
  assert.equal(judgeGates(facts({ moved: [later] })).fail, undefined);
  const moved = [node('edge-1', [{ ...GOOD, crashes: 3 }])];
  assert.equal(judgeGates(facts({ plugin: 'default/limit', moved })).fail, undefined);
});

test('a node that answers mostly 5xx fails with both rates', () => {
  const moved = [node('edge-1', repeat(GOOD, 2)), node('edge-2', [{ bad: 199 }, { bad: 199 }])];
  const others = [control({ ok: 998, bad: 2 }), control({ ok: 998, bad: 2 })];
  const { fail } = judgeGates(facts({ moved, others }));
  assert.deepEqual([fail?.kind, fail?.reason, fail?.failing], ['broken', 'Broken', ['edge-2']]);
  assert.equal(fail?.text, 'answered 5xx to 398 of 398 requests in 10 s; 2 others: 0.2 % of 4,000');
  assert.equal(fail?.why, `edge-2 ${fail?.text}`);
});

test('the report of a broken node does not change with every flush, and ends with the trouble', () => {
  const first = judgeGates(facts({ moved: [node('edge-1', [BAD, BAD])] }));
  const next = judgeGates(
    facts({ moved: [node('edge-1', [BAD, BAD, BAD])], reports: first.reports, now: MOVED_AT + FLUSH }),
  );
  assert.equal(next.reports, first.reports);
  assert.equal(next.fail?.kind, 'broken');
  const calm = judgeGates(facts({ moved: [node('edge-1', [BAD, BAD, GOOD, GOOD])], reports: next.reports }));
  assert.equal(reportOf(calm, 'broken').verdict, 'pass');
  assert.equal(calm.fail, undefined);
});

test('hard gates are judged without a soak, soft ones only in one', () => {
  const judgement = judgeGates(facts({ moved: [node('edge-1', [BAD, BAD])], watch: null }, gate({ max: 0 })));
  assert.equal(judgement.fail?.gate, 'broken');
  assert.equal(reportOf(judgement, 'mine').verdict, 'waiting');
});

test('a hard failure counts more than a soft pause', () => {
  const refusals = [{ node: 'a', text: 'no', at: 1 }];
  const judgement = judgeGates(
    facts(
      { refusals, watch: soak(90_000), now: MOVED_AT + 90_000, moved: [node('edge-1', repeat({}, 18))] },
      gate({}),
    ),
  );
  assert.equal(judgement.fail?.gate, 'refusals');
  assert.equal(judgement.pause?.reason, 'Inconclusive');
});

test('the failure policy in force is the default one of the Envoy where none was written', () => {
  const cases: readonly (readonly [FailStrategy | undefined, boolean, FailStrategy])[] = [
    [undefined, true, 'FAIL_RELOAD'],
    [undefined, false, 'FAIL_CLOSE'],
    ['FAIL_RELOAD', false, 'FAIL_CLOSE'],
    ['FAIL_CLOSE', true, 'FAIL_CLOSE'],
    ['FAIL_OPEN', false, 'FAIL_OPEN'],
  ];
  for (const [written, has, inForce] of cases) assert.equal(policyInForce(written, has), inForce);
});
