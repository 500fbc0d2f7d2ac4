import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceView } from '../../src/api/schema/resource-view.ts';
import { reportPlugin, reportRefusals, reportResource, reportSettled } from '../../src/cli/apply-report.ts';
import { AT, pluginView, REFUSAL } from './views.ts';

test('a plugin that is accepted: module, checks, targets, and how to watch', () => {
  const { lines, code } = reportPlugin('created', pluginView(), ['1.39', '1.40']);
  assert.deepEqual(lines, [
    'plugin default/auth created, revision 1',
    '  module   oci://127.0.0.1:18002/auth:1.4 → sha256 9f2c4be01d77, 254 KB',
    '  checked  ABI 0.2.1, 27 imports known to Envoy 1.39 and 1.40',
    '  targets  1 node (namespace default, no selector)',
    'watch: attache describe plugin auth',
  ]);
  assert.equal(code, 0);
});

test('targets name the selector and how many are connected', () => {
  const nodes = { targeted: 300, accepted: 0, refused: 0, waiting: 299, disconnected: 1, noPlace: 0 };
  const spec = { url: 'oci://r/a:1', selector: { matchLabels: { role: 'edge' } } };
  const { lines } = reportPlugin('configured', pluginView({ nodes }, spec), []);
  assert.ok(lines.includes('  targets  300 nodes, 299 connected (namespace default, role=edge)'));
  assert.ok(lines.includes('  checked  ABI 0.2.1, 27 imports'));
});

test('a plugin without a node says when it will reach one', () => {
  const nodes = { targeted: 0, accepted: 0, refused: 0, waiting: 0, disconnected: 0, noPlace: 0 };
  const { lines, code } = reportPlugin('created', pluginView({ nodes }), []);
  assert.match(lines[0] ?? '', /reaches the first node of namespace default/);
  assert.equal(code, 0);
});

test('a module that is refused before any node: the reason, the next step, exit 1', () => {
  const status = {
    phase: 'NotStarted',
    code: 'unknown-tag',
    message: 'no tag 9.9',
    hint: 'Push it.',
    desiredRevision: null,
  } as const;
  const { lines, code } = reportPlugin('configured', pluginView(status), []);
  assert.match(lines[0] ?? '', /cannot start: no tag 9\.9/);
  assert.equal(lines[1], '  Push it.');
  assert.match(lines[2] ?? '', /revision 1 stays .*docs\/errors\.md#unknown-tag/);
  assert.equal(code, 1);
});

test('a module that is still being fetched: exit 6', () => {
  const status = { phase: 'Validating', desiredRevision: null, message: 'r.example: timed out' } as const;
  const { lines, code } = reportPlugin('created', pluginView(status), []);
  assert.match(lines.join('\n'), /revision pending/);
  assert.match(lines.join('\n'), /r\.example: timed out/);
  assert.equal(code, 6);
});

test('a document that was refused before is held back: exit 4', () => {
  const status = { phase: 'RolledBack', refusal: REFUSAL, desiredRevision: 2 } as const;
  const { lines, code } = reportPlugin('unchanged', pluginView(status), []);
  assert.match(lines[0] ?? '', /revision 2 was refused at 12:00 UTC by demo-1 and is held back/);
  assert.match(lines.join('\n'), /the nodes run revision 1/);
  assert.equal(code, 4);
});

test('--wait: succeeded, rolled back, not done in time', () => {
  const good = reportSettled(pluginView(), '1.2 s');
  assert.deepEqual(good, { lines: ['Succeeded in 1.2 s: 1 of 1 node runs revision 1'], code: 0 });
  const back = reportSettled(pluginView({ phase: 'RolledBack', refusal: REFUSAL }), '0.4 s');
  assert.match(back.lines[0] ?? '', /refused by demo-1: "Unable to create/);
  assert.match(back.lines[1] ?? '', /wasm log default\/auth/);
  assert.equal(back.code, 4);
  assert.equal(reportSettled(pluginView({ phase: 'Progressing', settled: false }), '600.0 s').code, 6);
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
