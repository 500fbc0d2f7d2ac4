import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findModuleHolds, HELD_ROLLOUTS, type HoldRecords, isHeld } from '../../src/model/module-holds.ts';
import type { Revision } from '../../src/model/revision.ts';
import {
  makeAssignment,
  makeConfig,
  makeRollout,
  makeSide,
  makeSpec,
  makeVerdict,
  PLUGIN,
} from './records.ts';

const DAY_MS = 86_400_000;
const NOW = 1_000 * DAY_MS;
const config = makeConfig();

const revision = (number: number, plugin = PLUGIN): Revision => ({
  plugin,
  number,
  contentHash: `${number}`,
  configHash: 'c',
  config,
  module: { sha256: `m${number}`, sizeBytes: 1, url: 'u', layout: 'cncf', abi: '0.2.1', importCount: 0 },
  createdAt: number,
});

function whyOf(more: Partial<HoldRecords>): Record<string, string> {
  const none = { specs: [makeSpec()], progress: [], assignments: [], rollouts: [], verdicts: [], now: NOW };
  const revisions = [1, 2, 3].map(number => revision(number));
  const holds = findModuleHolds({ ...none, revisions, ...more });
  return Object.fromEntries(
    [...holds].map(([sha256, list]) => [sha256, list.map(({ why }) => why).join(' ')]),
  );
}

test('what nodes are to run, what is asked for, what nodes spoke of and what can be taken back is held', () => {
  assert.deepEqual(whyOf({}), { m1: 'spare', m2: 'spare', m3: 'spare' });
  const moved = [{ rollout: 'r', side: makeSide(3), nodes: ['a'], since: 1 }];
  assert.deepEqual(whyOf({ assignments: [makeAssignment({ base: makeSide(1), moved })] }), {
    m1: 'live',
    m2: 'spare',
    m3: 'live',
  });
  const progress = [{ plugin: PLUGIN, specRevision: 1, state: 'ready', revision: 2, since: 1 } as const];
  assert.equal(whyOf({ progress }).m2, 'wanted');
  assert.deepEqual(whyOf({ verdicts: [makeVerdict(2, 1)] }), { m1: 'node', m2: 'node', m3: 'spare' });
  assert.equal(whyOf({ assignments: [makeAssignment()], verdicts: [makeVerdict(2, 2)] }).m2, 'live');
});

test('rollouts hold both their sides: the last ten, and all of the last 72 hours', () => {
  const rollout = (number: number, endedAt?: number) =>
    makeRollout({
      number,
      from: makeSide(number - 1),
      to: makeSide(number),
      phase: endedAt === undefined ? 'Progressing' : 'Succeeded',
      ...(endedAt === undefined ? {} : { endedAt }),
    });
  const count = HELD_ROLLOUTS + 5;
  const revisions = Array.from({ length: count + 1 }, (_, number) => revision(number));
  const old = revisions.slice(1).map(({ number }) => rollout(number, DAY_MS));
  const held = (rollouts: typeof old) =>
    Object.entries(whyOf({ revisions, rollouts })).flatMap(([name, why]) =>
      why === 'history' ? [name] : [],
    );
  assert.deepEqual(
    held(old),
    revisions.slice(-HELD_ROLLOUTS - 1).map(({ module }) => module.sha256),
  );
  const lately = old.map((one, i) => (i === 0 ? rollout(1, NOW - 2 * DAY_MS) : one));
  assert.deepEqual(held(lately).slice(0, 2), ['m0', 'm1']);
  assert.deepEqual(held(old.map((one, i) => (i === 1 ? rollout(2) : one))).slice(0, 2), ['m1', 'm2']);
});

test('revisions of a plugin that is forgotten hold nothing, unless a node still speaks of them', () => {
  assert.deepEqual(whyOf({ specs: [] }), {});
  assert.deepEqual(whyOf({ specs: [], verdicts: [makeVerdict(null, 3)] }), { m3: 'node' });
});

test('one module of several revisions is held by any of them', () => {
  const same = [1, 2].map(number => ({
    ...revision(number),
    module: { ...revision(1).module, sha256: 'same' },
  }));
  const holds = findModuleHolds({
    specs: [makeSpec()],
    revisions: same,
    progress: [],
    assignments: [makeAssignment({ base: makeSide(1) })],
    rollouts: [],
    verdicts: [],
    now: NOW,
  }).get('same');
  assert.deepEqual(
    holds?.map(({ revision: of, why }) => [of, why]),
    [
      [1, 'live'],
      [2, 'spare'],
    ],
  );
  assert.equal(isHeld(holds), true);
  assert.equal(isHeld(undefined), false);
});
