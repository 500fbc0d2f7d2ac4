import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { resolveStrategy } from '../../src/model/resolve-strategy.ts';
import { PRESETS } from '../../src/model/rollout-presets.ts';
import type { StepPlan } from '../../src/model/rollout-strategy.ts';

const MIN = 60_000;

function resolve(rollout?: JsonObject, targets = 100, preset?: string) {
  return resolveStrategy(rollout, { targets, ...(preset === undefined ? {} : { preset }) });
}

/** `1@120000`, `10%@300000 after human`. */
function show(steps: readonly StepPlan[]): string[] {
  return steps.map(({ size, soakMs, pause }) => {
    const asked = 'nodes' in size ? `${size.nodes}` : `${size.percent}%`;
    return `${asked}@${soakMs}${pause === null ? '' : ` after ${pause}`}`;
  });
}

test('the presets are what the documents say', () => {
  const of = (preset: string) => {
    const { waves, bakeMs } = resolve({ preset });
    return [...show(waves[0]?.steps ?? []).map(step => step.replace(/^100%.*/, '100%')), bakeMs / MIN];
  };
  assert.deepEqual(of('cautious'), ['1@600000', '10%@600000', '25%@600000', '50%@600000', '100%', 30]);
  assert.deepEqual(of('standard'), ['1@120000', '10%@300000', '50%@300000', '100%', 10]);
  assert.deepEqual(of('fast'), ['25%@30000', '50%@30000', '100%', 1]);
  assert.deepEqual(of('all-at-once'), ['100%', 10]);
});

test('without spec.rollout it is fast below ten targets and standard from there', () => {
  assert.equal(resolve(undefined, 0).preset, 'fast');
  assert.equal(resolve(undefined, 9).preset, 'fast');
  assert.equal(resolve(undefined, 10).preset, 'standard');
  assert.equal(resolve({}, 9).preset, 'fast');
  assert.equal(resolve({ preset: 'cautious' }, 9).preset, 'cautious');
});

test('what is not written has its default', () => {
  const { ackTimeoutMs, progressDeadlineMs, maxDisconnected, onFailure } = resolve();
  assert.deepEqual(
    { ackTimeoutMs, progressDeadlineMs, maxDisconnected, onFailure },
    { ackTimeoutMs: 60_000, progressDeadlineMs: 600_000, maxDisconnected: 0.2, onFailure: 'rollback' },
  );
});

test('a field that is null has its default too', () => {
  const nothing = { preset: null, steps: null, waves: null, gates: null, bake: null, onFailure: null };
  assert.deepEqual(resolve(nothing), resolve());
  const steps = [{ nodes: null, share: '10%', soak: null, pause: null }];
  assert.deepEqual(resolve({ steps }), resolve({ steps: [{ share: '10%' }] }));
});

test('what is written stands', () => {
  const strategy = resolve({
    bake: '90s',
    ackTimeout: '5s',
    progressDeadline: '1m',
    maxDisconnected: '0%',
    onFailure: 'freeze',
  });
  const { ackTimeoutMs, progressDeadlineMs, maxDisconnected, onFailure, bakeMs } = strategy;
  assert.deepEqual(
    { ackTimeoutMs, progressDeadlineMs, maxDisconnected, onFailure, bakeMs },
    {
      ackTimeoutMs: 5000,
      progressDeadlineMs: 60_000,
      maxDisconnected: 0,
      onFailure: 'freeze',
      bakeMs: 90_000,
    },
  );
});

const STEPS: readonly (readonly [string, JsonObject[], string[]])[] = [
  ['get a last 100 % step', [{ nodes: 1, soak: '1m' }], ['1@60000', '100%@60000']],
  ['keep one that they have', [{ nodes: 1 }, { share: '100%', soak: '5s' }], ['1@0', '100%@5000']],
  [
    'stop before it where they end with a pause',
    [{ share: '50%' }, { pause: 'human' }],
    ['50%@0', '100%@0 after human'],
  ],
  [
    'pause after the size that a pause stands beside',
    [{ share: '50%', pause: '10m' }],
    ['50%@0', '100%@0 after 600000'],
  ],
  [
    'pause between two',
    [{ share: '5%' }, { pause: '5m' }, { pause: 'human' }, { share: '50%' }],
    ['5%@0', '50%@0 after human', '100%@0'],
  ],
  ['may begin with a pause', [{ pause: '5m' }], ['100%@0 after 300000']],
];

for (const [what, steps, expected] of STEPS)
  test(`inline steps ${what}`, () => {
    const strategy = resolve({ steps });
    assert.equal(strategy.preset, null);
    assert.deepEqual(show(strategy.waves[0]?.steps ?? []), expected);
  });

test('the bake of inline steps is that of the preset beside them, or of the default one', () => {
  assert.equal(resolve({ preset: 'cautious', steps: [{ nodes: 1 }] }).bakeMs, 30 * MIN);
  assert.equal(resolve({ steps: [{ nodes: 1 }] }, 3).bakeMs, MIN);
});

