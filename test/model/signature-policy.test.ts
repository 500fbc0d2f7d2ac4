import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDemands, type SignatureDemands, toSourceName } from '../../src/model/signature-policy.ts';
import { parseSignaturePolicy } from '../../src/model/signature-policy-document.ts';
import { makeSigner } from '../module/signature/signing.ts';

const [release, second, own] = [makeSigner('p256'), makeSigner('ed25519'), makeSigner('p384')];
const noFiles = (): string => assert.fail('no file is to be read');

function parse(document: unknown, readFile: (path: string) => string = noFiles) {
  return parseSignaturePolicy(document, readFile);
}

function policyOf(document: unknown) {
  const policy = parse(document);
  assert.ok(!Array.isArray(policy), JSON.stringify(policy));
  return policy;
}

const policy = policyOf({
  authorities: [{ name: 'release', kind: 'key', keys: [release.pem, second.pem] }],
  rules: [
    { pattern: 'Registry.Example:443/team/experiments/**', mode: 'off' },
    { pattern: 'oci://registry.example/team/**', mode: 'require', authorities: ['release'] },
    { pattern: 'docker.io/library/*', mode: 'warn', keys: [second.pem] },
    { pattern: 'file://**', mode: 'require', authorities: ['release'] },
    { pattern: 'https://**', mode: 'require', authorities: ['release'] },
  ],
});

function demandsOf(url: string, verificationKey?: string): SignatureDemands {
  const found = findDemands(policy, { url, verificationKey });
  assert.ok(typeof found !== 'string', String(found));
  return found;
}

const modesOf = (url: string) => demandsOf(url).demands.map(({ mode }) => mode);

test('the first rule that matches holds, whatever tag or digest, and none asks for nothing', () => {
  assert.deepEqual(modesOf('oci://registry.example/team/a:1'), ['require']);
  assert.deepEqual(modesOf(`registry.example/team/a@sha256:${'a'.repeat(64)}`), ['require']);
  assert.deepEqual(modesOf('registry.example/team/experiments/a'), []);
  assert.deepEqual(modesOf('registry.example/other/a'), []);
  assert.equal(demandsOf('registry.example/other/a').hash, '');
  assert.deepEqual(modesOf('nginx'), ['warn']);
});

test('no other way of writing a source leads around a rule', () => {
  const ways: readonly (readonly [string, string])[] = [
    ['REGISTRY.Example/team/a', 'registry.example/team/a'],
    ['registry.example:443/team/a', 'registry.example/team/a'],
    ['registry.example:00443/team/a', 'registry.example/team/a'],
    ['registry.example:80/team/a', 'registry.example/team/a'],
    ['127.0.0.1:05000/a', '127.0.0.1:5000/a'],
    ['0x7f.1:5000/a', '127.0.0.1:5000/a'],
    ['[0:0:0:0:0:0:0:1]:5000/a', '[::1]:5000/a'],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx'],
    ['registry-1.docker.io/library/nginx', 'docker.io/library/nginx'],
    ['library/nginx', 'docker.io/library/nginx'],
    ['nginx:1', 'docker.io/library/nginx'],
    ['file:///a/../b//./c', 'file:///b/c'],
    ['https://H.example:443/a/../b', 'https://h.example/b'],
  ];
  for (const [url, name] of ways) assert.equal(toSourceName(url), name, url);
});

test("verificationKey asks besides the policy: a plugin's own key never replaces what the server asks for", () => {
  const both = demandsOf('registry.example/team/a', own.pem);
  assert.deepEqual(
    both.demands.map(({ mode, keys }) => [mode, keys.length]),
    [
      ['require', 2],
      ['require', 1],
    ],
  );
  const named = demandsOf('elsewhere.example/a', 'release');
  assert.deepEqual(
    named.demands[0]?.keys.map(({ authority }) => authority),
    ['release', 'release'],
  );
  assert.equal(typeof findDemands(policy, { url: 'r.example/a', verificationKey: 'nobody' }), 'string');
});

