/** What holds of every document; what each form becomes is in test/cli/convert.test.ts. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import type { Conversion } from '../../../src/model/convert/conversion.ts';
import { convertDocuments } from '../../../src/model/convert/convert-documents.ts';
import { parsePluginDocument } from '../../../src/model/plugin-document.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/convert/', import.meta.url));
const documents = globSync('*.yaml', { cwd: FIXTURES })
  .filter(name => !name.includes('.golden.'))
  .flatMap(name => [...parseAllDocuments(readFileSync(join(FIXTURES, name), 'utf8'))])
  .map(document => document.toJS() as unknown);

/** Whatever came in, what goes out is taken by apply, and nothing is lost without a word. */
function check(conversions: readonly Conversion[]): void {
  for (const { plugins, notes, title } of conversions) {
    for (const { document } of plugins) assert.ok(!Array.isArray(parsePluginDocument(document)), title);
    if (plugins.length === 0 && !title.startsWith('EnvoyFilter')) assert.notEqual(notes.length, 0, title);
    for (const { level, code, message } of notes) {
      assert.notEqual(message, '');
      assert.equal(code !== undefined, level === 'error', message);
    }
  }
}

/** A copy with one value replaced, which `at` chooses. */
function replaceOne(document: unknown, at: number, value: unknown): unknown {
  let left = at % countValues(document);
  const walk = (one: unknown): unknown => {
    if (left-- === 0) return value;
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(document);
}

function countValues(one: unknown): number {
  if (typeof one !== 'object' || one === null) return 1;
  return Object.values(one).reduce<number>((sum, inner) => sum + countValues(inner), 1);
}

const odd = fc.oneof(
  fc.anything({ maxDepth: 2 }),
  fc.constantFrom(null, '', 0, -1, 2 ** 40, 'constructor', '__proto__', [], {}, [null], 'a\n---\nb: 1'),
);

test('no document makes it throw', () => {
  const anyDocument = fc.oneof(
    odd,
    fc.record({
      apiVersion: fc.constantFrom(
        'networking.istio.io/v1alpha3',
        'extensions.istio.io/v1alpha1',
        'extensions.higress.io/v1alpha1',
        'wasme.io/v1',
        'v1',
      ),
      kind: fc.constantFrom('EnvoyFilter', 'WasmPlugin', 'FilterDeployment', 'List', 'Secret'),
      metadata: odd,
      spec: odd,
      items: fc.array(odd),
    }),
  );
  fc.assert(fc.property(fc.array(anyDocument, { maxLength: 4 }), all => check(convertDocuments(all))));
});

test('no value in a real document makes it throw', () => {
  const parts = fc.tuple(fc.nat(documents.length - 1), fc.nat(100_000), odd);
  fc.assert(
    fc.property(parts, parts, ([index, at, value], [, at2, value2]) => {
      const once = replaceOne(documents[index], at, value);
      check(convertDocuments([replaceOne(once, at2, value2)]));
    }),
    { numRuns: 1000 },
  );
});

test('no note holds a value of a configuration, of a variable or of credentials', () => {
  const secret = 'hunter2-hunter2';
  const vm = (configuration: unknown, variables: object) => ({
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm',
    config: {
      configuration,
      vm_config: {
        configuration,
        code: { remote: { http_uri: { uri: 'https://a.example/a.wasm' } } },
        environment_variables: { key_values: variables },
      },
    },
  });
  const filter = (configuration: unknown, variables: object) => ({
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'a' },
    spec: {
      configPatches: [
        {
          applyTo: 'HTTP_FILTER',
          patch: { operation: 'ADD', value: { name: 'a', typed_config: vm(configuration, variables) } },
        },
      ],
    },
  });
  const string = { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: secret };
  const conversions = convertDocuments([
    filter(secret, {}),
    filter(string, { TOKEN: secret, ISTIO_META_WASM_IMAGE_PULL_SECRET: secret }),
    filter({ token: secret, broken: Number.NaN }, { A: secret.repeat(300) }),
    filter({ '@type': secret, value: 1 }, { A: [secret] }),
    { kind: 'Secret', type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': secret } },
  ]);
  const notes = conversions.flatMap(one => one.notes);
  assert.ok(notes.length > 8);
  assert.equal(JSON.stringify(notes).includes(secret), false);
});

test('of two plugins with one name the later one gets another, and what is there already is left out', () => {
  const plugin = (url: string) => ({
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: 'auth' },
    spec: { url },
  });
  const found = convertDocuments([plugin('a'), plugin('b'), plugin('b'), plugin('c')]);
  assert.deepEqual(
    found.map(one => one.plugins.map(({ document }) => document.metadata.name)),
    [['auth'], ['auth-2'], [], ['auth-3']],
  );
  assert.deepEqual(
    found.map(one => one.notes.map(({ level }) => level)),
    [[], ['warning'], ['note'], ['warning']],
  );
});
