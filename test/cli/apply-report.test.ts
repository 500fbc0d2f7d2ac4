import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginView } from '../../src/api/schema/plugin-view.ts';
import type { ResourceView } from '../../src/api/schema/resource-view.ts';
import {
  type AppliedPlugin,
  reportPlugin,
  reportRefusals,
  reportResource,
  reportStored,
} from '../../src/cli/apply-report.ts';
import { at, bakingView, NOW } from './rollout-views.ts';
import { AT, nodeCounts, pluginView, revisionView } from './views.ts';

type Status = PluginView['status'];

const ROLLOUT: NonNullable<Status['rollout']> = {
  id: 'default.auth.1',
  phase: 'Progressing',
  active: true,
  plan: 'preset fast (default below 10 nodes): 1 node, then 1 min bake',
  by: 'admin',
};

function applied(status: Partial<Status> = {}, fields: Partial<AppliedPlugin> = {}): AppliedPlugin {
  return {
    result: 'created',
    view: pluginView(status),
    revision: revisionView(),
    envoyVersions: ['1.39', '1.40'],
    ...fields,
  };
}

test('C-A4: what it is, the digest, what was checked, how many nodes, how long, how to watch', () => {
  const { lines, code } = reportPlugin(applied({ phase: 'Progressing', rollout: ROLLOUT }), NOW);
  assert.deepEqual(lines, [
    'plugin default/auth created, revision 1',
    '  module   oci://127.0.0.1:18002/auth:1.4 → sha256 9f2c4be01d77, 254 KB',
    '  checked  ABI 0.2.1, 27 imports known to Envoy 1.39 and 1.40, configure ran: ok',
    '  targets  1 node (namespace default, no selector)',
    '  rollout  default.auth.1, preset fast (default below 10 nodes): 1 node, then 1 min bake',
    'watch: attache rollout status auth',
  ]);
  assert.equal(code, 0);
});

test('with --wait nobody need be told how to watch', () => {
  const { lines } = reportPlugin(applied({ phase: 'Progressing', rollout: ROLLOUT }), NOW, true);
  assert.match(lines.at(-1) ?? '', /^ {2}rollout/);
});

test('an unchanged document starts nothing, so there is nothing to watch', () => {
  const rollout = { ...ROLLOUT, phase: 'Succeeded', active: false } as const;
  const { lines, code } = reportPlugin(applied({ rollout }, { result: 'unchanged' }), NOW);
  assert.equal(lines[0], 'plugin default/auth unchanged, revision 1');
  assert.match(lines.at(-1) ?? '', /^ {2}targets/);
  assert.equal(code, 0);
});

test('the module is that of the revision that the document asks for', () => {
  const other = revisionView({ number: 2 });
  const revision = { ...other, module: { ...other.module, sha256: 'c3b2'.padEnd(64, '0') } };
  const { lines } = reportPlugin(applied({ desiredRevision: 2 }, { revision }), NOW);
  assert.match(lines[1] ?? '', /sha256 c3b200000000/);
});

test('targets name the selector and how many are connected', () => {
  const nodes = nodeCounts({ targeted: 300, accepted: 0, waiting: 299, disconnected: 1 });
  const spec = { url: 'oci://r/a:1', selector: { matchLabels: { role: 'edge' } } };
  const view = pluginView({ nodes }, spec);
  const { lines } = reportPlugin(applied({}, { view, envoyVersions: [] }), NOW);
  assert.ok(lines.includes('  targets  300 nodes, 299 connected (namespace default, role=edge)'));
  assert.ok(lines.includes('  checked  ABI 0.2.1, 27 imports, configure ran: ok'));
});

test('C-A6: a plugin without a node says when it will reach one', () => {
  const { lines, code } = reportPlugin(applied({ nodes: nodeCounts({ targeted: 0 }) }), NOW);
  assert.equal(
    lines[0],
    'plugin default/auth created, revision 1; it reaches the first node of namespace default when that connects',
  );
  assert.equal(code, 0);
});

test('C-B4: an apply that takes over from another says so', () => {
  const now = { ...ROLLOUT, id: 'default.auth.3' };
  const head = (before: Status['rollout']) =>
    reportPlugin(applied({ phase: 'Progressing', rollout: now }, { before }), NOW).lines[0];
  assert.equal(
    head({ ...ROLLOUT, phase: 'Validating' }),
    'plugin default/auth created, revision 1 (the waiting one is superseded)',
  );
  assert.equal(head(ROLLOUT), 'plugin default/auth created, revision 1 (default.auth.1 is superseded)');
  assert.equal(head({ ...ROLLOUT, active: false }), 'plugin default/auth created, revision 1');
  assert.equal(head(now), 'plugin default/auth created, revision 1');
});

test('C-A4: a configuration that the plugin refuses is told with the place in the file', () => {
  const status = { phase: 'NotStarted', code: 'trial-refused', message: 'refuses: "realm: 5"' } as const;
  const where = 'auth.yaml:7:18: spec.pluginConfig.realm';
  const { lines, code } = reportPlugin(applied(status, { result: 'configured', where }), NOW);
  assert.equal(lines[1], `  ${where}`);
  assert.equal(code, 1);
});

