import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Quarantine } from '../../src/model/fleet-records.ts';
import { derivePluginState } from '../../src/model/plugin-state.ts';
import {
  countNodes,
  derivePluginStatus,
  NOT_COUNTED,
  type PluginStatus,
  type StatusInput,
} from '../../src/model/plugin-status.ts';
import type { ModuleProgress } from '../../src/model/revision.ts';
import { ROLLOUT_PHASES } from '../../src/model/rollout.ts';
import {
  makeAssignment,
  makeConfig,
  makePresence,
  makeRollout,
  makeSide,
  makeSpec,
  makeVerdict,
  NOW,
  PLUGIN,
} from './records.ts';

const ready: ModuleProgress = {
  plugin: PLUGIN,
  specRevision: 7,
  state: 'ready',
  revision: 2,
  since: NOW - 9_000,
};

const quarantine: Quarantine = {
  plugin: PLUGIN,
  contentHash: 'h2',
  revision: 2,
  rollout: 'default.auth.1',
  cause: 'refused',
  text: 'was refused by edge-b-041 and 2 more',
  at: NOW - 500,
};

/** The document of store revision 7 asks for revision 2. */
function derive(over: Partial<StatusInput> = {}): PluginStatus {
  return derivePluginStatus({
    spec: makeSpec(),
    specRevision: 7,
    progress: ready,
    assignment: makeAssignment(),
    rollout: makeRollout(),
    quarantine: undefined,
    nodes: NOT_COUNTED,
    ...over,
  });
}

const states = (presences: readonly ReturnType<typeof makePresence>[], verdicts = [makeVerdict(2, 2)]) =>
  presences.map(presence =>
    derivePluginState({
      plugin: makeSpec(),
      presence,
      verdicts,
      side: makeSide(2),
      assignedAt: NOW - 10_000,
      config: () => makeConfig(),
      rootNamespace: 'istio-system',
      now: NOW,
    }),
  );

const counts = (...of: Parameters<typeof states>) =>
  countNodes(states(...of).map(state => ({ state, count: 1 })));

test('a new document is Validating until the module stage has spoken about this very document', () => {
  const none = { assignment: undefined, rollout: undefined };
  assert.equal(derive({ ...none, progress: undefined }).phase, 'Validating');
  const older = derive({ specRevision: 8 });
  assert.deepEqual([older.phase, older.settled, older.desiredRevision], ['Validating', false, null]);
  assert.equal(derive({ ...none, progress: { ...ready, state: 'resolving' } }).phase, 'Validating');
});

test('a registry that does not answer is Validating with its code; a wrong digest is NotStarted', () => {
  const progress = { ...ready, state: 'retrying', code: 'unreachable', message: 'm', hint: 'h' } as const;
  const rollout = makeRollout({ phase: 'Validating', to: null });
  for (const retrying of [derive({ progress, rollout }), derive({ progress, rollout: undefined })])
    assert.deepEqual(
      [retrying.phase, retrying.reason, retrying.code, retrying.message, retrying.hint, retrying.settled],
      ['Validating', 'ModuleUnavailable', 'unreachable', 'm', 'h', false],
    );
  const failed = derive({
    progress: { ...ready, state: 'failed', code: 'digest-mismatch' },
    rollout: makeRollout({ phase: 'NotStarted', to: null }),
    assignment: makeAssignment({ base: makeSide(1) }),
  });
  assert.deepEqual([failed.phase, failed.settled, failed.currentRevision], ['NotStarted', true, 1]);
  assert.deepEqual([failed.code, failed.desiredRevision], ['digest-mismatch', null]);
});

test('a wait for a module that a person aborted is Aborted, whatever the module stage still tries', () => {
  const progress = { ...ready, state: 'retrying', code: 'unreachable' } as const;
  const status = derive({ progress, rollout: makeRollout({ phase: 'Aborted', to: null }) });
  assert.deepEqual([status.phase, status.settled], ['Aborted', true]);
});

test('the phase is that of the rollout of this document, with its words', () => {
  for (const phase of ROLLOUT_PHASES.filter(it => it !== 'Validating' && it !== 'NotStarted')) {
    const status = derive({
      rollout: makeRollout({ phase, reason: 'Gate', why: 'because', hint: 'do this' }),
    });
    assert.deepEqual([status.phase, status.reason], [phase, 'Gate']);
    assert.deepEqual([status.message, status.hint, status.since], ['because', 'do this', NOW - 1_000]);
    const goesOn = ['Progressing', 'Paused', 'Baking', 'RollingBack', 'RollbackIncomplete'].includes(phase);
    assert.equal(status.settled, !goesOn, phase);
  }
});

test('while a revision has no rollout yet it is Progressing', () => {
  const older = makeRollout({ specRevision: 3, to: makeSide(1) });
  const status = derive({ rollout: older, assignment: makeAssignment({ base: makeSide(1) }) });
  assert.deepEqual([status.phase, status.settled, status.desiredRevision], ['Progressing', false, 2]);
  assert.equal(derive({ rollout: undefined, assignment: undefined }).phase, 'Progressing');
});

test('a document that asks for what is under way anyway has the phase of that rollout', () => {
  const rollout = makeRollout({ specRevision: 3, phase: 'Baking' });
  assert.equal(derive({ rollout, assignment: makeAssignment({ base: makeSide(1) }) }).phase, 'Baking');
});

