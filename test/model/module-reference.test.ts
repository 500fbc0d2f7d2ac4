import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseModuleReference } from '../../src/model/module-reference.ts';

const HEX = 'a'.repeat(64);

test('OCI references: host, repository, tag and digest, with and without a scheme', () => {
  const cases: readonly [string, string, string, string | undefined, string | undefined][] = [
    ['oci://registry.example/auth:1.4', 'registry.example', 'auth', '1.4', undefined],
    ['registry.example/auth', 'registry.example', 'auth', 'latest', undefined],
    ['host:5000/a/b', 'host:5000', 'a/b', 'latest', undefined],
    ['localhost/a:1', 'localhost', 'a', '1', undefined],
    ['[::1]:5000/a:1', '[::1]:5000', 'a', '1', undefined],
    [`oci://h.example/a:1@sha256:${HEX}`, 'h.example', 'a', '1', `sha256:${HEX}`],
    [`oci://h.example/a@sha256:${HEX}`, 'h.example', 'a', undefined, `sha256:${HEX}`],
    ['team/auth:1', 'docker.io', 'team/auth', '1', undefined],
    ['auth', 'docker.io', 'library/auth', 'latest', undefined],
  ];
  for (const [url, host, repository, tag, digest] of cases)
    assert.deepEqual(parseModuleReference(url), { scheme: 'oci', host, repository, tag, digest }, url);
});

test('web and file references are kept as they are', () => {
  const url = 'https://h.example/a.wasm?x=1';
  assert.deepEqual(parseModuleReference(url), { scheme: 'https', url });
  assert.deepEqual(parseModuleReference('file:///m/a.wasm'), { scheme: 'file', path: '/m/a.wasm' });
});

test('what names no module is refused', () => {
  const cases = [
    '',
    'oci://',
    'oci://h.example/',
    'oci://h.example/Upper',
    'oci://h.example/a:',
    'oci://h.example/a:b:c',
    'oci://h.example/a@sha256:1',
    `oci://h.example/a@sha256:${'A'.repeat(64)}`,
    'oci://h.example/a@b@c',
    'oci://h.example/../a',
    'oci://user:pass@h.example/a',
    'oci://h.example:99999/a',
    'oci://h_.example/a',
    'https://',
    'https://user:pass@h.example/a',
    'https://h.example/a#b',
    'file://relative',
    'file:///a\0b',
    'ftp://h.example/a',
  ];
  for (const url of cases)
    assert.throws(
      () => parseModuleReference(url),
      { name: 'ModuleReferenceError', code: 'bad-reference' },
      url,
    );
});
