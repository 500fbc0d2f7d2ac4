import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePluginDocument, toPluginDocumentSpec } from '../../src/model/plugin-document.ts';

const HEX = 'a'.repeat(64);

function parse(spec: unknown, over: object = {}) {
  return parsePluginDocument({
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: 'auth' },
    spec,
    ...over,
  });
}

/** `code pointer` of each fault; fails on a document that is taken. */
function faultsOf(spec: unknown, over: object = {}): string[] {
  const parsed = parse(spec, over);
  assert.ok(Array.isArray(parsed), 'the document was taken');
  return parsed.map(fault => `${fault.code} ${fault.pointer}`);
}

test("an Istio WasmPlugin is taken as it is, with defaults left out and Kubernetes' own metadata ignored", () => {
  const parsed = parse(
    {
      selector: { matchLabels: { app: 'gateway' } },
      url: 'oci://r/auth:1.4',
      sha256: HEX,
      imagePullPolicy: 'UNSPECIFIED_POLICY',
      phase: 'AUTHN',
      priority: -5,
      pluginConfig: { realm: 'example', list: [1, null, { a: true }] },
      pluginName: 'auth_root',
      failStrategy: 'FAIL_OPEN',
      type: 'HTTP',
      match: [{ mode: 'UNDEFINED' }, { mode: 'SERVER', ports: [{ number: 80 }] }],
      vmConfig: {
        env: [
          { name: 'A', value: 'b' },
          { name: 'H', valueFrom: 'HOST' },
        ],
      },
    },
    { metadata: { name: 'auth', namespace: 'edge', uid: 'x', creationTimestamp: null }, status: {} },
  );
  assert.deepEqual(parsed, {
    namespace: 'edge',
    name: 'auth',
    url: 'oci://r/auth:1.4',
    sha256: HEX,
    selector: { matchLabels: { app: 'gateway' } },
    match: [{}, { mode: 'SERVER', ports: [80] }],
    pluginConfig: { realm: 'example', list: [1, null, { a: true }] },
    pluginName: 'auth_root',
    phase: 'AUTHN',
    priority: -5,
    failStrategy: 'FAIL_OPEN',
    env: [
      { name: 'A', value: 'b' },
      { name: 'H', valueFrom: 'HOST' },
    ],
  });
});

test('an attache/v1 Plugin is the same document under another name', () => {
  const spec = { url: 'r/auth', rollout: { preset: 'fast', steps: [{ share: '10%', soak: '1h30m' }] } };
  const ours = parse(spec, { apiVersion: 'attache/v1', kind: 'Plugin' });
  assert.deepEqual(ours, parse(spec));
});

test('what is stored can be written as a document again, and is the same', () => {
  const spec = {
    url: 'r/auth',
    match: [{ mode: 'CLIENT', ports: [{ number: 1 }, { number: 65535 }] }],
    targetRefs: [{ kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'edge' }],
    vmConfig: { env: [{ name: 'A', value: '' }] },
    rollout: { preset: 'standard' },
  };
  const parsed = parse(spec);
  assert.ok(!Array.isArray(parsed));
  assert.deepEqual(toPluginDocumentSpec(parsed), spec);
  assert.deepEqual(parse(toPluginDocumentSpec(parsed)), parsed);
});

test('an unknown field is named, with what was meant', () => {
  const parsed = parse({ url: 'r/a', pluginConf: {} });
  assert.deepEqual(parsed, [
    {
      code: 'unknown-field',
      pointer: '/spec/pluginConf',
      message: 'unknown field',
      hint: 'Did you mean pluginConfig?',
    },
  ]);
  assert.deepEqual(faultsOf({ url: 'r/a' }, { specs: 1 }), ['unknown-field /specs']);
  assert.deepEqual(faultsOf({ url: 'r/a' }, { metadata: { name: 'a', nmespace: 'b' } }), [
    'unknown-field /metadata/nmespace',
  ]);
});

