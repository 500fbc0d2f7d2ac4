import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { FleetIndex } from '../../src/rollout/fleet-index.ts';
import { verdictKey } from '../../src/store/record-kinds.ts';
import { makePresence, makeVerdict, PLACE, PLUGIN } from './records.ts';

const HOUR_MS = 3_600_000;

test('after a kill every node that was connected is expected back', () => {
  const index = new FleetIndex();
  index.setPresence('there', makePresence('there', { since: 1, lastAckAt: 5 * HOUR_MS }));
  index.setPresence('gone', makePresence('gone', { connected: false, since: HOUR_MS }));
  index.expectConnected();
  assert.equal(index.nodes.get('there')?.expected, true);
  assert.equal(index.nodes.get('gone')?.expected, false);
});

test('after a stop, which all nodes saw, those that went with it are expected back', () => {
  const index = new FleetIndex();
  index.setPresence('a', makePresence('a', { connected: false, since: 9 * HOUR_MS }));
  index.setPresence('b', makePresence('b', { connected: false, since: 9 * HOUR_MS - 20 }));
  index.setPresence('gone', makePresence('gone', { connected: false, since: HOUR_MS }));
  index.expectConnected();
  assert.deepEqual(
    [...index.nodes].filter(([, { expected }]) => expected).map(([id]) => id),
    ['a', 'b'],
  );
});

test('a node that is expected stays so while it comes back, and new ones are not', () => {
  const index = new FleetIndex();
  index.setPresence('a', makePresence('a'));
  index.expectConnected();
  index.setPresence('a', makePresence('a', { connected: false, since: 2 }));
  index.setPresence('new', makePresence('new'));
  assert.equal(index.nodes.get('a')?.expected, true);
  assert.equal(index.nodes.get('new')?.expected, false);
});

test('the time of an answer decides nothing', () => {
  const index = new FleetIndex();
  assert.equal(index.setPresence('a', makePresence('a')), true);
  assert.equal(index.setPresence('a', makePresence('a', { lastAckAt: 7 })), false);
  assert.equal(index.setPresence('a', makePresence('a', { slots: [] })), true);
  assert.equal(index.setPresence('a', undefined), true);
});

test('what a node said is about the plugins that it names, before and after', () => {
  const index = new FleetIndex();
  const key = verdictKey('a', PLACE);
  const concerned = (verdict?: NodeVerdict): readonly string[] => {
    const plugins = new Set<string>();
    index.setVerdict(key, verdict, plugins);
    return [...plugins];
  };
  assert.deepEqual(concerned(makeVerdict({ node: 'a', accepted: 1 })), [PLUGIN]);
  index.setPresence('a', makePresence('a'));
  assert.equal(index.nodes.get('a')?.verdicts.length, 1);
  assert.deepEqual(concerned(makeVerdict({ node: 'a', accepted: null })), [PLUGIN]);
  assert.deepEqual(concerned(makeVerdict({ node: 'a', accepted: null })), []);
  concerned(undefined);
  assert.deepEqual(index.nodes.get('a')?.verdicts, []);
});

test('what a node said stands while the node is not known, and goes when it is taken back', () => {
  const index = new FleetIndex();
  const said = makeVerdict({ node: 'a', accepted: 1 });
  index.setPresence('a', makePresence('a'));
  index.setVerdict(verdictKey('a', PLACE), said, new Set());
  index.setPresence('a', undefined);
  index.setPresence('a', makePresence('a'));
  assert.deepEqual(index.nodes.get('a')?.verdicts, [said]);
  index.setPresence('a', undefined);
  index.setVerdict(verdictKey('a', PLACE), undefined, new Set());
  index.setPresence('a', makePresence('a'));
  assert.deepEqual(index.nodes.get('a')?.verdicts, []);
});

test('the server side’s namespace stands over what a node says, whichever comes first, until it is lifted', () => {
  const index = new FleetIndex();
  const policy = { node: 'a', identity: { namespace: 'edge', labels: {}, claims: 'kept' as const } };
  assert.equal(index.setPolicy('a', policy), false, 'nobody is known yet');
  index.setPresence('a', makePresence('a'));
  assert.equal(index.nodes.get('a')?.presence.node.namespace, 'edge');
  assert.equal(index.setPolicy('a', undefined), true);
  assert.equal(index.nodes.get('a')?.presence.node.namespace, 'default');
  assert.equal(index.setPolicy('a', policy), true);
  assert.equal(index.setPolicy('a', policy), false);
});