test('a module that is refused before any node: the reason, the next step, exit 1', () => {
  const status = {
    phase: 'NotStarted',
    code: 'unknown-tag',
    message: 'no tag 9.9',
    hint: 'Push it.',
    desiredRevision: null,
  } as const;
  const { lines, code } = reportPlugin(applied(status, { result: 'configured' }), NOW);
  assert.deepEqual(lines, [
    'plugin default/auth configured, but it cannot start: no tag 9.9',
    '  Push it.',
    '  no node was touched; revision 1 stays   (code unknown-tag, docs/errors.md#unknown-tag)',
  ]);
  assert.equal(code, 1);
});

test('C-B4: a registry that is down: since when it matters, until when it is tried, the ways out; exit 6', () => {
  const status = {
    phase: 'Validating',
    desiredRevision: null,
    currentRevision: 7,
    code: 'registry-unavailable',
    message: 'registry.example: connection timed out (3 tries)',
  } as const;
  const spec = { url: 'oci://registry.example/edge/auth:1.6.2' };
  const view = pluginView(status, spec);
  const rollout = bakingView({
    phase: 'Validating',
    asOf: at('03:31:00'),
    timer: { what: 'deadline', leftMs: 3_600_000, totalMs: 3_600_000, running: true },
  });
  const { lines, code } = reportPlugin(applied({}, { result: 'configured', view, rollout }), NOW);
  assert.deepEqual(lines, [
    'plugin default/auth configured, revision pending: no module yet',
    '  registry.example: connection timed out (3 tries). The fleet runs revision 7 and needs no registry.',
    '  Attaché keeps trying until 04:31, then gives up. No node is touched meanwhile.',
    '  have the file? attache push auth.wasm auth:1.6.2     stop: attache rollout abort auth',
    'watch: attache rollout status auth',
  ]);
  assert.equal(code, 6);
});

test('a first module that is still being fetched: no fleet, no deadline that is known', () => {
  const status = { phase: 'Validating', desiredRevision: null, currentRevision: null } as const;
  const { lines } = reportPlugin(
    applied({}, { view: pluginView(status, { url: 'https://h/x/auth.wasm' }) }),
    NOW,
  );
  assert.deepEqual(lines, [
    'plugin default/auth created, revision pending: no module yet',
    '  Attaché keeps trying. No node is touched meanwhile.',
    '  have the file? attache push auth.wasm auth:TAG     stop: attache rollout abort auth',
    'watch: attache rollout status auth',
  ]);
});

test('C-A7, C-B2: held back content: one sentence, and what lifts it; exit 4', () => {
  const heldBack = {
    revision: 2,
    text: `default/auth: revision 2 was undone by admin at ${at('03:01:40')} ("liked the old one") and is held back; 1 node runs revision 1`,
    next: [{ command: 'attache rollout retry auth', text: 'to roll it out again' }],
  };
  const expected = {
    lines: [
      'default/auth: revision 2 was undone by admin at 03:01:40 ("liked the old one") and is held back; 1 node runs revision 1',
      'to roll it out again: attache rollout retry auth',
    ],
    code: 4,
  };
  assert.deepEqual(reportPlugin(applied({ heldBack }, { result: 'held-back' }), NOW), expected);
  assert.deepEqual(reportPlugin(applied({ heldBack }, { result: 'configured' }), NOW), expected);
  const stored = reportStored(
    { ...pluginView({ heldBack }), result: 'held-back', warnings: [], dryRun: false },
    NOW,
  );
  assert.deepEqual(stored, expected);
});

test('--no-wait says what was stored', () => {
  assert.deepEqual(reportStored({ ...pluginView(), result: 'created', warnings: [], dryRun: false }, NOW), {
    lines: ['plugin default/auth created', 'watch: attache rollout status auth'],
    code: 0,
  });
});

const RESOURCE: ResourceView = {
  kind: 'EnvoyResource',
  apiVersion: 'attache/v1',
  metadata: { namespace: 'default', name: 'ingress', resourceVersion: '1', createdAt: AT },
  type: 'listeners',
  spec: { resource: {} },
  status: {
    typeUrl: 't',
    envoyName: 'ingress',
    nodes: { targeted: 3, refused: 0, disconnected: 0 },
    refusals: [],
  },
};

test('a raw resource goes to all nodes at once; refusals are quoted', () => {
  const sent = reportResource('listener', 'created', RESOURCE);
  assert.deepEqual(sent, { lines: ['listener default/ingress created: sent to 3 nodes at once'], code: 0 });
  const refusals = [{ node: 'a', message: 'no route', since: AT }];
  const refused = reportRefusals({ ...RESOURCE, status: { ...RESOURCE.status, refusals } });
  assert.deepEqual(refused, { lines: ['  refused by a: "no route"'], code: 4 });
  assert.equal(reportRefusals(RESOURCE).code, 0);
});
