import assert from 'node:assert/strict';
import { test } from 'node:test';
import { locateRefusal } from '../../src/cli/locate-refusal.ts';
import { parseDocuments } from '../../src/cli/read-documents.ts';

const [source] = parseDocuments(
  'kind: WasmPlugin\nspec:\n  url: oci://r/auth:1.4\n  pluginConfig: {realm: 5, a/b: 1}\n',
  'auth.yaml',
  [],
);

function locate(message: string | null, code: string | null = 'trial-refused'): string | undefined {
  assert.ok(source !== undefined);
  return locateRefusal({ source, body: source.value }, { code, message });
}

test('C-A4: the field that the log line of the plugin begins with is found in the file', () => {
  const refused = 'the plugin refuses this configuration';
  assert.equal(
    locate(`${refused}: "realm: expected a string, got number"`),
    'auth.yaml:4:18: spec.pluginConfig.realm',
  );
  assert.equal(locate(`${refused}: "auth: in a/b: no such thing"`), 'auth.yaml:4:3: spec.pluginConfig');
  assert.equal(locate(`${refused}: "field a/b: no such thing"`), 'auth.yaml:4:28: spec.pluginConfig.a/b');
});

test('where no field is named it is the whole configuration', () => {
  for (const message of ['the plugin refuses this configuration', '"toString: no"', 'realm: 5', null])
    assert.equal(locate(message), 'auth.yaml:4:3: spec.pluginConfig');
});

test('what is not about the configuration has no place', () => {
  for (const code of [null, 'unknown-tag', 'trial-not-run'])
    assert.equal(locate('"realm: no"', code), undefined);
});
