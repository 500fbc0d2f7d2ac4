import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Revision } from '../../src/model/revision.ts';
import { decideRollout } from '../../src/rollout/decide-rollout.ts';
import type { FleetNode } from '../../src/rollout/fleet-node.ts';
import { RollCall } from '../../src/rollout/roll-call.ts';
import type { Decision } from '../../src/rollout/rollout-facts.ts';
import { makeReady, makeRevision, makeVerdict } from './records.ts';
import { toOther, World } from './world.ts';

const WITHOUT_BAKE = { rollout: { preset: 'all-at-once', bake: '0s' } };
const ALL_AT_ONCE = { preset: 'all-at-once', rollout: { bake: '1m' } };

/** Counts how often a node is looked at. */
class CountedFleet extends Map<string, FleetNode> {
  looks = 0;

  override get(id: string): FleetNode | undefined {
    this.looks += 1;
    return super.get(id);
  }

  override keys(): MapIterator<string> {
    this.looks += this.size;
    return super.keys();
  }

  override [Symbol.iterator](): MapIterator<[string, FleetNode]> {
    this.looks += this.size;
    return super[Symbol.iterator]();
  }
}

/** What a decision costs, in looks at nodes, after one node changed: the decision before saw all of them. */
function costOfOne(world: World, id: string, change: () => void): { looks: number; decision: Decision } {
  const rollCall = new RollCall();
  decideRollout(world.facts(rollCall));
  change();
  rollCall.note([id]);
  const fleet = new CountedFleet(world.fleet);
  fleet.looks = 0;
  const decision = decideRollout({ ...world.facts(rollCall), fleet });
  const { looks } = fleet;
  assert.deepEqual(decision, decideRollout(world.facts()));
  return { looks, decision };
}

function leave(world: World, id: string): void {
  const node = world.fleet.get(id) ?? assert.fail(id);
  const presence = { ...node.presence, connected: false, since: world.now };
  world.fleet.set(id, toOther(node, { presence }));
}

const SITUATIONS: readonly {
  readonly what: string;
  run(world: World): { looks: number; decision: Decision };
}[] = [
  {
    what: 'a node takes what it was sent',
    run: world => {
      world.apply(1, ALL_AT_ONCE);
      return costOfOne(world, 'edge-7', () =>
        world.verdict('edge-7', makeVerdict({ node: 'edge-7', accepted: 1 })),
      );
    },
  },
  {
    what: 'a node goes in the bake',
    run: world => {
      world.apply(1, ALL_AT_ONCE).answer();
      return costOfOne(world, 'edge-7', () => leave(world, 'edge-7'));
    },
  },
  {
    what: 'a node joins in the bake',
    run: world => {
      world.apply(1, ALL_AT_ONCE).answer();
      return costOfOne(world, 'late', () => world.join('late', { namespace: 'other' }));
    },
  },
  {
    what: 'a node goes back',
    run: world => {
      world.apply(1, ALL_AT_ONCE).answer().act('abort');
      assert.equal(world.phase(), 'RollingBack');
      const back = makeVerdict({ node: 'edge-7', accepted: null });
      return costOfOne(world, 'edge-7', () => world.verdict('edge-7', back));
    },
  },
  {
    what: 'a node joins that a plugin which nobody runs yet is not for',
    run: world => {
      world.apply(1, { ...ALL_AT_ONCE, selector: { matchLabels: { app: 'none' } } });
      assert.equal(world.latest().reason, 'NoNodes');
      return costOfOne(world, 'late', () => world.join('late'));
    },
  },
];

for (const { what, run } of SITUATIONS)
  test(`${what}: that costs the same with 100 nodes as with 1,000`, () => {
    const [few, many] = [run(new World(100)), run(new World(1_000))];
    assert.ok(few.looks > 0 && few.looks < 20, `${few.looks} looks`);
    assert.equal(many.looks, few.looks);
  });

test('a step goes on when the last of its nodes has answered, whoever was looked at before', () => {
  const world = new World(20).apply(1, ALL_AT_ONCE);
  const ids = [...world.fleet.keys()];
  world.answer(...ids.slice(1));
  assert.equal(world.latest().stage, 'Applying');
  const { decision } = costOfOne(world, 'edge-1', () =>
    world.verdict('edge-1', makeVerdict({ node: 'edge-1', accepted: 1 })),
  );
  assert.equal(decision.records.rollouts.at(-1)?.phase, 'Baking');
});

/** Counts how often the configuration of a revision is asked for: each state of a node that is derived asks. */
class CountedRevisions extends Map<number, Revision> {
  asked = 0;

  override get(number: number): Revision | undefined {
    this.asked += 1;
    return super.get(number);
  }
}

test('a rollout to 1,000 nodes that are alike begins with as few looks at what they run as one to 100', () => {
  const [few, many] = [100, 1_000].map(nodes => {
    const world = new World(nodes).apply(1, WITHOUT_BAKE).answer();
    assert.equal(world.phase(), 'Succeeded');
    world.document(WITHOUT_BAKE);
    world.revisions.set(2, makeRevision(2));
    world.progress = makeReady(2, world.spec?.revision ?? 0);
    const revisions = new CountedRevisions(world.revisions);
    const { records } = decideRollout({ ...world.facts(), revisions });
    assert.equal(records.rollouts.at(-1)?.targets, nodes);
    return revisions.asked;
  });
  assert.ok(few !== undefined && few > 0 && few < 100, `${few} looks`);
  assert.equal(many, few);
});
