import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOLD_REASONS, isHeld, type ModuleHold } from '../../src/model/module-holds.ts';
import type { CachedBlob } from '../../src/module/blob-cache.ts';
import { BUSY_MS, type CollectionFacts, GRACE_MS, planCollection } from '../../src/module/plan-collection.ts';
import { planScrub } from '../../src/module/scrub-cache.ts';

const NOW = 10 * GRACE_MS;
const blob = (name: string, ageMs: number, sizeBytes = 10): CachedBlob => ({
  sha256: name,
  sizeBytes,
  usedAt: NOW - ageMs,
  verifiedAt: 0,
});
const hold = (why: ModuleHold['why']): readonly ModuleHold[] => [
  { plugin: 'default/auth', revision: 1, why },
];
const facts = (blobs: readonly CachedBlob[], more: Partial<CollectionFacts> = {}): CollectionFacts => ({
  blobs,
  holds: new Map(),
  registry: { named: new Set(), loose: new Set(), isWhole: true },
  now: NOW,
  neededBytes: 0,
  ...more,
});
const namesOf = (plan: readonly { sha256: string }[]) => plan.map(({ sha256 }) => sha256).join(' ');

test('what nobody needs goes a day after its last use, what somebody needs never', () => {
  const old = 2 * GRACE_MS;
  const blobs = [
    blob('loose', old),
    blob('fresh', GRACE_MS - 1),
    blob('live', old),
    blob('spare', old),
    blob('pushed', old),
    blob('untagged', old),
  ];
  const holds = new Map([
    ['live', hold('live')],
    ['spare', hold('spare')],
  ]);
  const registry = { named: new Set(['pushed']), loose: new Set(['pushed', 'untagged']), isWhole: true };
  assert.equal(namesOf(planCollection(facts(blobs, { holds, registry }))), 'loose');
  const pressed = planCollection(facts(blobs, { holds, registry, neededBytes: 1_000 }));
  assert.equal(
    namesOf(pressed),
    'loose fresh spare untagged',
    'under pressure the nameless first, then old revisions',
  );
});

test('under pressure no more goes than is needed, least recently used first, and nothing of the last hour', () => {
  const blobs = [
    blob('a', BUSY_MS + 3),
    blob('b', BUSY_MS + 2),
    blob('c', BUSY_MS + 1),
    blob('d', BUSY_MS - 1),
  ];
  assert.equal(namesOf(planCollection(facts(blobs, { neededBytes: 15 }))), 'a b');
  assert.equal(namesOf(planCollection(facts(blobs, { neededBytes: 1_000 }))), 'a b c');
});

test('while a manifest of the registry cannot be read, what may be its own goes for want of room alone', () => {
  const blobs = [blob('a', 3 * GRACE_MS), blob('b', 2 * GRACE_MS)];
  const registry = { named: new Set<string>(), loose: new Set<string>(), isWhole: false };
  assert.equal(namesOf(planCollection(facts(blobs, { registry }))), '');
  assert.equal(namesOf(planCollection(facts(blobs, { registry, neededBytes: 5 }))), 'a');
});

const anyFacts: fc.Arbitrary<CollectionFacts> = fc
  .array(
    fc.record({
      ageMs: fc.integer({ min: -GRACE_MS, max: 3 * GRACE_MS }),
      sizeBytes: fc.nat(1_000),
      why: fc.option(fc.constantFrom(...HOLD_REASONS)),
      pushed: fc.boolean(),
      loose: fc.boolean(),
    }),
    { maxLength: 20 },
  )
  .chain(list =>
    fc.tuple(fc.nat(5_000), fc.boolean()).map(([neededBytes, isWhole]) => ({
      blobs: list.map(({ ageMs, sizeBytes }, i) => blob(`b${i}`, ageMs, sizeBytes)),
      holds: new Map(list.flatMap(({ why }, i) => (why === null ? [] : [[`b${i}`, hold(why)] as const]))),
      registry: {
        named: new Set(list.flatMap(({ pushed }, i) => (pushed ? [`b${i}`] : []))),
        loose: new Set(list.flatMap(({ loose }, i) => (loose ? [`b${i}`] : []))),
        isWhole,
      },
      now: NOW,
      neededBytes,
    })),
  );

test('whatever there is: nothing needed and nothing busy is deleted, and enough where there is enough', () => {
  fc.assert(
    fc.property(anyFacts, of => {
      const plan = planCollection(of);
      assert.equal(new Set(plan.map(({ sha256 }) => sha256)).size, plan.length);
      let before = 0;
      for (const { sha256, sizeBytes, unusedSince } of plan) {
        const found = of.blobs.find(one => one.sha256 === sha256);
        assert.ok(found !== undefined && found.usedAt <= unusedSince && unusedSince <= NOW - BUSY_MS);
        assert.ok(!of.registry.named.has(sha256) && !isHeld(of.holds.get(sha256)));
        const isSpare = of.holds.has(sha256) || of.registry.loose.has(sha256) || !of.registry.isWhole;
        const isDue = !isSpare && found.usedAt <= NOW - GRACE_MS;
        assert.ok(isDue || before < of.neededBytes, 'more than was needed');
        before += sizeBytes;
      }
      const mayGo = of.blobs.filter(
        ({ sha256, usedAt }) =>
          !of.registry.named.has(sha256) && !isHeld(of.holds.get(sha256)) && usedAt <= NOW - BUSY_MS,
      );
      if (before < of.neededBytes) assert.equal(plan.length, mayGo.length, 'all that may go went');
    }),
  );
});

test('a scrub takes what was not looked at longest, in portions, and nothing twice a day', () => {
  const seen = (name: string, verifiedAt: number, sizeBytes: number) => ({
    ...blob(name, 0, sizeBytes),
    verifiedAt,
  });
  const blobs = [
    seen('fresh', NOW - 1, 1),
    seen('b', 1, 200_000_000),
    seen('a', 0, 100_000_000),
    seen('huge', 2, 900_000_000),
  ];
  assert.equal(namesOf(planScrub(blobs, NOW)), 'a');
  assert.equal(namesOf(planScrub(blobs.slice(3), NOW)), 'huge', 'one at least');
  assert.equal(namesOf(planScrub(blobs.slice(0, 1), NOW)), '');
});