test('a missing url is a fault at the place where it belongs, also without any spec', () => {
  assert.deepEqual(faultsOf({}), ['missing-field /spec/url']);
  assert.deepEqual(faultsOf({ url: null }), ['missing-field /spec/url']);
  assert.deepEqual(faultsOf(undefined), ['missing-field /spec/url']);
});

test('all faults come at once', () => {
  assert.deepEqual(
    faultsOf({
      url: 5,
      priority: 'high',
      phase: 'authn',
      pluginConfig: [],
      selector: { matchLabels: { a: true } },
    }),
    [
      'wrong-type /spec/url',
      'wrong-type /spec/selector/matchLabels/a',
      'wrong-type /spec/pluginConfig',
      'out-of-bounds /spec/phase',
      'wrong-type /spec/priority',
    ],
  );
});

const REFUSED: readonly (readonly [string, object, string])[] = [
  ['NETWORK', { type: 'NETWORK' }, 'not-supported /spec/type'],
  ['a key that is none', { verificationKey: 'Release Key' }, 'out-of-bounds /spec/verificationKey'],
  ['broken PEM', { verificationKey: '-----BEGIN PUBLIC KEY-----' }, 'out-of-bounds /spec/verificationKey'],
  [
    'a signature of what carries none',
    { url: 'https://h/a.wasm', verificationKey: 'release' },
    'contradiction /spec/verificationKey',
  ],
  [
    'a wildcard label',
    { selector: { matchLabels: { a: '*' } } },
    'out-of-bounds /spec/selector/matchLabels/a',
  ],
  ['an upper-case sha256', { sha256: 'A'.repeat(64) }, 'out-of-bounds /spec/sha256'],
  ['a short sha256', { sha256: 'a' }, 'out-of-bounds /spec/sha256'],
  [
    'a sha256 unlike the url',
    { url: `r/a@sha256:${'b'.repeat(64)}`, sha256: HEX },
    'contradiction /spec/sha256',
  ],
  ['a digest that is none', { url: 'r/a@sha256:zz' }, 'out-of-bounds /spec/url'],
  ['an unknown scheme', { url: 'docker://r/a' }, 'out-of-bounds /spec/url'],
  ['an empty url', { url: '' }, 'out-of-bounds /spec/url'],
  ['a url with a space', { url: 'oci://r/a b' }, 'out-of-bounds /spec/url'],
  ['a bare scheme', { url: 'oci://' }, 'out-of-bounds /spec/url'],
  ['a pull policy', { imagePullPolicy: 'Sometimes' }, 'out-of-bounds /spec/imagePullPolicy'],
  ['an empty pull secret', { imagePullSecret: '' }, 'out-of-bounds /spec/imagePullSecret'],
  ['a long pull secret', { imagePullSecret: 'x'.repeat(254) }, 'out-of-bounds /spec/imagePullSecret'],
  ['an empty plugin name', { pluginName: '' }, 'out-of-bounds /spec/pluginName'],
  ['a long plugin name', { pluginName: 'x'.repeat(257) }, 'out-of-bounds /spec/pluginName'],
  ['a large priority', { priority: 2 ** 31 }, 'out-of-bounds /spec/priority'],
  ['a broken priority', { priority: 0.5 }, 'out-of-bounds /spec/priority'],
  ['port 0', { match: [{ ports: [{ number: 0 }] }] }, 'out-of-bounds /spec/match/0/ports/0/number'],
  ['a port without braces', { match: [{ ports: [80] }] }, 'wrong-type /spec/match/0/ports/0'],
  ['a Service', { targetRefs: [{ kind: 'Service', name: 'a' }] }, 'not-supported /spec/targetRefs/0/kind'],
  [
    'a target elsewhere',
    { targetRefs: [{ kind: 'Gateway', name: 'a', namespace: 'b' }] },
    'not-supported /spec/targetRefs/0/namespace',
  ],
  [
    'seventeen targets',
    { targetRefs: Array.from({ length: 17 }, () => ({ kind: 'Gateway', name: 'a' })) },
    'out-of-bounds /spec/targetRefs',
  ],
  [
    'selector and target',
    { selector: { matchLabels: {} }, targetRefs: [{ kind: 'Gateway', name: 'a' }] },
    'contradiction /spec/targetRefs',
  ],
  [
    'a variable twice',
    { vmConfig: { env: [{ name: 'A' }, { name: 'A' }] } },
    'contradiction /spec/vmConfig/env/1/name',
  ],
  [
    'a value beside HOST',
    { vmConfig: { env: [{ name: 'A', valueFrom: 'HOST', value: 'x' }] } },
    'contradiction /spec/vmConfig/env/0/value',
  ],
  ['a nameless variable', { vmConfig: { env: [{ value: 'x' }] } }, 'missing-field /spec/vmConfig/env/0/name'],
  [
    '257 variables',
    { vmConfig: { env: Array.from({ length: 257 }, (_, i) => ({ name: `A${i}` })) } },
    'out-of-bounds /spec/vmConfig/env',
  ],
  [
    'a long value',
    { vmConfig: { env: [{ name: 'A', value: 'x'.repeat(2049) }] } },
    'out-of-bounds /spec/vmConfig/env/0/value',
  ],
  ['infinity in the configuration', { pluginConfig: { a: [Infinity] } }, 'wrong-type /spec/pluginConfig/a/0'],
  ['a duration without unit', { rollout: { bake: '10' } }, 'out-of-bounds /spec/rollout/bake'],
  ['an unknown preset', { rollout: { preset: 'fasst' } }, 'out-of-bounds /spec/rollout/preset'],
  ['an unknown rollout field', { rollout: { stps: [] } }, 'unknown-field /spec/rollout/stps'],
  [
    'a step of both kinds',
    { rollout: { steps: [{ nodes: 1, share: '10%' }] } },
    'contradiction /spec/rollout/steps/0',
  ],
];

