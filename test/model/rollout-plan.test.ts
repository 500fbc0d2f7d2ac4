import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { resolveStrategy } from '../../src/model/resolve-strategy.ts';
import {
  countOf,
  describeReach,
  describeSize,
  estimateMs,
  hashFraction,
  type PlanNode,
  planSteps,
} from '../../src/model/rollout-plan.ts';

const ID = 'edge.auth.9';

type Target = Pick<PlanNode, 'connected'> & PlanNode['node'];

function makeNodes(count: number, over: (index: number) => Partial<Target> = () => ({})): Target[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `edge-${index}`,
    connected: true,
    zone: '',
    labels: {},
    ...over(index),
  }));
}

function plan(rollout: JsonObject, nodes: readonly Target[], id = ID) {
  const strategy = resolveStrategy(rollout, { targets: nodes.length });
  const targets = nodes.map(({ connected, ...node }) => ({ connected, node }));
  return { ...planSteps(strategy, id, targets), bakeMs: strategy.bakeMs };
}

function sentences(rollout: JsonObject, nodes: readonly Target[]): string[] {
  return plan(rollout, nodes).steps.map(step => {
    const soak = step.soakMs === 0 ? '' : `, ${step.soakMs / 1000} s`;
    const pause = step.pause === null ? '' : `, after ${step.pause}`;
    return `${describeReach(step, nodes.length)}${soak}${pause}${step.state === 'skipped' ? ', skipped' : ''}`;
  });
}

test('standard on 300 nodes is 1, 30, 150 and 300, about 22 minutes with the bake', () => {
  const { steps, bakeMs } = plan({ preset: 'standard' }, makeNodes(300));
  assert.deepEqual(
    steps.map(({ reaches }) => reaches),
    [1, 30, 150, 300],
  );
  assert.equal(estimateMs(steps, bakeMs), 22 * 60_000);
});

test('fast on 300 nodes takes about 2 minutes with the bake', () => {
  const { steps, bakeMs } = plan({ preset: 'fast' }, makeNodes(300));
  assert.deepEqual(
    steps.map(({ reaches }) => reaches),
    [75, 150, 300],
  );
  assert.equal(estimateMs(steps, bakeMs), 2 * 60_000);
});

test('asked and actual are both said', () => {
  assert.deepEqual(sentences({ preset: 'standard' }, makeNodes(37)), [
    '1 node asked, 1 of 37 nodes, 2.7 %, 120 s',
    '10 % asked, 4 of 37 nodes, 10.8 %, 300 s',
    '50 % asked, 19 of 37 nodes, 51.4 %, 300 s',
    '100 % asked, 37 of 37 nodes',
  ]);
  assert.equal(describeSize({ nodes: 2 }), '2 nodes');
  assert.equal(describeSize({ percent: 0.25 }), '0.3 %');
});

test('a step that adds no node is skipped with its soak', () => {
  assert.deepEqual(sentences({ preset: 'cautious' }, makeNodes(10)), [
    '1 node asked, 1 of 10 nodes, 10 %, 600 s',
    '10 % asked, 1 of 10 nodes, skipped',
    '25 % asked, 3 of 10 nodes, 30 %, 600 s',
    '50 % asked, 5 of 10 nodes, 600 s',
    '100 % asked, 10 of 10 nodes',
  ]);
});

test('a pause of a skipped step passes on to the next; a person is waited for longer than any time', () => {
  const steps = [{ nodes: 1 }, { pause: 'human' }, { share: '10%', pause: '5m' }, { share: '50%' }];
  assert.deepEqual(sentences({ steps }, makeNodes(6)), [
    '1 node asked, 1 of 6 nodes, 16.7 %',
    '10 % asked, 1 of 6 nodes, 16.7 %, skipped',
    '50 % asked, 3 of 6 nodes, after human',
    '100 % asked, 6 of 6 nodes',
  ]);
});

test('the step that reaches every target is the 100 % step, the last one, and never soaks', () => {
  assert.deepEqual(sentences({ preset: 'fast' }, makeNodes(1)), ['100 % asked, 1 of 1 node']);
  assert.deepEqual(sentences({ preset: 'standard' }, makeNodes(1)), ['100 % asked, 1 of 1 node']);
  assert.deepEqual(sentences({ preset: 'fast' }, makeNodes(2)), [
    '25 % asked, 1 of 2 nodes, 50 %, 30 s',
    '50 % asked, 1 of 2 nodes, skipped',
    '100 % asked, 2 of 2 nodes',
  ]);
  assert.deepEqual(sentences({ steps: [{ nodes: 500, soak: '1h' }] }, makeNodes(3)), [
    '100 % asked, 3 of 3 nodes',
  ]);
});

test('no targets, no steps', () => {
  assert.deepEqual(plan({ preset: 'standard' }, []).steps, []);
});

test('connected targets come first, the others last', () => {
  const nodes = makeNodes(20, index => ({ connected: index % 2 === 1 }));
  const [order] = plan({}, nodes).order;
  const connected = new Set(nodes.filter(node => node.connected).map(({ id }) => id));
  assert.ok(order?.slice(0, 10).every(id => connected.has(id)));
});

test('zone waves come one after the other, each in its own steps, and the rest comes last', () => {
  const nodes = makeNodes(9, index => ({ zone: ['a', 'b', ''][index % 3] ?? '' }));
  const rollout = {
    waves: [
      { selector: { zone: 'b' }, steps: [{ nodes: 1, soak: '1m' }], pause: 'human' },
      { name: 'second', selector: { zone: 'a' }, steps: [{ share: '100%', soak: '30s' }] },
    ],
    preset: 'all-at-once',
  };
  assert.deepEqual(sentences(rollout, nodes), [
    '1 node of zone b asked, 1 of 9 nodes, 11.1 %, 60 s',
    '100 % of zone b asked, 3 of 9 nodes, 33.3 %, 60 s',
    '100 % of second asked, 6 of 9 nodes, 66.7 %, 30 s, after human',
    '100 % asked, 9 of 9 nodes',
  ]);
  const zones = plan(rollout, nodes).order.map(
    wave => new Set(wave.map(id => nodes.find(node => node.id === id)?.zone)),
  );
  assert.deepEqual(zones, [new Set(['b']), new Set(['a']), new Set([''])]);
});

