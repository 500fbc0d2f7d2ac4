import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricSample } from '../../src/model/node-metrics.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { live } from './live.ts';
import { makeVerdict, PLUGIN } from './records.ts';
import type { World } from './world.ts';

const STEPS: JsonObject = { steps: [{ nodes: 2, soak: '1m' }], bake: '2m' };

function begin(rollout: JsonObject = STEPS): World {
  const world = live();
  flush(world);
  world.news = [];
  return world.apply(2, { rollout }).answer();
}

interface Traffic {
  readonly ok: number;
  readonly bad: number;
  readonly reloads?: number;
}

/** Every node pushes a sample; those named with traffic of their own, the others with 100 good requests. */
function flush(world: World, own: Readonly<Record<string, Traffic>> = {}): World {
  for (const id of world.fleet.keys()) {
    const { samples = [] } = world.metrics.get(id) ?? {};
    const { ok, bad, reloads = 0 } = own[id] ?? { ok: 100, bad: 0 };
    const last = samples.at(-1);
    const [, was2 = 0, , , was5 = 0] = last?.byClass ?? [];
    const sample: MetricSample = {
      at: world.now,
      byClass: [0, was2 + ok, 0, 0, was5 + bad],
      latency: [],
      vmCreated: null,
      vmActive: null,
      workers: null,
      reloads: { [PLUGIN]: (last?.reloads[PLUGIN] ?? 0) + reloads },
      ecds: {},
      custom: {},
      listeners: {},
      memoryBytes: null,
    };
    world.metrics.set(id, { node: id, process: 'p1', samples: [...samples, sample] });
  }
  return world.decide();
}

/** Samples every five seconds for a while. */
function flushFor(world: World, ms: number, own: Readonly<Record<string, Traffic>> = {}): World {
  for (let passed = 0; passed < ms; passed += 5_000) flush(world.pass(5_000), own);
  return world;
}

const BROKEN = { ok: 0, bad: 100 };

/** Another plugin's rollout that moved these nodes. */
function suspect(world: World, ...ids: readonly string[]): void {
  const movedAt = new Map(ids.map(id => [id, world.now]));
  world.suspects = [{ rollout: 'default.other.4', moved: new Set(ids), movedAt }];
}

test('a plugin that is accepted and then answers 503 is taken off its first nodes, with both rates', () => {
  const world = begin();
  const [first = ''] = world.moved();
  flushFor(world, 15_000, { [first]: BROKEN });
  assert.equal(world.latest().failure?.kind, 'broken');
  assert.equal(world.latest().failure?.node, first);
  assert.equal(world.latest().reason, 'Broken');
  assert.match(world.latest().why ?? '', /5xx|503|%/);
  assert.deepEqual(world.moved(), []);
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'failed');
  assert.equal(world.records.quarantine.get('content-2')?.text, `failed on ${first}`);
});

test('C-B3: of 300 nodes with a default document, one is touched by a plugin that answers 503', () => {
  const world = live(300);
  flush(world).apply(2).answer();
  const [first = '', ...others] = world.moved();
  assert.deepEqual(others, []);
  const movedAt = world.now;
  flushFor(world, 15_000, { [first]: BROKEN }).answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.ok((world.latest().endedAt ?? Number.POSITIVE_INFINITY) - movedAt <= 15_000);
  assert.equal(world.latest().back?.touched, 1);
  assert.match(world.latest().why ?? '', /5xx to 200 of 200 requests in 10 s; 299 others: 0 % of 59,800/);
});

test('a broken node in the bake takes everything back, and is marked as such', () => {
  const world = begin();
  flushFor(world, 60_000).answer();
  assert.equal(world.phase(), 'Baking');
  flushFor(world, 15_000, { 'edge-3': BROKEN });
  assert.equal(world.latest().failure?.baking, true);
  assert.deepEqual(world.moved(), []);
});

test('a VM that restarts on a moved node takes everything back', () => {
  const world = begin();
  const [first = ''] = world.moved();
  flushFor(world, 5_000).pass(1_000);
  flush(world, { [first]: { ok: 100, bad: 0, reloads: 1 } });
  assert.equal(world.latest().failure?.kind, 'reload');
  assert.equal(world.latest().reason, 'Crashed');
  assert.deepEqual(world.moved(), []);
});

test('a crash is seen also while the rollout is paused', () => {
  const world = begin().act('pause');
  const [first = ''] = world.moved();
  flushFor(world, 5_000);
  flush(world.pass(5_000), { [first]: { ok: 100, bad: 0, reloads: 1 } });
  assert.equal(world.latest().failure?.kind, 'reload');
});

test('healthy nodes let it pass, and reports carry the numbers', () => {
  const world = begin();
  flushFor(world, 60_000);
  assert.equal(world.latest().step, 1);
  const report = world.latest().gates.find(({ kind }) => kind === '5xx');
  assert.equal(report?.verdict, 'pass');
});

