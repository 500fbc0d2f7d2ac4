import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditChange } from '../../src/model/audit.ts';
import { toAuditChanges } from '../../src/store/audit-changes.ts';
import type { Kind } from '../../src/store/record-kinds.ts';

const SPEC = { namespace: 'default', name: 'auth', url: 'oci://r.example/auth:1', createdAt: 1 };

test('of a plugin the audit tells what changed, by its place', () => {
  const before = { ...SPEC, selector: { matchLabels: { app: 'a' } }, priority: 1 };
  const after = { ...SPEC, selector: { matchLabels: { app: 'b' } }, phase: 'AUTHN' };
  assert.deepEqual(change('PluginSpec', before, after).fields, [
    { pointer: '/phase', after: '"AUTHN"' },
    { pointer: '/priority', before: '1' },
    { pointer: '/selector/matchLabels/app', before: '"a"', after: '"b"' },
  ]);
});

test('of configurations of plugins and of secrets it tells only that they changed, also where all is new', () => {
  const secrets = {
    pluginConfig: { hunter2: 'hunter2', pin: 4711 },
    env: [{ name: 'PASSWORD', value: 'hunter2' }],
    url: 'https://me:hunter2@r.example/auth.wasm',
    rollout: { gates: [{ name: 'hook', token: 'hunter2', configuration: { a: 'hunter2' } }] },
  };
  for (const [before, after] of [
    [SPEC, { ...SPEC, ...secrets }],
    [undefined, { ...SPEC, ...secrets }],
    [{ ...SPEC, ...secrets }, undefined],
    [
      { ...SPEC, pluginConfig: { a: 'b' } },
      { ...SPEC, ...secrets },
    ],
  ]) {
    const told = change('PluginSpec', before, after);
    assert.ok(told.fields?.some(({ pointer }) => pointer === '/pluginConfig'));
    assert.doesNotMatch(JSON.stringify(told), /hunter2|4711/);
  }
});

test('of two secrets that are shown alike it tells that they differ', () => {
  const of = (password: string) => ({ ...SPEC, rollout: { password } });
  assert.deepEqual(change('PluginSpec', of('a'), of('b')).fields, [{ pointer: '/rollout/password' }]);
});

test('of sealed resources, of pull secrets and of kinds that nobody listed it tells digests alone', () => {
  const sealed = { type: 'secrets', resource: { name: 'tls' }, sealed: 'x' };
  const kinds: [Kind, object, object][] = [
    ['PullSecret', { registries: ['a'], sealed: 'x' }, { registries: ['b'], sealed: 'y' }],
    ['ResourceSpec', sealed, { ...sealed, sealed: 'y' }],
    ['ResourceSpec', { type: 'secrets', resource: {} }, sealed],
    ['RolloutNodes', { order: [['a']] }, { order: [['b']] }],
  ];
  for (const [kind, before, after] of kinds) {
    const told = change(kind, before, after);
    assert.deepEqual(Object.keys(told).sort(), ['after', 'before', 'key', 'record'], kind);
    assert.notEqual(told.before, told.after);
  }
});

test('of a token it tells the right that it gives, and nothing of the token', () => {
  const told = change('Token', undefined, {
    id: 'ab',
    name: 'ci',
    sha256: 'hunter2',
    role: 'admin',
    scope: {},
  });
  assert.deepEqual(
    told.fields?.map(({ pointer }) => pointer),
    ['/id', '/name', '/role', '/scope'],
  );
  assert.doesNotMatch(JSON.stringify(told), /hunter2/);
});

test('digests do not depend on the order of fields, and cannot be guessed without the key of the store', () => {
  const [one, other] = [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ];
  assert.equal(change('ModuleKey', one, other).before, change('ModuleKey', one, other).after);
  assert.notEqual(
    change('ModuleKey', one, one, 'key 1').before,
    change('ModuleKey', one, one, 'key 2').before,
  );
});

test('of the long list of nodes of a rollout the text as it is stored is digested, with the key as well', () => {
  const [one, other] = [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ];
  const same = change('RolloutNodes', one, { ...one });
  assert.equal(same.before, same.after);
  assert.equal(same.before, change('ModuleKey', one, one).before, 'keys in order: as of every other record');
  assert.notEqual(change('RolloutNodes', one, other).before, change('RolloutNodes', one, other).after);
  assert.notEqual(same.before, change('RolloutNodes', one, one, 'key 2').before);
  assert.equal(change('RolloutNodes', undefined, one).before, null);
});

test('what is told is bounded in number and length', () => {
  const labels = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`l${i}`, 'x'.repeat(10_000)]));
  const told = change(
    'PluginSpec',
    { ...SPEC, selector: { matchLabels: {} } },
    { ...SPEC, selector: { matchLabels: labels } },
  );
  assert.equal(told.fields?.length, 20);
  assert.equal(told.moreFields, 30);
  assert.ok(JSON.stringify(told).length < 10_000);
});

test('a name that is long is cut too: an entry is kept for good', () => {
  const of = (value: number) => ({
    type: 'clusters',
    resource: { metadata: { ['x'.repeat(100_000)]: value } },
  });
  const [field] = change('ResourceSpec', of(1), of(2)).fields ?? [];
  assert.match(field?.pointer ?? '', /^\/resource\/metadata\/x+…$/);
  assert.ok((field?.pointer.length ?? 0) < 1_000);
});

test('lines of what happened are no changes', () => {
  const row = { key: 'e', text: '{}', revision: 1, createdRevision: 1 };
  assert.deepEqual(
    toAuditChanges([{ kind: 'Event', key: 'e', row }], () => undefined, 'key'),
    [],
  );
});

function change(kind: Kind, before?: object, after?: object, key = 'key'): AuditChange {
  const toRow = (value: object | undefined) =>
    value && { key: 'k', text: JSON.stringify(value), revision: 1, createdRevision: 1 };
  const [told] = toAuditChanges([{ kind, key: 'k', row: toRow(after) }], () => toRow(before), key);
  assert.ok(told !== undefined);
  return told;
}
