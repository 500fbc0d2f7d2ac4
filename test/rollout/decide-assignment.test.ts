import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decideAssignment, type PluginFacts } from '../../src/rollout/decide-assignment.ts';
import { FORMAT, makeAssignment, makeReady, makeVerdict, PLUGIN } from './records.ts';

const NOW = 1000;

/** Revision `desired` is wanted, revisions 1 to 5 exist. */
function facts(desired: number, fields: Partial<PluginFacts> = {}): PluginFacts {
  return {
    plugin: PLUGIN,
    specRevision: 7,
    progress: makeReady(desired, 7),
    revisions: new Set([1, 2, 3, 4, 5]),
    assignment: undefined,
    verdicts: [],
    format: FORMAT,
    now: NOW,
    ...fields,
  };
}

function live(...verdicts: Parameters<typeof makeVerdict>) {
  return verdicts.map(fields => ({ verdict: makeVerdict(fields), live: true }));
}

/** The decision's assignment and the types of its news. */
function decide(input: PluginFacts) {
  const decision = decideAssignment(input);
  if (decision.kind !== 'put') return decision.kind;
  return { ...decision.assignment, news: decision.news.map(({ type }) => type) };
}

function expected(fields: Parameters<typeof makeAssignment>[0], ...news: string[]) {
  return { ...makeAssignment(fields), news };
}

describe('a new revision', () => {
  test('is assigned once its module is ready', () => {
    assert.deepEqual(decide(facts(1)), expected({ revision: 1, good: null, since: NOW }, 'rollout.assigned'));
  });

  test('replaces the one before, which stays the good one', () => {
    const assignment = makeAssignment({ revision: 1, good: 1 });
    assert.deepEqual(
      decide(facts(2, { assignment })),
      expected({ revision: 2, good: 1, since: NOW }, 'rollout.assigned'),
    );
  });

  test('changes nothing while the module stage is not done with the newest document', () => {
    const assignment = makeAssignment({ revision: 1, good: 1 });
    for (const state of ['resolving', 'retrying', 'failed'] as const) {
      const progress = { ...makeReady(2, 7), state };
      assert.equal(decide(facts(2, { assignment, progress })), 'unchanged');
      assert.equal(decide(facts(2, { progress })), 'unchanged');
    }
    assert.equal(decide(facts(2, { assignment, progress: undefined })), 'unchanged');
    assert.equal(
      decide(facts(2, { assignment, progress: makeReady(2, 6) })),
      'unchanged',
      'an older document',
    );
    assert.equal(decide(facts(2, { assignment, revisions: new Set([1]) })), 'unchanged', 'no such revision');
  });

  test('with the content of an older one is that older one again', () => {
    const assignment = makeAssignment({ revision: 2, good: 2 });
    assert.deepEqual(
      decide(facts(1, { assignment })),
      expected({ revision: 1, good: 2, since: NOW }, 'rollout.assigned'),
    );
  });

  test('that is applied again changes nothing', () => {
    assert.equal(decide(facts(1, { assignment: makeAssignment({ revision: 1 }) })), 'unchanged');
  });
});