test('a written gate without enough requests pauses as Inconclusive at the end of the soak', () => {
  const gates = [{ name: 'errors', kind: '5xx', max: '1%' }];
  const world = begin({ ...STEPS, gates }).pass(60_000);
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Inconclusive');
  world.act('resume');
  assert.equal(world.latest().step, 1);
});

test('promote of what a gate paused goes to the next step', () => {
  const gates = [{ name: 'errors', kind: '5xx', max: '1%' }];
  const world = begin({ ...STEPS, gates })
    .pass(60_000)
    .act('promote');
  assert.equal(world.latest().step, 1);
  assert.equal(world.phase(), 'Progressing');
});

test('a soft gate that fails three times takes everything back', () => {
  const gates = [{ name: 'errors', kind: '5xx', max: '1%', every: '10s' }];
  const world = begin({ ...STEPS, gates });
  const bad = Object.fromEntries(world.moved().map(id => [id, { ok: 90, bad: 10 }]));
  flushFor(world, 50_000, bad);
  assert.equal(world.latest().failure?.kind, 'gate');
  assert.equal(world.latest().failure?.gate, 'errors');
  assert.deepEqual(world.moved(), []);
});

test('a node that two rollouts moved pauses this one when nobody can tell', () => {
  const world = begin();
  const [first = ''] = world.moved();
  suspect(world, first);
  flushFor(world, 15_000, Object.fromEntries(world.moved().map(id => [id, BROKEN])));
  // The other node that it moved alone is broken as well: it is this one.
  assert.equal(world.latest().failure?.kind, 'broken');
  const torn = begin();
  suspect(torn, ...torn.moved());
  flushFor(torn, 15_000, Object.fromEntries(torn.moved().map(id => [id, BROKEN])));
  assert.equal(torn.phase(), 'Paused');
  assert.equal(torn.latest().reason, 'Unattributed');
  assert.match(torn.latest().why ?? '', /default\.other\.4/);
  assert.equal(torn.moved().length, 2);
});

test('what was paused for two goes back once the other is gone and it is still broken', () => {
  const world = begin();
  suspect(world, ...world.moved());
  const broken = Object.fromEntries(world.moved().map(id => [id, BROKEN]));
  flushFor(world, 15_000, broken);
  assert.equal(world.latest().reason, 'Unattributed');
  world.suspects = [];
  flushFor(world, 5_000, broken);
  assert.equal(world.latest().failure?.kind, 'broken');
});

test('a rollout goes on where another one is at fault', () => {
  const world = begin();
  const [first = ''] = world.moved();
  suspect(world, first, 'edge-9', 'edge-10');
  flushFor(world, 20_000, { [first]: BROKEN, 'edge-9': BROKEN, 'edge-10': BROKEN });
  // The node that only this one moved is fine.
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.moved().length, 2);
});

test('a refusal that names no plugin is this one where no other moved the node', () => {
  const world = begin();
  const [first = ''] = world.moved();
  const refused = { plugin: null, at: world.now };
  world.verdict(first, makeVerdict({ node: first, accepted: 1, refused })).decide();
  assert.equal(world.latest().failure?.kind, 'refusal');
  assert.deepEqual(world.moved(), []);
});

test('a refusal that names no plugin pauses all that may be meant, until a person looks', () => {
  const world = live();
  world.apply(2, { rollout: { steps: [{ nodes: 1, soak: '1m' }] } });
  const [first = ''] = world.moved();
  suspect(world, first);
  const refused = { plugin: null, at: world.now };
  world.verdict(first, makeVerdict({ node: first, accepted: 1, refused })).decide();
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Unattributed');
  world.pass(1_000).act('resume');
  assert.equal(world.phase(), 'Progressing');
});

/** Four nodes; revision 2 is paused in its bake, because another rollout may be what they fail of. */
function tornInBake(): World {
  const world = live(4).apply(2, { preset: 'all-at-once' }).answer();
  assert.equal(world.phase(), 'Baking');
  suspect(world, ...world.fleet.keys());
  const refused = { plugin: null, at: world.now };
  world.verdict('edge-1', makeVerdict({ node: 'edge-1', accepted: 1, refused })).decide();
  assert.equal(world.latest().reason, 'Unattributed');
  return world;
}

test('what may be at fault does not become what is proven when a newer one takes over', () => {
  const world = tornInBake()
    .pass(1_000)
    .apply(3, { rollout: { steps: [{ nodes: 1, soak: '1m' }] } });
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.equal(world.latest().from.revision, 1);
});

test('who pauses what was resumed does not bring back what was let go on', () => {
  const world = tornInBake().pass(1_000).act('resume').pass(1_000);
  assert.equal(world.phase(), 'Baking');
  world.suspects = [];
  world.act('pause');
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Person');
});