for (const [what, spec, fault] of REFUSED)
  test(`refused: ${what}`, () => {
    assert.deepEqual(faultsOf({ url: 'oci://r/a:1', ...spec }), [fault]);
  });

test('a document of another kind or version is refused with what to write', () => {
  assert.deepEqual(faultsOf({ url: 'r/a' }, { kind: 'Plugin' }), ['unknown-kind /apiVersion']);
  assert.deepEqual(faultsOf({ url: 'r/a' }, { kind: 'Pod' }), ['unknown-kind /kind']);
  assert.deepEqual(faultsOf({ url: 'r/a' }, { metadata: undefined }), ['missing-field /metadata/name']);
  assert.deepEqual(faultsOf({ url: 'r/a' }, { metadata: { name: 'A/b' } }), ['out-of-bounds /metadata/name']);
  assert.deepEqual(faultsOf({ url: 'r/a' }, { metadata: { name: 'a', namespace: 'x.y' } }), [
    'out-of-bounds /metadata/namespace',
  ]);
});

test('pointers escape what RFC 6901 says', () => {
  assert.deepEqual(faultsOf({ url: 'r/a', 'a/b~c': 1 }), ['unknown-field /spec/a~1b~0c']);
});

test('keys of Object.prototype are ordinary keys', () => {
  assert.deepEqual(faultsOf({ url: 'r/a', constructor: 1 }), ['unknown-field /spec/constructor']);
  const parsed = parse({ url: 'r/a', selector: { matchLabels: { toString: 'x' } } });
  assert.ok(!Array.isArray(parsed));
  assert.equal(parsed.selector?.matchLabels.toString, 'x');
});

test('anything at all is either taken or refused with pointers, and never throws', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (document, spec) => {
      for (const parsed of [parsePluginDocument(document), parse(spec)])
        if (Array.isArray(parsed))
          assert.ok(parsed.length > 0 && parsed.every(f => /^(\/|$)/.test(f.pointer)));
    }),
    { numRuns: 300 },
  );
});

test('what is pushed to see whether a node reaches us is no name for a plugin', () => {
  const metadata = { namespace: 'attache', name: 'probe' };
  assert.deepEqual(faultsOf({ url: 'r/a' }, { metadata }), ['out-of-bounds /metadata/name']);
  assert.ok(!Array.isArray(parse({ url: 'r/a' }, { metadata: { name: 'probe' } })));
});
