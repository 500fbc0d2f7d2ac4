import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import * as examples from '../../src/api/openapi/examples.ts';
import {
  EnvoyResourceDocument,
  PluginDocument,
  PullSecretDocument,
} from '../../src/api/schema/document-schemas.ts';
import { parseDocument } from '../../src/model/document.ts';
import { parsePluginDocument, SPEC_FIELDS } from '../../src/model/plugin-document.ts';

const [native, istio] = PluginDocument.anyOf;

test('the schema of a plugin has the fields that the parser takes, in both kinds', () => {
  for (const { properties } of [native, istio] as readonly {
    properties: Record<string, { properties?: object }>;
  }[])
    assert.deepEqual(Object.keys(properties.spec?.properties ?? {}).sort(), [...SPEC_FIELDS].sort());
});

test('what the schema says of a field the parser says, too', () => {
  const plugin = (spec: object) => ({ ...examples.PLUGIN, spec: { url: 'oci://r.example/a:1', ...spec } });
  const good = [
    { phase: 'AUTHN', priority: -(2 ** 31), failStrategy: 'FAIL_OPEN', type: 'HTTP' },
    { match: [{ mode: 'SERVER', ports: [{ number: 65535 }] }], imagePullPolicy: 'Always' },
    {
      vmConfig: {
        env: [
          { name: 'A', value: 'b' },
          { name: 'B', valueFrom: 'HOST' },
        ],
      },
    },
    { targetRefs: [{ kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'g' }] },
    { selector: { matchLabels: { a: 'b' } }, pluginConfig: {}, pluginName: 'root', imagePullSecret: 's' },
  ];
  const bad = [
    { phase: 'AUTH' },
    { priority: 2 ** 31 },
    { priority: 1.5 },
    { match: [{ ports: [{ number: 0 }] }] },
    { vmConfig: { env: [{ value: 'b' }] } },
    { vmConfig: { vars: [] } },
    { selector: { matchLabels: { a: 1 } } },
    { selector: { labels: {} } },
    { pluginConfig: 'text' },
    { pluginName: '' },
    { type: 'NETWORK' },
    { url: 5 },
    { colour: 'red' },
  ];
  const isTaken = (document: object) => !Array.isArray(parsePluginDocument(document));
  for (const [specs, wanted] of [
    [good, true],
    [bad, false],
  ] as const)
    for (const spec of specs) {
      const document = plugin(spec);
      assert.equal(isTaken(document), wanted, `parser: ${JSON.stringify(spec)}`);
      assert.equal(Value.Check(PluginDocument, document), wanted, `schema: ${JSON.stringify(spec)}`);
    }
});

test('the examples are documents, for parser and schema', () => {
  for (const [schema, example] of [
    [PluginDocument, examples.PLUGIN],
    [PluginDocument, examples.ISTIO_PLUGIN],
    [EnvoyResourceDocument, examples.RESOURCE],
    [PullSecretDocument, examples.PULL_SECRET],
  ] as const) {
    assert.ok(Value.Check(schema, example), example.kind);
    assert.ok(!Array.isArray(parseDocument(example)), example.kind);
  }
});
