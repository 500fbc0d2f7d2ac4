import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceOnNode } from '../../src/api/schema/node-view.ts';
import { describeNodeDiff, diffNode } from '../../src/cli/node-diff.ts';
import { nodeView, onNode } from './views.ts';

const resource = (over: Partial<ResourceOnNode>): ResourceOnNode => ({
  type: 'listeners',
  name: 'ingress',
  state: 'Accepted',
  wantedVersion: 'aaaaaaaaaaaaaaaa',
  sentVersion: 'aaaaaaaaaaaaaaaa',
  ackedVersion: 'aaaaaaaaaaaaaaaa',
  refusedVersion: null,
  message: null,
  since: null,
  ...over,
});
const of = (...resources: ResourceOnNode[]) => diffNode(nodeView({ resources }));
const lines = (...resources: ResourceOnNode[]) => describeNodeDiff(of(...resources));

test('a node that has what it should has no differences; what nobody on it asks for is none', () => {
  const unused = resource({ type: 'endpoints', name: 'a', state: 'NotAsked', ackedVersion: null });
  assert.equal(of(resource({}), unused).differs, false);
  assert.deepEqual(lines(resource({}), unused), [
    'demo-1: 1 resource as it should be, 1 not asked for; no differences',
  ]);
});

test('each difference says what the node is to have and what it has', () => {
  const none = { ackedVersion: null };
  const [sent, missing, older, extra, going, refused, rest] = lines(
    resource({ state: 'Sent', ackedVersion: 'bbbb' }),
    resource({ state: 'Pending', ...none }),
    resource({ state: 'Pending', ackedVersion: 'bbbb' }),
    resource({ state: 'Pending', wantedVersion: null, ackedVersion: 'bbbb' }),
    resource({ state: 'Sent', wantedVersion: null, ackedVersion: 'bbbb' }),
    resource({ state: 'Refused', type: 'extensions', name: 'attache.authn', message: 'no\n such', ...none }),
  );
  assert.equal(sent, '~ listener ingress: aaaaaaaaaaaa is on its way; it has bbbb');
  assert.equal(missing, '+ listener ingress: missing: is to have aaaaaaaaaaaa');
  assert.equal(older, '~ listener ingress: is to have aaaaaaaaaaaa; it has bbbb');
  assert.equal(extra, '- listener ingress: is to go; it has bbbb');
  assert.equal(going, '~ listener ingress: its removal is on its way');
  assert.equal(refused, '! place attache.authn: refused "no such"; it has none');
  assert.equal(rest, 'demo-1: 0 resources as it should be');
});

test('a plugin that went back after a refusal is a difference, with Envoy’s text', () => {
  const plugins = [onNode({ revision: 1, desiredRevision: 1, refusedRevision: 2, message: 'bad config' })];
  const diff = diffNode(nodeView({ plugins, resources: [resource({})] }));
  assert.equal(diff.differs, true);
  assert.match(
    describeNodeDiff(diff)[0] ?? '',
    /^! plugin default\/auth: is to run 1, runs 1 .*refused revision 2: "bad config"$/,
  );
});

test('of a node that is not connected nothing is known, and that is a difference', () => {
  const unknown = resource({ state: 'Unknown', ackedVersion: 'bbbb' });
  const diff = diffNode(nodeView({ state: 'Disconnected', plugins: [], resources: [unknown] }));
  assert.equal(diff.differs, true);
  assert.deepEqual(describeNodeDiff(diff), [
    'demo-1 is not connected: nothing is known of what it has now',
    '  listener ingress: is to have aaaaaaaaaaaa; had bbbb as known last',
  ]);
});