describe('the good revision', () => {
  const assignment = makeAssignment({ revision: 2, good: 1 });

  test('is the assigned one once a node accepted it', () => {
    const verdicts = live({ tried: 2, accepted: 2 });
    assert.deepEqual(
      decide(facts(2, { assignment, verdicts })),
      expected({ revision: 2, good: 2 }, 'rollout.good'),
    );
  });

  test('is not one that nobody accepted', () => {
    const verdicts = live({ tried: 2, accepted: 1, state: 'sent' });
    assert.equal(decide(facts(2, { assignment, verdicts })), 'unchanged');
    assert.equal(decide(facts(2, { assignment })), 'unchanged');
  });

  test('waits for connected nodes that are still being asked, or were not yet', () => {
    const accepted = live({ tried: 2, accepted: 2 });
    for (const asked of [
      { node: 'edge-2', tried: 2, accepted: 1, state: 'sent' },
      { node: 'edge-2', tried: 2, accepted: 1, state: 'fetching' },
      { node: 'edge-2', tried: 1, accepted: 1, state: 'accepted' },
    ] as const) {
      const verdicts = [...accepted, ...live(asked)];
      assert.equal(decide(facts(2, { assignment, verdicts })), 'unchanged');
      const gone = [...accepted, { verdict: makeVerdict(asked), live: false }];
      assert.deepEqual(
        decide(facts(2, { assignment, verdicts: gone })),
        expected({ revision: 2, good: 2 }, 'rollout.good'),
      );
    }
  });

  test('does not wait for a node that cannot get the module', () => {
    const verdicts = [
      ...live({ tried: 2, accepted: 2 }),
      ...live({ node: 'edge-2', tried: 2, accepted: 1, state: 'unreachable' }),
    ];
    assert.deepEqual(
      decide(facts(2, { assignment, verdicts })),
      expected({ revision: 2, good: 2 }, 'rollout.good'),
    );
  });

  test('is the replaced one if a node had accepted it, slow nodes or not', () => {
    const verdicts = [
      ...live({ tried: 2, accepted: 2 }),
      ...live({ node: 'edge-2', tried: 2, accepted: 1, state: 'sent' }),
    ];
    assert.deepEqual(
      decide(facts(3, { assignment, verdicts })),
      expected({ revision: 3, good: 2, since: NOW }, 'rollout.assigned'),
    );
  });

  test('is not the replaced one if nobody had accepted it', () => {
    const verdicts = live({ tried: 2, accepted: 1, state: 'sent' });
    assert.deepEqual(
      decide(facts(3, { assignment, verdicts })),
      expected({ revision: 3, good: 1, since: NOW }, 'rollout.assigned'),
    );
  });
});

describe('a refusal', () => {
  const assignment = makeAssignment({ revision: 2, good: 1, since: 100 });
  const refused = { revision: 2, node: 'edge-1', message: 'Unable to create Wasm plugin', at: 150 };
  const verdicts = live({ tried: 2, accepted: 1, state: 'refused', refused });

  test('goes back to the good revision, with what was refused, by whom and why', () => {
    assert.deepEqual(
      decide(facts(2, { assignment, verdicts })),
      expected({ revision: 1, good: 1, since: NOW, refused }, 'rollout.back'),
    );
  });

  test('of the first revision leaves the plugin out of every chain', () => {
    const first = makeAssignment({ revision: 2, good: null });
    assert.deepEqual(
      decide(facts(2, { assignment: first, verdicts })),
      expected({ revision: null, good: null, since: NOW, refused }, 'rollout.back'),
    );
  });

  test('counts also when others accepted, and when the node has its last good content again', () => {
    const healed = [
      ...live({ node: 'edge-2', tried: 2, accepted: 2 }),
      ...live({ tried: 1, accepted: 1, state: 'sent', refused }),
    ];
    assert.deepEqual(
      decide(facts(2, { assignment, verdicts: healed })),
      expected({ revision: 1, good: 1, since: NOW, refused }, 'rollout.back'),
    );
  });

  test('is held against the node that refused first', () => {
    const two = [
      ...verdicts,
      ...live({ node: 'edge-9', tried: 2, state: 'refused', refused: { revision: 2, at: 120 } }),
    ];
    const decision = decideAssignment(facts(2, { assignment, verdicts: two }));
    assert.equal(decision.kind === 'put' && decision.assignment.refused?.node, 'edge-9');
  });

  test('of another revision, another plugin or an earlier try decides nothing', () => {
    for (const other of [
      { revision: 1, at: 150 },
      { revision: 2, at: 99 },
      { revision: 2, at: 150, plugin: 'default/other' },
    ])
      assert.equal(
        decide(facts(2, { assignment, verdicts: live({ tried: 2, accepted: 1, refused: other }) })),
        'unchanged',
      );
  });

  test('keeps the revision from being assigned again', () => {
    const back = makeAssignment({ revision: 1, good: 1, since: NOW, refused });
    assert.equal(decide(facts(2, { assignment: back, verdicts })), 'unchanged');
    assert.equal(decide(facts(2, { assignment: back })), 'unchanged', 'whatever the nodes say by then');
    const none = makeAssignment({ revision: null, good: null, since: NOW, refused });
    assert.equal(decide(facts(2, { assignment: none })), 'unchanged');
  });

  test('does not keep a newer revision from being tried', () => {
    const back = makeAssignment({ revision: 1, good: 1, refused });
    assert.deepEqual(
      decide(facts(3, { assignment: back, verdicts })),
      expected({ revision: 3, good: 1, since: NOW }, 'rollout.assigned'),
    );
  });

  test('is remembered while older content is wanted again', () => {
    const back = makeAssignment({ revision: 3, good: 3, refused: { ...refused, revision: 4 } });
    assert.deepEqual(
      decide(facts(1, { assignment: back })),
      expected(
        { revision: 1, good: 3, since: NOW, refused: { ...refused, revision: 4 } },
        'rollout.assigned',
      ),
    );
  });

  test('and a newer revision at one time: it is told, and the newer one is tried', () => {
    assert.deepEqual(
      decide(facts(3, { assignment, verdicts })),
      expected({ revision: 3, good: 1, since: NOW }, 'rollout.back', 'rollout.assigned'),
    );
  });

  test('of a revision that was proven good leaves it where it is', () => {
    const proven = makeAssignment({ revision: 2, good: 2, since: 100 });
    assert.equal(decide(facts(2, { assignment: proven, verdicts })), 'unchanged');
  });
});