test('the last wave with nodes ends without a soak, whatever waves follow', () => {
  const nodes = makeNodes(2, () => ({ zone: 'a' }));
  const waves = [{ selector: { zone: 'a' } }, { selector: { zone: 'b' } }];
  assert.deepEqual(sentences({ preset: 'all-at-once', waves }, nodes), [
    '100 % of zone a asked, 2 of 2 nodes, 100 %',
  ]);
});

test('a zone is the locality, or else the label; labels of a wave must all hold', () => {
  const node = (id: string, zone: string, labels: Record<string, string>) => ({
    id,
    connected: true,
    zone,
    labels,
  });
  const nodes = [
    node('locality', 'a', { zone: 'b', role: 'edge' }),
    node('label', '', { zone: 'a', role: 'edge' }),
    node('elsewhere', 'b', { zone: 'a', role: 'edge' }),
    node('other-role', 'a', { role: 'core' }),
    node('__proto__', 'a', {}),
  ];
  const [first] = plan({ waves: [{ selector: { zone: 'a', matchLabels: { role: 'edge' } } }] }, nodes).order;
  assert.deepEqual(new Set(first), new Set(['locality', 'label']));
});

test('a non-zero share is at least one node, and floating point adds none', () => {
  assert.equal(countOf({ percent: 0.1 }, 5), 1);
  assert.equal(countOf({ percent: 7 }, 100), 7);
  assert.equal(countOf({ percent: 14 }, 50), 7);
  assert.equal(countOf({ percent: 50 }, 3), 2);
  assert.equal(countOf({ nodes: 7 }, 3), 3);
  assert.equal(countOf({ percent: 50 }, 0), 0);
});

const rollouts = fc.oneof(
  fc.constantFrom('cautious', 'standard', 'fast', 'all-at-once').map((preset): JsonObject => ({ preset })),
  fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 }).map(
    (shares): JsonObject => ({
      steps: shares.sort((a, b) => a - b).map(share => ({ share: `${share}%`, soak: '10s' })),
    }),
  ),
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }).map(
    (zones): JsonObject => ({
      preset: 'standard',
      waves: zones.map(zone => ({ selector: { zone }, pause: 'human' })),
    }),
  ),
);
const fleets = fc
  .array(fc.record({ connected: fc.boolean(), zone: fc.constantFrom('a', 'b', 'c', '') }), { maxLength: 60 })
  .map(nodes => makeNodes(nodes.length, index => nodes[index] ?? {}));

test('steps grow to every target, none is left, the last one only does not soak', () => {
  fc.assert(
    fc.property(rollouts, fleets, (rollout, nodes) => {
      const { order, steps } = plan(rollout, nodes);
      assert.deepEqual(order.flat().sort(), nodes.map(({ id }) => id).sort());
      let reached = 0;
      for (const { reaches, state, soakMs, pause } of steps) {
        assert.equal(state, reaches > reached ? 'waiting' : 'skipped');
        assert.ok(reaches >= reached);
        if (state === 'skipped') assert.deepEqual([soakMs, pause], [0, null]);
        reached = reaches;
      }
      assert.equal(reached, nodes.length);
      assert.equal(steps.at(-1)?.state ?? 'waiting', 'waiting');
      assert.equal(steps.at(-1)?.soakMs ?? 0, 0);
      assert.deepEqual(
        steps.slice(0, -1).filter(({ reaches }) => reaches === nodes.length),
        [],
      );
    }),
  );
});

test('the same rollout and nodes give the same plan, in whatever order the nodes are listed', () => {
  fc.assert(
    fc.property(rollouts, fleets, fc.nat(), (rollout, nodes, seed) => {
      const shuffled = [...nodes].sort(
        (a, b) => hashFraction(`${seed}`, a.id) - hashFraction(`${seed}`, b.id),
      );
      assert.deepEqual(plan(rollout, shuffled), plan(rollout, nodes));
    }),
  );
});

test('two zones are never under way at once', () => {
  fc.assert(
    fc.property(fleets, nodes => {
      const waves = ['a', 'b', 'c'].map(zone => ({ selector: { zone } }));
      const { order, steps } = plan({ preset: 'standard', waves }, nodes);
      const zoneOf = new Map(nodes.map(({ id, zone }) => [id, zone]));
      let reached = 0;
      for (const { reaches } of steps) {
        const added = new Set(
          order
            .flat()
            .slice(reached, reaches)
            .map(id => zoneOf.get(id)),
        );
        assert.ok(added.size <= 1);
        reached = reaches;
      }
    }),
  );
});

test('ranks spread evenly, and different rollouts spare different nodes', () => {
  const nodes = makeNodes(300);
  const firsts = new Set(
    Array.from({ length: 40 }, (_, number) => plan({}, nodes, `edge.auth.${number}`).order[0]?.[0]),
  );
  assert.ok(firsts.size > 30);
  const mean = nodes.reduce((sum, { id }) => sum + hashFraction(ID, id), 0) / nodes.length;
  assert.ok(Math.abs(mean - 0.5) < 0.1);
  for (const { id } of nodes) assert.ok(hashFraction(ID, id) >= 0 && hashFraction(ID, id) < 1);
});