test('--preset replaces steps and bake, and nothing else', () => {
  const gates = [{ name: 'slow', kind: 'latency-p99', max: '1s' }];
  const strategy = resolve(
    { steps: [{ nodes: 1 }, { pause: 'human' }], bake: '2h', onFailure: 'freeze', gates },
    100,
    'fast',
  );
  assert.equal(strategy.preset, 'fast');
  assert.equal(strategy.bakeMs, MIN);
  assert.equal(strategy.onFailure, 'freeze');
  assert.deepEqual(show(strategy.waves[0]?.steps ?? []), ['25%@30000', '50%@30000', '100%@30000']);
  assert.ok(strategy.gates.some(({ name }) => name === 'slow'));
});

test('a word that is no preset changes nothing', () => {
  assert.deepEqual(resolve({ preset: 'cautious' }, 5, 'quick'), resolve({ preset: 'cautious' }, 5));
});

const ZONES: JsonObject = {
  waves: [
    { selector: { zone: 'a' }, pause: 'human' },
    {
      name: 'second',
      selector: { zone: 'b', matchLabels: { role: 'edge' } },
      steps: [{ nodes: 2, soak: '1m' }],
    },
  ],
};

test('waves have names, their own steps or those of all, and a last one for whom none selects', () => {
  const { waves } = resolve({ ...ZONES, preset: 'fast' });
  assert.deepEqual(
    waves.map(({ name, selector, pause }) => ({ name, selector, pause })),
    [
      { name: 'zone a', selector: { zone: 'a' }, pause: 'human' },
      { name: 'second', selector: { zone: 'b', matchLabels: { role: 'edge' } }, pause: null },
      { name: null, selector: null, pause: null },
    ],
  );
  assert.deepEqual(
    waves.map(({ steps }) => show(steps)),
    [
      ['25%@30000', '50%@30000', '100%@30000'],
      ['2@60000', '100%@60000'],
      ['25%@30000', '50%@30000', '100%@30000'],
    ],
  );
});

test('a last wave without selector is the one for the rest', () => {
  const { waves } = resolve({ waves: [{ selector: { matchLabels: { canary: 'yes' } } }, {}] });
  assert.deepEqual(
    waves.map(({ name, selector }) => [name, selector === null]),
    [
      ['canary=yes', false],
      ['wave 2', true],
    ],
  );
});

test('--preset keeps the waves, with its own steps; all-at-once means all at once', () => {
  assert.deepEqual(
    resolve(ZONES, 100, 'fast').waves.map(({ name, pause, steps }) => [name, pause, steps.length]),
    [
      ['zone a', 'human', 3],
      ['second', null, 3],
      [null, null, 3],
    ],
  );
  assert.deepEqual(resolve(ZONES, 100, 'all-at-once').waves, resolve({ preset: 'all-at-once' }).waves);
});

test('every rollout has the hard gates and the built-in 5xx gate', () => {
  for (const preset of PRESETS)
    assert.deepEqual(
      resolve({ preset }).gates.map(({ name, hard, written }) => [name, hard, written]),
      [
        ['refusals', true, false],
        ['crashes', true, false],
        ['broken', true, false],
        ['5xx', false, false],
      ],
    );
  const { maxIncrease, failures, minRequests } = resolve().gates[3] ?? {};
  assert.deepEqual([maxIncrease, failures, minRequests], [2, 2, 100]);
});

test('written gates follow; one of kind 5xx stands for the built-in one', () => {
  const gates = [
    { name: 'slow', kind: 'latency-p99', max: '250ms', every: '10s', dryRun: true },
    { name: 'errors', kind: '5xx', max: '5%', maxIncrease: 1, minRequests: 20, failures: 0 },
    { name: 'heap', kind: 'memory', maxIncrease: '20%' },
    { name: 'denied', kind: 'metric', metric: 'auth_denied', max: '1%' },
  ];
  const written = { hard: false, written: true, dryRun: false, minRequests: 100, failures: 2 };
  assert.deepEqual(resolve({ gates }).gates.slice(3), [
    { ...written, name: 'slow', kind: 'latency-p99', max: 250, everyMs: 10_000, dryRun: true },
    { ...written, name: 'errors', kind: '5xx', max: 5, maxIncrease: 1, minRequests: 20, failures: 0 },
    { ...written, name: 'heap', kind: 'memory', maxIncrease: 20, minRequests: 0 },
    { ...written, name: 'denied', kind: 'metric', metric: 'auth_denied', max: 1 },
  ]);
});

test('a gate that does not exist, in a document stored by an older Attaché, is left out', () => {
  const gates = [{ name: 'hook', kind: 'webhook', url: 'https://x' }];
  assert.deepEqual(resolve({ gates }), resolve());
});
