import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DocumentPart } from '../../src/model/document-part.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { resolveStrategy } from '../../src/model/resolve-strategy.ts';
import { readRollout } from '../../src/model/rollout-document.ts';

/** `code pointer` of each fault. */
function faultsOf(rollout: unknown): string[] {
  const part = new DocumentPart(rollout);
  readRollout(part);
  return part.faults.map(fault => `${fault.code} ${fault.pointer}`);
}

const gate = (over: object) => ({ gates: [{ name: 'errors', kind: '5xx', max: '5%', ...over }] });
const steps = (...list: unknown[]) => ({ steps: list });

const TAKEN: readonly (readonly [string, unknown])[] = [
  ['nothing', {}],
  ['a preset', { preset: 'all-at-once' }],
  ['all durations', { bake: '0s', ackTimeout: '1s', progressDeadline: '1h', moduleDeadline: '0s' }],
  [
    'steps of both units',
    steps({ nodes: 1, soak: '30s' }, { share: '10%' }, { nodes: 40 }, { share: '100%' }),
  ],
  ['a pause beside a size', steps({ share: '10%', pause: 'human' }, { share: '50%', pause: '10m' })],
  ['a pause alone', steps({ pause: '5m' }, { nodes: 1 }, { pause: 'human' })],
  ['a fraction of a percent', steps({ share: '0.1%' })],
  [
    'waves by zone and label, the last one for the rest',
    {
      waves: [
        {
          name: 'canary',
          selector: { matchLabels: { canary: 'true' } },
          steps: [{ nodes: 1 }],
          pause: 'human',
        },
        { selector: { zone: 'a', matchLabels: { role: 'edge' } }, pause: '10m' },
        { name: 'rest' },
      ],
    },
  ],
  ['an absolute and a relative limit', gate({ maxIncrease: 2, minRequests: 20, every: '10s', failures: 0 })],
  ['a dry run', gate({ dryRun: true })],
  ['the built-in 5xx gate written anew', gate({ name: '5xx' })],
  ['a latency', gate({ kind: 'latency-p99', max: '250ms', maxIncrease: '20%' })],
  ['a metric', gate({ kind: 'metric', metric: 'auth_denied', max: '1%' })],
  ['memory', gate({ kind: 'memory', max: '1GiB', maxIncrease: '20%' })],
  ['no pause', { steps: [{ nodes: 1, pause: null }], waves: null }],
];

for (const [what, rollout] of TAKEN)
  test(`taken: ${what}`, () => {
    assert.deepEqual(faultsOf(rollout), []);
    resolveStrategy(rollout as JsonObject, { targets: 3 });
  });

