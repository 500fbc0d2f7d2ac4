import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isEverything,
  isNameInScope,
  isNodeInScope,
  isPluginPrefix,
  isReachInScope,
  toScopeText,
} from '../../src/model/scope.ts';

const ROOT = 'istio-system';
const edge = { id: 'edge-1', namespace: 'edge', labels: { tier: 'edge', zone: 'a' } };

test('a plugin prefix names a whole namespace at least', () => {
  const good = ['edge/', 'edge/auth', 'a/', 'istio-system/x.y-z'];
  const bad = ['', 'edge', '/', '/auth', 'edge/auth/more', 'Edge/', 'edge/*', '-edge/', 'edge/ a', 'edge.x/'];
  assert.deepEqual(good.filter(isPluginPrefix), good);
  assert.deepEqual(bad.filter(isPluginPrefix), []);
});

test('a name is in scope by its beginning', () => {
  assert.equal(isNameInScope({ plugins: 'edge/' }, 'edge/auth'), true);
  assert.equal(isNameInScope({ plugins: 'edge/auth' }, 'edge/auth-v2'), true);
  assert.equal(isNameInScope({ plugins: 'edge/' }, 'edge-2/auth'), false);
  assert.equal(isNameInScope({ plugins: 'edge/auth' }, 'edge/au'), false);
  assert.equal(isNameInScope({}, 'core/auth'), true);
});

test('a selector is in scope where it asks for every label of the scope, whatever nodes there are', () => {
  const scope = { nodes: { tier: 'edge', zone: 'a' } };
  const reach = (matchLabels?: Record<string, string>) =>
    isReachInScope(scope, matchLabels === undefined ? {} : { selector: { matchLabels } });
  assert.equal(reach({ tier: 'edge', zone: 'a' }), true);
  assert.equal(reach({ tier: 'edge', zone: 'a', role: 'x' }), true);
  assert.equal(reach({ tier: 'edge' }), false);
  assert.equal(reach({ tier: 'edge', zone: 'b' }), false);
  assert.equal(reach(), false);
  assert.equal(isReachInScope({ nodes: { constructor: 'x' } }, { selector: { matchLabels: {} } }), false);
  assert.equal(isReachInScope({ plugins: 'edge/' }, {}), true);
});

test('a node is in scope where plugins of the scope can be on it', () => {
  assert.equal(isNodeInScope({ nodes: { tier: 'edge' } }, edge, ROOT), true);
  assert.equal(isNodeInScope({ nodes: { tier: 'core' } }, edge, ROOT), false);
  assert.equal(isNodeInScope({ plugins: 'edge/auth' }, edge, ROOT), true);
  assert.equal(isNodeInScope({ plugins: 'core/' }, edge, ROOT), false);
  assert.equal(isNodeInScope({ plugins: `${ROOT}/` }, edge, ROOT), true);
  assert.equal(isNodeInScope({ plugins: 'edge/', nodes: { tier: 'core' } }, edge, ROOT), false);
});

test('a scope reads as it was given', () => {
  assert.equal(isEverything({}), true);
  assert.equal(isEverything({ plugins: 'edge/' }), false);
  assert.equal(toScopeText({}), 'everything');
  assert.equal(
    toScopeText({ plugins: 'edge/', nodes: { tier: 'edge', zone: 'a' } }),
    'plugins edge/…, nodes with tier=edge,zone=a',
  );
});
