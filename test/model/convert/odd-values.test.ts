import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertDocuments } from '../../../src/model/convert/convert-documents.ts';

/** An object that has no text: `String` of it throws. */
const textless: unknown = JSON.parse('{"toString": 1, "valueOf": 1}');

test('a value that has not even a text is no kind, type or name', () => {
  const filter = (typed: unknown, name: unknown = 'x') => ({
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'a' },
    spec: {
      configPatches: [
        { applyTo: 'HTTP_FILTER', patch: { operation: 'ADD', value: { name, typed_config: typed } } },
      ],
    },
  });
  for (const document of [
    { kind: textless, items: [] },
    filter({ '@type': textless }),
    filter({ '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct', type_url: textless }),
    filter({}, textless),
    filter({ type_url: textless, '@type': 'x' }),
    {
      apiVersion: 'extensions.istio.io/v1alpha1',
      kind: 'WasmPlugin',
      metadata: { name: 'a' },
      spec: { url: textless },
    },
  ]) {
    const [conversion] = convertDocuments([document]);
    assert.deepEqual(conversion?.plugins, [], JSON.stringify(document));
  }
});
