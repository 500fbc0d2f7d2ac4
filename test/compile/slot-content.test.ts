import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildSlotContent, type SlotRequest } from '../../src/compile/slot-content.ts';
import { type EnvVar, type FailStrategy, type JsonObject, PHASES } from '../../src/model/plugin-spec.ts';
import type { Revision } from '../../src/model/revision.ts';
import { CAPABILITY_LENGTH, fillTemplate, type SlotContent, TAG_LENGTH } from '../../src/model/snapshot.ts';
import { makeRevision, registry, SINGLE } from './compile-samples.ts';

const CHAIN = { filterChain: true, wasm: true, failReload: true };

function build(plugins: readonly Revision[], over: Partial<SlotRequest> = {}): SlotContent {
  const request = {
    name: 'attache.authn/ingress',
    layout: 'chain',
    capabilities: CHAIN,
    plugins,
    ...over,
  } as const;
  return buildSlotContent(registry, request);
}

function decode(bytes: Uint8Array): JsonObject {
  return registry.decodeAny(bytes).typedConfig as JsonObject;
}

/** The PluginConfig of the only plugin. */
function configOf(content: SlotContent): Record<string, unknown> {
  return decode(content.verdict.bytes).config as Record<string, unknown>;
}

function buildSingle(revision: Revision, failReload = true): SlotContent {
  return build([revision], { layout: 'single', capabilities: { ...SINGLE, failReload } });
}

test('chain: every plugin is a link of its own name, in order', () => {
  const content = build([makeRevision({ plugin: 'default/b' }), makeRevision({ plugin: 'default/a' })]);
  const chain = decode(content.verdict.bytes).defaultFilterChain as { filters: { name: string }[] };
  assert.deepEqual(
    chain.filters.map(link => link.name),
    ['default/b', 'default/a'],
  );
  assert.deepEqual(
    content.plugins.map(part => part.plugin),
    ['default/b', 'default/a'],
  );
});

test('single: the Wasm filter itself; a second plugin is refused', () => {
  const revision = makeRevision();
  assert.match(String(decode(buildSingle(revision).verdict.bytes)['@type']), /wasm\.v3\.Wasm$/);
  assert.throws(() => build([revision, revision], { layout: 'single' }), RangeError);
});

test('no plugin: an RBAC filter without rules, one form, no holes', () => {
  const content = build([]);
  assert.deepEqual(Object.keys(decode(content.verdict.bytes)), ['@type']);
  assert.match(String(decode(content.verdict.bytes)['@type']), /rbac\.v3\.RBAC$/);
  assert.equal(content.warming, content.verdict);
  assert.deepEqual(content.verdict.holes, []);
});

test('the variants differ in nack_on_code_cache_miss alone', () => {
  const content = build([makeRevision()], { layout: 'single' });
  const warming = JSON.stringify(decode(content.warming.bytes));
  const verdict = JSON.stringify(decode(content.verdict.bytes));
  assert.ok(verdict.includes('"nackOnCodeCacheMiss":true'));
  assert.equal(verdict.replace(',"nackOnCodeCacheMiss":true', ''), warming);
});

test('the warming variant is encoded when it is asked for, once', t => {
  const encode = t.mock.method(registry, 'encode');
  const content = build([makeRevision()]);
  const first = encode.mock.callCount();
  const { warming } = content;
  assert.equal(encode.mock.callCount(), first + 1);
  assert.equal(content.warming, warming);
  assert.equal(encode.mock.callCount(), first + 1);
});

test('where the module is, how long it may take, and what Envoy checks', () => {
  const config = configOf(buildSingle(makeRevision())) as { vmConfig: { code: { remote: JsonObject } } };
  const sha256 = 'ab'.repeat(32);
  const blanks = `cap=${'0'.repeat(64)}&tag=${'0'.repeat(16)}`;
  assert.deepEqual(config.vmConfig.code.remote, {
    httpUri: {
      uri: `http://attache/v1/modules/sha256/${sha256}?${blanks}`,
      cluster: 'attache_modules',
      timeout: '12s',
    },
    sha256,
    retryPolicy: { retryBackOff: { baseInterval: '0.500s', maxInterval: '4s' }, numRetries: 12 },
  });
});

test('failStrategy: reload where Envoy has it, as written otherwise', () => {
  const table: [FailStrategy | undefined, boolean, object][] = [
    [undefined, true, { failurePolicy: 'FAIL_RELOAD' }],
    ['FAIL_RELOAD', true, { failurePolicy: 'FAIL_RELOAD' }],
    ['FAIL_CLOSE', true, { failurePolicy: 'FAIL_CLOSED' }],
    ['FAIL_OPEN', true, { failurePolicy: 'FAIL_OPEN' }],
    [undefined, false, {}],
    ['FAIL_RELOAD', false, {}],
    ['FAIL_CLOSE', false, {}],
    ['FAIL_OPEN', false, { failOpen: true }],
  ];
  for (const [failStrategy, failReload, expected] of table) {
    const revision = makeRevision({ config: failStrategy === undefined ? {} : { failStrategy } });
    const { failurePolicy, failOpen } = configOf(buildSingle(revision, failReload));
    assert.deepEqual(JSON.parse(JSON.stringify({ failurePolicy, failOpen })), expected);
  }
});

