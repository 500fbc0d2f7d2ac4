/** docs/modules.md against the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseDocument } from '../src/model/document.ts';
import { listInsecure, listMirrors, type RegistrySettings } from '../src/model/registry-settings.ts';
import { parseRegistrySettings } from '../src/model/registry-settings-document.ts';
import { isPem } from '../src/model/signature-key.ts';
import { findDemands } from '../src/model/signature-policy.ts';
import { parseSignaturePolicy } from '../src/model/signature-policy-document.ts';
import { TIME_LIMITS } from '../src/module/http-client.ts';
import { MAX_REDIRECTS } from '../src/module/redirect-policy.ts';
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
  for (const document of documents)
    assert.ok(!Array.isArray(parseDocument(document)), JSON.stringify(document));
});

test('registries are taken as they are written, and do what their comments say', () => {
  const [document] = examples.flatMap(one => ('registries' in one ? [one.registries] : []));
  const ca = readFileSync(new URL('fixtures/tls/loopback.pem', import.meta.url), 'utf8');
  const settings = parseRegistrySettings(document, () => ca) as RegistrySettings;
  assert.deepEqual(listInsecure(settings), ['mirror.internal:5000']);
  const of = (host: string, repository: string) => listMirrors(settings, { host, repository });
  assert.deepEqual(of('registry.example', 'team/auth'), ['mirror.internal:5000/team/auth']);
  assert.equal(of(['docker', 'io'].join('.'), 'library/x').length, 2);
});

test('the bounds of sources are the ones that hold', () => {
  const row = (name: string) => new RegExp(`^\\| ${name} .*$`, 'm').exec(page)?.[0] ?? '';
  assert.match(row('connecting'), new RegExp(`${TIME_LIMITS.connectMs / 1_000} s`));
  assert.match(row('first byte,'), new RegExp(`${TIME_LIMITS.firstByteMs / 1_000} s`));
  assert.match(row('manifest '), new RegExp(`${TIME_LIMITS.answerMs / 1_000} s`));
  assert.match(row('one request'), new RegExp(`${TIME_LIMITS.totalMs / 60_000} min`));
  assert.match(page, new RegExp(`does not answer within ${TIME_LIMITS.mirrorMs / 1_000} s`));
  assert.match(row('redirects'), new RegExp(`${MAX_REDIRECTS},`));
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
