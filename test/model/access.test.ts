import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDenial, type Grant, ROLES, type Role, type Subject } from '../../src/model/access.ts';

const ROOT = 'istio-system';
const edgeOnly = { selector: { matchLabels: { tier: 'edge' } } };
const node = { id: 'edge-1', namespace: 'edge', labels: { tier: 'edge' } };

/** Who has each of these scopes may touch the subject: everything, plugins, nodes, both. */
const CASES: readonly (readonly [string, Subject, readonly boolean[]])[] = [
  ['the server', { kind: 'server' }, [true, true, true, true]],
  ['a list', { kind: 'listed' }, [true, true, true, true]],
  ['the fleet', { kind: 'fleet' }, [true, false, false, false]],
  ['a plugin of edge nodes', plugin('edge/auth', edgeOnly), [true, true, true, true]],
  ['a plugin of all nodes', plugin('edge/auth', {}), [true, true, false, false]],
  ['a plugin that comes from all nodes', plugin('edge/auth', edgeOnly, {}), [true, true, false, false]],
  ['another plugin', plugin('core/auth', edgeOnly), [true, false, true, false]],
  ['a resource of edge nodes', resource(edgeOnly), [true, false, true, false]],
  ['a resource of all nodes', resource({}), [true, false, false, false]],
  ['a node', { kind: 'node', node }, [true, true, true, true]],
  ['all of a node', { kind: 'whole-node', node }, [true, false, true, false]],
  [
    'another node',
    { kind: 'node', node: { ...node, namespace: 'core', labels: {} } },
    [true, false, false, false],
  ],
  ['a pull secret', { kind: 'pullsecret', namespace: 'edge', name: 'r' }, [true, true, false, false]],
  [
    'a pull secret elsewhere',
    { kind: 'pullsecret', namespace: 'core', name: 'r' },
    [true, false, false, false],
  ],
  ['a repository', { kind: 'repository', name: 'edge/auth' }, [true, true, false, false]],
  ['another repository', { kind: 'repository', name: 'auth' }, [true, false, false, false]],
];
const SCOPES = [
  {},
  { plugins: 'edge/' },
  { nodes: { tier: 'edge' } },
  { plugins: 'edge/', nodes: { tier: 'edge' } },
] as const;

function plugin(name: string, ...reaches: Extract<Subject, { kind: 'plugin' }>['reaches']): Subject {
  return { kind: 'plugin', name, reaches };
}

function resource(reach: object): Subject {
  return { kind: 'resource', name: 'listeners/edge/ingress', reaches: [reach] };
}

for (const [what, subject, expected] of CASES)
  test(`scopes and ${what}`, () => {
    const allowed = SCOPES.map(
      scope => findDenial({ role: 'admin', scope }, 'viewer', subject, ROOT) === undefined,
    );
    assert.deepEqual(allowed, expected);
  });

test('a role may do what those before it may, and no more', () => {
  const may = (role: Role, needs: Role): boolean =>
    findDenial({ role, scope: {} }, needs, { kind: 'fleet' }, ROOT) === undefined;
  assert.deepEqual(
    ROLES.map(role => ROLES.filter(needs => may(role, needs))),
    [ROLES.slice(0, 1), ROLES.slice(0, 2), ROLES.slice(0, 3), [...ROLES]],
  );
});

test('a denial names the role that is needed, or what lies outside', () => {
  const viewer: Grant = { role: 'viewer', scope: { plugins: 'edge/', nodes: { tier: 'edge' } } };
  assert.deepEqual(findDenial(viewer, 'deployer', plugin('core/auth'), ROOT), {
    by: 'role',
    needs: 'deployer',
  });
  const outside = findDenial(viewer, 'viewer', plugin('core/auth'), ROOT);
  assert.equal(outside?.by, 'scope');
  assert.match(outside?.by === 'scope' ? outside.text : '', /core\/auth .*plugins edge\/….*tier=edge/);
  const far = findDenial(viewer, 'viewer', plugin('edge/auth', {}), ROOT);
  assert.match(far?.by === 'scope' ? far.text : '', /tier=edge: its selector/);
});

test('a prefix of a part of a namespace gives no pull secret of it', () => {
  const scope = { plugins: 'edge/auth' };
  const denied = findDenial({ role: 'deployer', scope }, 'deployer', CASES[12]?.[1] ?? assert.fail(), ROOT);
  assert.equal(denied?.by, 'scope');
});