test('a document that asks for what runs already has Succeeded, though the last rollout came to nothing', () => {
  const rollout = makeRollout({ specRevision: 3, to: makeSide(9), phase: 'RolledBack' });
  const there = derive({ rollout, nodes: counts([makePresence()]) });
  assert.deepEqual([there.phase, there.reason, there.settled], ['Succeeded', null, true]);
  assert.equal(derive({ rollout }).reason, 'NoNodes');
});

test('without any node it has Succeeded, with the reason NoNodes, until a node runs it', () => {
  const rollout = makeRollout({ reason: 'NoNodes', why: 'no connected node' });
  assert.deepEqual([derive({ rollout }).phase, derive({ rollout }).reason], ['Succeeded', 'NoNodes']);
  const later = derive({ rollout, nodes: counts([makePresence()]) });
  assert.deepEqual([later.phase, later.reason, later.message], ['Succeeded', null, null]);
});

test('a refused revision that is asked for again is held back, and the good one is what is desired', () => {
  const status = derive({
    specRevision: 9,
    progress: { ...ready, specRevision: 9 },
    assignment: makeAssignment({ base: makeSide(1) }),
    rollout: makeRollout({ phase: 'RolledBack' }),
    quarantine,
  });
  assert.deepEqual([status.phase, status.settled], ['RolledBack', true]);
  assert.deepEqual([status.currentRevision, status.desiredRevision], [1, 1]);
  assert.deepEqual(status.heldBack, {
    revision: 2,
    cause: 'refused',
    text: 'was refused by edge-b-041 and 2 more',
    rollout: 'default.auth.1',
    by: null,
    at: NOW - 500,
  });
});

test('what another rollout followed is held back beside the Succeeded of that one', () => {
  const status = derive({
    assignment: makeAssignment({ base: makeSide(3) }),
    rollout: makeRollout({ number: 2, specRevision: 5, to: makeSide(3) }),
    quarantine,
  });
  assert.deepEqual([status.phase, status.heldBack?.revision, status.desiredRevision], ['Succeeded', 2, 3]);
});

test('what a person undid is held back; a retry that runs is not', () => {
  const assignment = makeAssignment({ base: makeSide(1), held: { specRevision: 7, revision: 2 } });
  const undo = makeRollout({ number: 2, kind: 'undo', to: makeSide(1) });
  const undone = derive({ assignment, rollout: undo, quarantine: { ...quarantine, cause: 'undone' } });
  assert.deepEqual([undone.phase, undone.heldBack?.cause], ['Succeeded', 'undone']);
  assert.equal(derive({ assignment, rollout: undo }).heldBack?.text, null);
  const retry = makeRollout({ number: 3, phase: 'Progressing' });
  const running = derive({ assignment: makeAssignment({ base: makeSide(1) }), rollout: retry });
  assert.deepEqual([running.heldBack, running.desiredRevision], [null, 2]);
  const newer = derive({
    specRevision: 8,
    progress: { ...ready, specRevision: 8 },
    assignment,
    rollout: undo,
  });
  assert.deepEqual([newer.heldBack, newer.phase], [null, 'Progressing']);
});

test('a deleted plugin is on its way to none, and the rollout has the phase', () => {
  const spec = makeSpec({ deleted: { at: NOW, by: 'admin', now: false } });
  const before = derive({ spec, specRevision: 8 });
  assert.deepEqual([before.phase, before.desiredRevision], ['Progressing', null]);
  const rollout = makeRollout({
    number: 2,
    kind: 'delete',
    to: makeSide(null),
    specRevision: 8,
    phase: 'Baking',
  });
  assert.equal(derive({ spec, specRevision: 8, rollout }).phase, 'Baking');
  const nowhere = { spec, rollout: undefined, assignment: makeAssignment({ base: makeSide(null) }) };
  assert.deepEqual([derive(nowhere).phase, derive(nowhere).reason], ['Succeeded', null]);
});

test('a node without a place and a gone node are in no count of what runs', () => {
  const gone = makePresence({ connected: false }, { id: 'gone' });
  const bare = makePresence({ slots: [] }, { id: 'bare' });
  assert.deepEqual(derive({ nodes: counts([makePresence(), gone, bare]) }).nodes, {
    targeted: 2,
    accepted: 1,
    loaded: 0,
    refused: 0,
    waiting: 0,
    pending: 0,
    degraded: 0,
    disconnected: 1,
    noPlace: 1,
  });
});

test('every targeted node is accepted, refused, waiting or disconnected', () => {
  const [state] = states([makePresence()]);
  assert.ok(state);
  const words = [
    'Degraded',
    'Refused',
    'Stale',
    'Fetching',
    'Sent',
    'Pending',
    'Accepted',
    'Loaded',
  ] as const;
  const once = [
    ...words.map(word => ({ ...state, state: word })),
    { ...state, lastKnown: true },
    { ...state, state: 'NotTargeted', reason: 'Excluded' },
    { ...state, state: 'Sent', reason: 'Removing' },
  ] as const;
  for (const count of [1, 3]) {
    const all = countNodes(once.map(one => ({ state: one, count })));
    assert.equal(all.targeted, all.accepted + all.refused + all.waiting + all.disconnected);
    assert.deepEqual([all.accepted, all.loaded, all.waiting], [2 * count, count, 5 * count]);
    assert.deepEqual([all.pending, all.degraded, all.targeted], [count, count, 9 * count]);
    assert.deepEqual([all.disconnected, all.refused, all.noPlace], [count, count, 0]);
  }
});
