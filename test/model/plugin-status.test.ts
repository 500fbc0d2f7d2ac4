import assert from 'node:assert/strict';
import { test } from 'node:test';
import { derivePluginState } from '../../src/model/plugin-state.ts';
import { derivePluginStatus, type PluginStatus } from '../../src/model/plugin-status.ts';
import type { ModuleProgress } from '../../src/model/revision.ts';
import { makeAssignment, makePresence, makeRefused, makeSpec, makeVerdict, NOW, PLUGIN } from './records.ts';

const ready: ModuleProgress = {
  plugin: PLUGIN,
  specRevision: 7,
  state: 'ready',
  revision: 2,
  since: NOW - 9_000,
};

function derive(
  progress: ModuleProgress | undefined,
  assignment: ReturnType<typeof makeAssignment> | undefined,
  verdict?: ReturnType<typeof makeVerdict>,
  presences = [makePresence()],
): PluginStatus {
  const states = presences.map(presence =>
    derivePluginState({
      spec: makeSpec(),
      presence,
      verdicts: verdict === undefined ? [] : [verdict],
      assignment,
      rootNamespace: 'istio-system',
      now: NOW,
    }),
  );
  return derivePluginStatus({ specRevision: 7, createdAt: 1, progress, assignment, states });
}

test('a new document is Validating until the module stage has spoken about this very document', () => {
  assert.equal(derive(undefined, undefined).phase, 'Validating');
  const older = derive({ ...ready, specRevision: 6 }, makeAssignment(), makeVerdict(2, 2));
  assert.deepEqual([older.phase, older.settled, older.desiredRevision], ['Validating', false, null]);
});

test('a registry that does not answer is Validating with its code; a wrong digest is NotStarted', () => {
  const retrying = derive(
    { ...ready, state: 'retrying', code: 'unreachable', message: 'm', hint: 'h' },
    undefined,
  );
  assert.deepEqual(
    [retrying.phase, retrying.reason, retrying.code, retrying.message, retrying.hint, retrying.settled],
    ['Validating', 'ModuleUnavailable', 'unreachable', 'm', 'h', false],
  );
  const failed = derive(
    { ...ready, state: 'failed', code: 'digest-mismatch' },
    makeAssignment({ revision: 1 }),
  );
  assert.deepEqual([failed.phase, failed.settled, failed.currentRevision], ['NotStarted', true, 1]);
});

test('it is Progressing until every connected node has it, then Succeeded', () => {
  assert.equal(derive(ready, makeAssignment({ revision: 1 })).phase, 'Progressing');
  const sent = derive(ready, makeAssignment(), makeVerdict(2, 1, { state: 'sent' }));
  assert.deepEqual([sent.phase, sent.settled, sent.nodes.waiting], ['Progressing', false, 1]);
  const done = derive(ready, makeAssignment(), makeVerdict(2, 2));
  assert.deepEqual(
    [done.phase, done.settled, done.nodes.accepted, done.nodes.targeted],
    ['Succeeded', true, 1, 1],
  );
});

test('a node without a place and a gone node hold nothing up and do not count as accepted', () => {
  const gone = makePresence({ connected: false }, { id: 'gone' });
  const bare = makePresence({ slots: [] }, { id: 'bare' });
  const status = derive(ready, makeAssignment(), makeVerdict(2, 2), [makePresence(), gone, bare]);
  assert.equal(status.phase, 'Succeeded');
  assert.deepEqual(status.nodes, {
    targeted: 2,
    accepted: 1,
    refused: 0,
    waiting: 0,
    disconnected: 1,
    noPlace: 1,
  });
});

test('without any node it has Succeeded, with the reason NoNodes', () => {
  const status = derive(ready, makeAssignment(), undefined, []);
  assert.deepEqual([status.phase, status.reason, status.settled], ['Succeeded', 'NoNodes', true]);
});

test('refused by a node it is RolledBack, settled once the nodes are back', () => {
  const refused = { revision: 2, node: 'edge-1', message: 'Unable', at: NOW - 1_000 };
  const assignment = makeAssignment({ revision: 1, refused });
  const going = derive(ready, assignment, makeVerdict(2, 2));
  assert.deepEqual([going.phase, going.settled], ['RolledBack', false]);
  const back = derive(ready, assignment, makeVerdict(1, 1, { refused: makeRefused(2, true) }));
  assert.deepEqual([back.phase, back.settled, back.currentRevision], ['RolledBack', true, 1]);
  assert.match(back.message ?? '', /revision 2 was refused by edge-1: "Unable"/);
});

test('a first revision that is refused is RolledBack to none', () => {
  const refused = { revision: 2, node: 'edge-1', message: 'Unable', at: NOW };
  const assignment = makeAssignment({ revision: null, good: null, refused });
  const status = derive(ready, assignment, makeVerdict(null, null, { refused: makeRefused(2, true) }));
  assert.deepEqual([status.phase, status.settled, status.currentRevision], ['RolledBack', true, null]);
});

test('an older refusal does not hold back the revision after it', () => {
  const refused = { revision: 1, node: 'edge-1', message: 'Unable', at: 1 };
  assert.equal(derive(ready, makeAssignment({ refused }), makeVerdict(2, 2)).phase, 'Succeeded');
});