test('the hash changes with mode and keys, and not with the order of keys or the spelling of the rule', () => {
  const one = (mode: string, keys: readonly string[], pattern = 'r.example/a') => {
    const found = findDemands(policyOf({ rules: [{ pattern, mode, keys }] }), { url: 'r.example/a' });
    assert.ok(typeof found !== 'string');
    return found.hash;
  };
  const base = one('require', [release.pem, second.pem]);
  assert.equal(one('require', [second.pem, release.pem], 'r.example/*'), base);
  const others = [
    one('warn', [release.pem, second.pem]),
    one('require', [release.pem]),
    one('off', [release.pem]),
  ];
  assert.equal(new Set([base, ...others]).size, 4);
});

const key = release.pem;
const rule = (over: object) => ({
  rules: [{ pattern: 'r.example/a', mode: 'require', keys: [key], ...over }],
});
const authority = (over: object) => ({ authorities: [{ name: 'release', keys: [key], ...over }] });
const WRONG: readonly (readonly [string, unknown, string])[] = [
  ['no map', [], 'wrong-type '],
  ['an unknown field', { policies: [] }, 'unknown-field /policies'],
  ['no name', authority({ name: undefined }), 'missing-field /authorities/0/name'],
  ['a bad name', authority({ name: 'Release!' }), 'out-of-bounds /authorities/0/name'],
  ['keyless', authority({ kind: 'keyless', keys: undefined }), 'not-supported /authorities/0/kind'],
  ['another kind', authority({ kind: 'notation' }), 'out-of-bounds /authorities/0/kind'],
  ['no keys', authority({ keys: undefined }), 'missing-field /authorities/0/keys'],
  ['an empty list of keys', authority({ keys: [] }), 'out-of-bounds /authorities/0/keys'],
  ['a broken key', authority({ keys: ['-----BEGIN'] }), 'out-of-bounds /authorities/0/keys/0'],
  ['no pattern', rule({ pattern: undefined }), 'missing-field /rules/0/pattern'],
  ['no mode', rule({ mode: undefined }), 'missing-field /rules/0/mode'],
  ['a bad mode', rule({ mode: 'enforce' }), 'out-of-bounds /rules/0/mode'],
  ['a pattern without a host', rule({ pattern: 'team/*' }), 'out-of-bounds /rules/0/pattern'],
  ['a host alone', rule({ pattern: 'r.example' }), 'out-of-bounds /rules/0/pattern'],
  ['a pattern with a tag', rule({ pattern: 'r.example/a:1' }), 'out-of-bounds /rules/0/pattern'],
  ['capitals that match nothing', rule({ pattern: 'r.example/Team/*' }), 'out-of-bounds /rules/0/pattern'],
  ['nobody to sign', rule({ keys: undefined }), 'missing-field /rules/0/authorities'],
  ['no authorities', rule({ keys: undefined, authorities: [] }), 'out-of-bounds /rules/0/authorities'],
  ['an unknown authority', rule({ authorities: ['nobody'] }), 'out-of-bounds /rules/0/authorities/0'],
];

for (const [name, document, fault] of WRONG)
  test(`refused: ${name}`, () => {
    const faults = parse(JSON.parse(JSON.stringify(document)));
    assert.ok(Array.isArray(faults));
    assert.deepEqual(
      faults.map(one => `${one.code} ${one.pointer}`),
      [fault],
    );
  });

test('two authorities of one name are refused, and all faults are told together', () => {
  const twice = { authorities: [...authority({}).authorities, ...authority({}).authorities], rules: [{}] };
  const faults = parse(twice);
  assert.ok(Array.isArray(faults));
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['contradiction', 'missing-field', 'missing-field', 'missing-field'],
  );
});

test('a key may be a file; one that cannot be read is a fault that names it', () => {
  const document = authority({ keys: ['/keys/release.pub'] });
  const read = parse(document, path => (path === '/keys/release.pub' ? key : assert.fail(path)));
  assert.ok(!Array.isArray(read));
  assert.equal(read.authorities[0]?.keys[0]?.fingerprint, release.named.key.fingerprint);
  const faults = parse(document, () => {
    throw new Error('ENOENT: /keys/release.pub');
  });
  assert.ok(Array.isArray(faults));
  assert.match(faults[0]?.message ?? '', /\/keys\/release\.pub/);
});
