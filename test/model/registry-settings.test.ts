import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { listInsecure, listMirrors, listTrusted } from '../../src/model/registry-settings.ts';
import { parseRegistrySettings } from '../../src/model/registry-settings-document.ts';

const PEM = readFileSync(new URL('../fixtures/tls/loopback.pem', import.meta.url), 'utf8');
const DEFAULT = ['docker', 'io'].join('.');

function parse(document: unknown) {
  return parseRegistrySettings(document, path => {
    if (path === 'ca.pem') return `some words\n${PEM}`;
    throw new Error(`no such file: ${path}`);
  });
}

test('mirrors stand in their order instead of the longest prefix, part by part', () => {
  const settings = parse([
    { prefix: 'reg.example', mirrors: ['m1.example:5000/all', 'm2.example'] },
    { prefix: 'reg.example/team', mirrors: ['m3.example/t'] },
    { prefix: DEFAULT, mirrors: ['m4.example/hub'] },
    { prefix: 'whole.example/one', mirrors: ['m5.example', 'm5.example/two'] },
  ]);
  assert.ok(!Array.isArray(settings) || settings.every(one => 'prefix' in one));
  const of = (host: string, repository: string) =>
    listMirrors(settings as Parameters<typeof listMirrors>[0], { host, repository });
  assert.deepEqual(of('reg.example', 'x/y'), ['m1.example:5000/all/x/y', 'm2.example/x/y']);
  assert.deepEqual(of('REG.example:443', 'x'), ['m1.example:5000/all/x', 'm2.example/x']);
  assert.deepEqual(of('reg.example', 'team/auth'), ['m3.example/t/auth']);
  assert.deepEqual(of('reg.example', 'teamwork/auth'), [
    'm1.example:5000/all/teamwork/auth',
    'm2.example/teamwork/auth',
  ]);
  assert.deepEqual(of(DEFAULT, 'library/x'), ['m4.example/hub/library/x']);
  assert.deepEqual(of(`index.${DEFAULT}`, 'library/x'), ['m4.example/hub/library/x']);
  assert.deepEqual(of('whole.example', 'one'), ['m5.example/two'], 'a host alone is no repository');
  assert.deepEqual(of('other.example', 'x'), []);
});

test('what is named by hand may be private; plain HTTP and CAs are of hosts', () => {
  const settings = parse([
    { prefix: 'reg.example', mirrors: ['m1.example:5000/all'] },
    { prefix: 'plain.example:5000', insecure: true },
    { prefix: 'private.example', ca: 'ca.pem' },
  ]) as Parameters<typeof listMirrors>[0];
  assert.deepEqual(listInsecure(settings), ['plain.example:5000']);
  assert.deepEqual(listTrusted(settings), ['m1.example:5000', 'plain.example:5000', 'private.example']);
  assert.match(settings[2]?.ca ?? '', /^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----$/);
});

const cases: readonly [string, unknown, string][] = [
  ['no list', {}, 'wrong-type '],
  ['no prefix', [{ mirrors: ['m.example'] }], 'missing-field /0/prefix'],
  ['a scheme', [{ prefix: 'https://reg.example' }], 'out-of-bounds /0/prefix'],
  ['no host', [{ prefix: 'team/auth' }], 'out-of-bounds /0/prefix'],
  ['a tag', [{ prefix: 'reg.example/auth:1' }], 'out-of-bounds /0/prefix'],
  ['capitals in a path', [{ prefix: 'reg.example/Auth' }], 'out-of-bounds /0/prefix'],
  ['an unknown field', [{ prefix: 'reg.example', mirror: ['m.example'] }], 'unknown-field /0/mirror'],
  [
    'the same prefix twice',
    [{ prefix: 'reg.example' }, { prefix: 'reg.example' }],
    'contradiction /1/prefix',
  ],
  [
    'a mirror twice',
    [{ prefix: 'reg.example', mirrors: ['m.example', 'm.example'] }],
    'contradiction /0/mirrors/1',
  ],
  [
    'plain HTTP of a part of a host',
    [{ prefix: 'reg.example/team', insecure: true }],
    'contradiction /0/insecure',
  ],
  ['a text for a truth', [{ prefix: 'reg.example', insecure: 'yes' }], 'wrong-type /0/insecure'],
  ['no such CA', [{ prefix: 'reg.example', ca: 'none.pem' }], 'out-of-bounds /0/ca'],
];
for (const [what, document, expected] of cases)
  test(`refused: ${what}`, () => {
    const faults = parse(document);
    assert.ok(Array.isArray(faults));
    assert.deepEqual(
      faults.map(fault => ('code' in fault ? `${fault.code} ${fault.pointer}` : fault)),
      [expected],
    );
  });
