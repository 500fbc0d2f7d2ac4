/** docs/modules.md against the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parsePluginDocument } from '../src/model/plugin-document.ts';
import { isPem } from '../src/model/signature-key.ts';
import { findDemands } from '../src/model/signature-policy.ts';
import { parseSignaturePolicy } from '../src/model/signature-policy-document.ts';
import { SIGNATURE_BOUNDS } from '../src/module/signature/find-signatures.ts';
import { MAX_SUBJECTS } from '../src/module/signature/in-toto-statement.ts';
import { MAX_REFERRERS } from '../src/module/signature/referrers.ts';

const page = readFileSync(new URL('../docs/modules.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => parse(text) as object);
const policy = parseSignaturePolicy(
  examples.flatMap(one => ('signatures' in one ? [one.signatures] : []))[0],
  () => /-----BEGIN[\s\S]*KEY-----/.exec(page.replace(/^ +/gm, ''))?.[0] ?? '',
);

test('the documents are taken as they are written', () => {
  const documents = examples.filter(one => 'kind' in one);
  assert.ok(documents.length > 0);
  for (const document of documents) assert.ok(!Array.isArray(parsePluginDocument(document)));
});

test('the policy is taken as it is written, and does what its comments say', () => {
  assert.ok(!Array.isArray(policy), JSON.stringify(policy));
  const modes = (url: string) => {
    const found = findDemands(policy, { url });
    return typeof found === 'string' ? found : found.demands.map(({ mode }) => mode);
  };
  assert.deepEqual(modes('registry.example/team/experiments/x'), []);
  assert.deepEqual(modes('registry.example/team/auth:1.4'), ['require']);
  assert.deepEqual(modes('file:///srv/modules/auth.wasm'), []);
  assert.deepEqual(modes('elsewhere.example/auth'), ['warn']);
  assert.ok(policy.authorities[0]?.keys.every(({ pem }) => isPem(pem)));
});

test('the bounds are the ones that hold', () => {
  const [row = ''] = page.match(/^\| bounds .*$/m) ?? [];
  const { manifests, layers, layerBytes } = SIGNATURE_BOUNDS;
  const said = [...row.matchAll(/\d+/g)].map(([number]) => Number(number));
  assert.deepEqual(said, [MAX_REFERRERS, manifests, layers, layerBytes >> 20, MAX_SUBJECTS]);
});