const REFUSED: readonly (readonly [string, unknown, ...string[]])[] = [
  ['no object', [], 'wrong-type '],
  ['an unknown field', { stps: [] }, 'unknown-field /stps'],
  ['an unknown preset', { preset: 'fasst' }, 'out-of-bounds /preset'],
  ['an unknown way to fail', { onFailure: 'retry' }, 'out-of-bounds /onFailure'],
  ['a bake without a unit', { bake: '10' }, 'out-of-bounds /bake'],
  ['a bake that is a number', { bake: 10 }, 'wrong-type /bake'],
  ['a bake of two months', { bake: '1440h' }, 'out-of-bounds /bake'],
  ['no time to answer', { ackTimeout: '0s' }, 'out-of-bounds /ackTimeout'],
  ['no time to get on', { progressDeadline: '0s' }, 'out-of-bounds /progressDeadline'],
  ['a module deadline of words', { moduleDeadline: 'soon' }, 'out-of-bounds /moduleDeadline'],
  ['too large a share', { maxDisconnected: '101%' }, 'out-of-bounds /maxDisconnected'],
  ['a share without a sign', { maxDisconnected: '20' }, 'out-of-bounds /maxDisconnected'],
  ['no steps', steps(), 'out-of-bounds /steps'],
  ['a step of both kinds', steps({ nodes: 1, share: '10%' }), 'contradiction /steps/0'],
  ['a step of neither', steps({ soak: '1m' }), 'contradiction /steps/0'],
  ['a pause with a soak', steps({ pause: 'human', soak: '1m' }), 'contradiction /steps/0'],
  ['a step that is a text', steps('10%'), 'wrong-type /steps/0'],
  ['a step of no node', steps({ nodes: 0 }), 'out-of-bounds /steps/0/nodes'],
  ['a step of no share', steps({ share: '0%' }), 'out-of-bounds /steps/0/share'],
  ['a share above all', steps({ share: '120%' }), 'out-of-bounds /steps/0/share'],
  ['a share that is a number', steps({ share: 10 }), 'wrong-type /steps/0/share'],
  ['falling shares', steps({ share: '25%' }, { share: '10%' }), 'out-of-bounds /steps/1/share'],
  ['equal counts', steps({ nodes: 2 }, { nodes: 2 }), 'out-of-bounds /steps/1/nodes'],
  [
    'falling shares with a count between',
    steps({ share: '25%' }, { nodes: 3 }, { share: '10%' }),
    'out-of-bounds /steps/2/share',
  ],
  ['a step after all', steps({ share: '100%' }, { nodes: 5 }), 'contradiction /steps/1'],
  ['a pause after all', steps({ share: '100%', pause: 'human' }), 'contradiction /steps/0/pause'],
  ['a soak without a unit', steps({ nodes: 1, soak: '5' }), 'out-of-bounds /steps/0/soak'],
  ['a pause for a robot', steps({ nodes: 1, pause: 'robot' }), 'out-of-bounds /steps/0/pause'],
  ['no waves', { waves: [] }, 'out-of-bounds /waves'],
  ['a wave that is a number', { waves: [1] }, 'wrong-type /waves/0'],
  [
    'a wave for the rest that is not the last',
    { waves: [{ name: 'all' }, { selector: { zone: 'b' } }] },
    'contradiction /waves/0',
  ],
  [
    'two waves of one name',
    { waves: [{ name: 'a', selector: { zone: 'a' } }, { name: 'a' }] },
    'contradiction /waves/1/name',
  ],
  ['an empty selector', { waves: [{ selector: {} }] }, 'missing-field /waves/0/selector'],
  [
    'an unknown selector',
    { waves: [{ selector: { region: 'eu' } }] },
    'unknown-field /waves/0/selector/region',
  ],
  [
    'a label that is a number',
    { waves: [{ selector: { matchLabels: { n: 1 } } }] },
    'wrong-type /waves/0/selector/matchLabels/n',
  ],
  ['a zone without a name', { waves: [{ selector: { zone: '' } }] }, 'out-of-bounds /waves/0/selector/zone'],
  [
    'falling steps in a wave',
    { waves: [{ steps: [{ nodes: 3 }, { nodes: 1 }] }] },
    'out-of-bounds /waves/0/steps/1/nodes',
  ],
  ['a wave that waits for nobody', { waves: [{ pause: 'x' }] }, 'out-of-bounds /waves/0/pause'],
  ['a gate that is a text', { gates: ['5xx'] }, 'wrong-type /gates/0'],
  ['a gate without a kind', { gates: [{ name: 'a', max: 1 }] }, 'missing-field /gates/0/kind'],
  ['a gate without a name', { gates: [{ kind: '5xx', max: 1 }] }, 'missing-field /gates/0/name'],
  ['a gate without a limit', { gates: [{ name: 'a', kind: '5xx' }] }, 'missing-field /gates/0/max'],
  ['an unknown kind', gate({ kind: 'cpu' }), 'out-of-bounds /gates/0/kind'],
  ['an unknown field of a gate', gate({ maxx: 1 }), 'unknown-field /gates/0/maxx'],
  [
    'two gates of one name',
    { gates: [gate({}).gates[0], gate({ kind: 'memory' }).gates[0]] },
    'out-of-bounds /gates/1/max',
    'contradiction /gates/1/name',
  ],
  ['the name of a gate that is always there', gate({ name: 'broken' }), 'contradiction /gates/0/name'],
  [
    'another kind under the name 5xx',
    gate({ name: '5xx', kind: 'memory', max: 1 }),
    'contradiction /gates/0/name',
  ],
  ['a latency without a unit', gate({ kind: 'latency-p99', max: 250 }), 'out-of-bounds /gates/0/max'],
  ['a limit that is a list', gate({ max: [] }), 'wrong-type /gates/0/max'],
  ['a limit below zero', gate({ max: -1 }), 'out-of-bounds /gates/0/max'],
  ['a metric without its name', gate({ kind: 'metric' }), 'missing-field /gates/0/metric'],
  ['the name of a metric for another kind', gate({ metric: 'm' }), 'unknown-field /gates/0/metric'],
  [
    'memory by requests',
    gate({ kind: 'memory', max: 1, minRequests: 5 }),
    'contradiction /gates/0/minRequests',
  ],
  ['no requests at all', gate({ minRequests: 0 }), 'out-of-bounds /gates/0/minRequests'],
  ['half a failure', gate({ failures: 0.5 }), 'out-of-bounds /gates/0/failures'],
  ['a dry run in words', gate({ dryRun: 'yes' }), 'wrong-type /gates/0/dryRun'],
  ['samples all the time', gate({ every: '100ms' }), 'out-of-bounds /gates/0/every'],
  ['a webhook', gate({ kind: 'webhook', url: 'https://x' }), 'not-supported /gates/0/kind'],
  ['a Prometheus query', gate({ kind: 'prometheus', query: 'up' }), 'not-supported /gates/0/kind'],
];

for (const [what, rollout, ...faults] of REFUSED)
  test(`refused: ${what}`, () => assert.deepEqual(faultsOf(rollout), faults));

test('what is taken is kept as it was written', () => {
  const written = { preset: 'fast', steps: [{ share: '10 %' }], message: 'why' };
  assert.deepEqual(readRollout(new DocumentPart(written)), written);
});

const words = fc.constantFrom('human', '10%', '100%', '1m', '5', 'a', 'zone', '5xx', 'metric', 'fast', '');
const leaf = fc.oneof(words, fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const keys = fc.constantFrom(
  ...['preset', 'waves', 'steps', 'gates', 'bake', 'nodes', 'share', 'soak', 'pause', 'selector', 'zone'],
  ...['name', 'kind', 'max', 'maxIncrease', 'metric', 'every', 'matchLabels', 'maxDisconnected'],
);
const { tree } = fc.letrec(tie => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
  ),
}));

test('anything at all is taken or refused, and what is taken has a meaning', () => {
  fc.assert(
    fc.property(fc.dictionary(keys, tree, { maxKeys: 5 }), fc.nat(50), (document, targets) => {
      if (faultsOf(document).length > 0) return;
      const strategy = resolveStrategy(document as JsonObject, { targets });
      assert.ok(strategy.waves.length > 0);
      assert.ok(Number.isFinite(strategy.bakeMs));
      for (const wave of strategy.waves) assert.deepEqual(wave.steps.at(-1)?.size, { percent: 100 });
    }),
    { numRuns: 500 },
  );
});