test('a deleted plugin loses its assignment; one that has none stays as it is', () => {
  const gone = { specRevision: undefined };
  assert.equal(decide(facts(1, { ...gone, assignment: makeAssignment() })), 'delete');
  assert.equal(decide(facts(1, gone)), 'unchanged');
});

test('a new format of the compiler is taken over, with all else kept', () => {
  const refused = { revision: 2, node: 'edge-1', message: 'm', at: 5 };
  const assignment = makeAssignment({ revision: 1, good: 1, refused });
  assert.deepEqual(
    decide(facts(2, { assignment, format: 2 })),
    expected({ revision: 1, good: 1, refused, format: 2, since: NOW }, 'rollout.format'),
  );
});

const revision = fc.integer({ min: 1, max: 3 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const anyVerdict = fc
  .record({
    node: fc.constantFrom('edge-1', 'edge-2', 'edge-3'),
    state: fc.constantFrom('sent', 'fetching', 'unreachable', 'accepted', 'refused'),
    tried: maybe(revision),
    accepted: maybe(revision),
    refused: maybe(fc.record({ revision, at: fc.constantFrom(50, 150) })),
  })
  .map(fields => makeVerdict(fields as Parameters<typeof makeVerdict>[0]));
const anyFacts = fc
  .record({
    desired: revision,
    verdicts: fc.array(fc.record({ verdict: anyVerdict, live: fc.boolean() }), { maxLength: 4 }),
    assigned: maybe(fc.record({ revision: fc.option(revision), good: fc.option(revision) })),
    format: fc.constantFrom(1, 2),
  })
  .map(({ desired, verdicts, assigned, format }) =>
    facts(desired, { verdicts, format, assignment: assigned && makeAssignment(assigned) }),
  );

test('deciding settles: on its own outcome it changes nothing more', () => {
  fc.assert(
    fc.property(anyFacts, input => {
      const decision = decideAssignment(input);
      if (decision.kind !== 'put') return;
      const again = decideAssignment({ ...input, assignment: decision.assignment, now: NOW + 1 });
      assert.equal(again.kind, 'unchanged');
    }),
    { numRuns: 1000 },
  );
});

test('what is assigned is never what a node refused in this try, unless it was proven good', () => {
  fc.assert(
    fc.property(anyFacts, input => {
      const decision = decideAssignment(input);
      const after = decision.kind === 'put' ? decision.assignment : input.assignment;
      if (after === undefined || after.revision === null || after.revision === after.good) return;
      const isRefused = input.verdicts.some(
        ({ verdict: { refused } }) => refused?.revision === after.revision && refused.at >= after.since,
      );
      assert.equal(isRefused, false);
    }),
    { numRuns: 1000 },
  );
});
