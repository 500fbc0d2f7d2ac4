import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { type GateFacts, type Judgement, judgeGates } from '../../src/rollout/judge-gates.ts';
import { makeMetrics, repeat } from '../model/metric-records.ts';
import {
  CALM,
  FLUSH,
  facts,
  gate,
  MOVED_AT,
  node,
  reportOf,
  soak,
  watchSoak,
} from '../rollout/judge-facts.ts';

const traffic = fc.array(fc.record({ ok: fc.nat(300), bad: fc.nat(30), crashes: fc.constant(0) }), {
  minLength: 20,
  maxLength: 20,
});
const rollouts = fc.constantFrom<JsonObject>(
  {},
  gate({}),
  gate({ max: '5%', failures: 0 }),
  gate({ kind: 'latency-p99', max: '1s' }),
  gate({ kind: 'metric', metric: 'auth_denied', max: '1%', dryRun: true }),
);

test('a restart in between, or being asked more often, changes no judgement', () => {
  fc.assert(
    fc.property(traffic, traffic, rollouts, fc.array(fc.nat(90_000)), (after, other, rollout, extra) => {
      const others = [makeMetrics(0, FLUSH, [...CALM, ...other])];
      // The hard gates look at the newest samples, and here those of the whole soak are there from its beginning.
      const gates = facts({}, rollout).gates.filter(({ hard }) => !hard);
      const calm = watchSoak(after, { others, gates });
      const end = calm.at.at(-1) ?? 0;
      const times = [...new Set([...extra, ...calm.at])].filter(at => at <= end).sort((a, b) => a - b);
      let last: Judgement | undefined;
      for (const elapsed of times) {
        const moved = [node('edge-1', after)];
        const reports = last?.reports ?? [];
        const over = { moved, others, gates, reports, now: MOVED_AT + elapsed, watch: soak(elapsed) };
        last = judgeGates(JSON.parse(JSON.stringify(facts(over))) as GateFacts);
      }
      assert.deepEqual(last?.reports, calm.last.reports);
      assert.deepEqual(last?.fail, calm.last.fail);
    }),
    { numRuns: 100 },
  );
});

test('what one side does to the other: more errors on the moved side never make a judgement milder', () => {
  const rank = ['pass', 'failing', 'fail'];
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 300 }), fc.nat(40), fc.nat(40), (requests, bad, more) => {
      const verdict = (errors: number): number => {
        const after = repeat({ ok: requests - errors, bad: errors }, 20);
        const moved = [node('edge-1', after)];
        const judgement = judgeGates(facts({ moved, watch: soak(30_000), now: MOVED_AT + 30_000 }));
        return rank.indexOf(reportOf(judgement, '5xx').verdict);
      };
      assert.ok(verdict(bad + more) >= verdict(bad));
    }),
  );
});

test('nothing that Envoys send makes it throw, and a dry run never stops anything', () => {
  const odd = fc.record({ ok: fc.integer({ min: -500, max: 500 }), bad: fc.integer({ min: -50, max: 50 }) });
  fc.assert(
    fc.property(fc.array(odd, { maxLength: 20 }), fc.nat(90_000), fc.boolean(), (after, elapsed, baking) => {
      const over = {
        moved: [node('edge-1', after)],
        watch: soak(elapsed, 90_000, baking),
        now: MOVED_AT + elapsed,
      };
      for (const kind of ['5xx', 'latency-p99', 'metric', 'memory']) {
        const dry = {
          kind,
          max: kind === 'latency-p99' ? '0ms' : 0,
          metric: 'auth_denied',
          dryRun: true,
          failures: 0,
        };
        const { fail, pause } = judgeGates(facts(over, gate(dry)));
        assert.notEqual(fail?.gate, 'mine');
        assert.equal(pause, undefined);
      }
    }),
  );
});