test('configuration, root id and environment; none where there is none', () => {
  const env: EnvVar[] = [
    { name: 'B', value: '2' },
    { name: 'HOME', valueFrom: 'HOST' },
    { name: 'A', value: '1', valueFrom: 'INLINE' },
  ];
  const full = configOf(
    buildSingle(makeRevision({ config: { env, pluginConfig: { b: 1, a: 'é' }, pluginName: 'root' } })),
  ) as { configuration: { value: string }; rootId: string; vmConfig: JsonObject };
  assert.equal(full.configuration.value, '{"a":"é","b":1}');
  assert.equal(full.rootId, 'root');
  assert.deepEqual(full.vmConfig.environmentVariables, {
    hostEnvKeys: ['HOME'],
    keyValues: { A: '1', B: '2' },
  });
  const bare = configOf(buildSingle(makeRevision()));
  assert.equal('configuration' in bare || 'rootId' in bare, false);
  assert.equal('environmentVariables' in (bare.vmConfig as JsonObject), false);
});

test('the VM is another one for another module or environment, not for another configuration', () => {
  const idOf = (revision: Revision) => (configOf(buildSingle(revision)).vmConfig as JsonObject).vmId;
  const base = makeRevision();
  const module = { ...base.module, sha256: 'cd'.repeat(32) };
  assert.notEqual(idOf(base), idOf(makeRevision({ module })));
  assert.notEqual(idOf(base), idOf(makeRevision({ config: { env: [{ name: 'A', value: '1' }] } })));
  assert.equal(idOf(base), idOf(makeRevision({ config: { pluginConfig: { a: 1 } } })));
});

test('a configuration that would kill the VM when it goes has a VM of its own', () => {
  const idOf = (revision: Revision) => (configOf(buildSingle(revision)).vmConfig as JsonObject).vmId;
  const trial = { outcome: 'ok', tookMs: 1, unknowable: [], leaving: 'proxy_on_done: unreachable' } as const;
  const module = { ...makeRevision().module, trial };
  const one = makeRevision({ module, config: { pluginConfig: { a: 1 } } });
  const other = makeRevision({ module, config: { pluginConfig: { a: 2 } } });
  assert.notEqual(idOf(one), idOf(other));
  assert.equal(idOf(one), idOf(makeRevision({ module, config: { pluginConfig: { a: 1 } }, number: 9 })));
});

test('a changed plugin changes its own part hash and no other', () => {
  const other = makeRevision({ plugin: 'default/b' });
  const before = build([makeRevision(), other]);
  const after = build([makeRevision({ config: { pluginConfig: { a: 1 } }, number: 2 }), other]);
  assert.notEqual(before.contentHash, after.contentHash);
  assert.notEqual(before.plugins[0]?.partHash, after.plugins[0]?.partHash);
  assert.equal(before.plugins[1]?.partHash, after.plugins[1]?.partHash);
});

test('a revision of equal bytes is other content with equal parts: its acceptance is asked for', () => {
  const before = build([makeRevision({ number: 1 })]);
  const after = build([makeRevision({ number: 2 })]);
  assert.notEqual(before.contentHash, after.contentHash);
  assert.equal(before.plugins[0]?.partHash, after.plugins[0]?.partHash);
});

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

const revisions = fc.uniqueArray(
  fc
    .record({
      plugin: fc
        .string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'abc-') })
        .map(name => `ns/${name}`),
      number: fc.integer({ min: 1, max: 99 }),
      pluginConfig: fc.dictionary(fc.string(), fc.jsonValue()),
      env: fc.uniqueArray(fc.record({ name: fc.string({ minLength: 1 }), value: fc.string() }), {
        selector: variable => variable.name,
        maxLength: 3,
      }),
      phase: fc.constantFrom(...PHASES.map(({ phase }) => phase)),
      sha256: hex(64),
      sizeBytes: fc.integer({ min: 1, max: 32 << 20 }),
    })
    .map(({ plugin, number, pluginConfig, env, phase, sha256, sizeBytes }) => {
      const config = { pluginConfig: pluginConfig as JsonObject, env, phase };
      return makeRevision({
        plugin,
        number,
        config,
        module: { ...makeRevision().module, sha256, sizeBytes },
      });
    }),
  { selector: revision => revision.plugin, maxLength: 4 },
);

test('property: equal requests give equal bytes; filled holes change nothing else and stand in the URL', () => {
  fc.assert(
    fc.property(
      revisions,
      fc.array(fc.tuple(hex(64), hex(16)), { minLength: 4, maxLength: 4 }),
      (plugins, fills) => {
        const content = build(plugins);
        assert.deepEqual(content, build(structuredClone(plugins)));
        for (const template of [content.warming, content.verdict]) {
          const capabilities = plugins.map((_, i) => fills[i]?.[0] ?? '');
          const tags = plugins.map((_, i) => fills[i]?.[1] ?? '');
          const filled = fillTemplate(template, capabilities, tags);
          assert.deepEqual(changedOutsideHoles(template.bytes, filled, template.holes), []);
          const text = JSON.stringify(decode(filled));
          for (const [i, revision] of plugins.entries())
            assert.ok(
              text.includes(`/sha256/${revision.module.sha256}?cap=${capabilities[i]}&tag=${tags[i]}"`),
            );
        }
      },
    ),
    { numRuns: 60 },
  );
});

function changedOutsideHoles(
  before: Uint8Array,
  after: Uint8Array,
  holes: readonly { capability: number; tag: number }[],
): number[] {
  assert.equal(before.length, after.length);
  const inHole = (at: number) =>
    holes.some(
      hole =>
        (at >= hole.capability && at < hole.capability + CAPABILITY_LENGTH) ||
        (at >= hole.tag && at < hole.tag + TAG_LENGTH),
    );
  return [...before.keys()].filter(at => before[at] !== after[at] && !inHole(at));
}
