import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDocuments } from '../../src/cli/apply-plan.ts';
import { toExampleListener } from '../../src/cli/example-listener.ts';
import { parseDocuments } from '../../src/cli/read-documents.ts';

function plan(text: string, namespace?: string) {
  return planDocuments(parseDocuments(text, 'f.yaml', []), namespace);
}

const plugin = (metadata: string) =>
  `apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: ${metadata}\nspec: {url: oci://r.example/a:1}\n`;

test('a plugin goes to its own namespace, else to -n, else to default', () => {
  const paths = [
    plan(plugin('{name: auth, namespace: edge}'), 'other'),
    plan(plugin('{name: auth}'), 'other'),
    plan(plugin('{name: auth}')),
  ].map(({ planned }) => planned[0]?.path);
  assert.deepEqual(paths, ['/v1/plugins/edge/auth', '/v1/plugins/other/auth', '/v1/plugins/default/auth']);
});

test('the body names the namespace that the path names', () => {
  const planned = plan(plugin('{name: auth}'), 'other').planned[0]!;
  assert.deepEqual((planned.body as { metadata: unknown }).metadata, { name: 'auth', namespace: 'other' });
});

test('the example listener is three resources', () => {
  const text = toExampleListener('ingress', { host: '127.0.0.1', port: 10000 }, { host: 'app', port: 80 });
  const { planned, faults } = plan(text);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    planned.map(one => one.path),
    [
      '/v1/resources/clusters/default/ingress_upstream',
      '/v1/resources/routes/default/ingress_routes',
      '/v1/resources/listeners/default/ingress',
    ],
  );
});

test('every fault of every document has its place, its words and its code', () => {
  const text = `${plugin('{name: auth}').replace('url:', 'urll:')}---\nkind: Deployment\n`;
  const { planned, faults } = plan(text);
  assert.deepEqual(planned, []);
  assert.ok(faults.some(fault => fault.line.startsWith('f.yaml:4:8: spec.urll: unknown field')));
  assert.ok(faults.some(fault => fault.line.startsWith('f.yaml:6:1: kind:')));
  assert.ok(faults.some(fault => fault.code === 'unknown-field'));
});
