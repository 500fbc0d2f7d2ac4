import type { GateView, RolloutStepView, RolloutView, StepNodes } from '../../src/api/schema/rollout-view.ts';

// Texts hold the reader's own clock.
process.env.TZ = 'UTC';

/** What the texts are read at: minutes after the failure of `refusedView`. */
export const NOW = Date.parse('2026-11-21T03:02:00.000Z');

/** A time of the night that the views are about. */
export function at(clock: string): string {
  return `2026-11-21T${clock}.000Z`;
}

/** A step that is done. */
export function stepView(fields: Partial<RolloutStepView> = {}): RolloutStepView {
  return {
    number: 1,
    wave: null,
    asked: '100 % asked',
    reaches: 1,
    of: 1,
    state: 'passed',
    word: 'done',
    text: '0.8 s',
    soakMs: 0,
    pause: null,
    startedAt: at('02:57:02'),
    appliedMs: 800,
    endedAt: at('02:57:03'),
    nodes: [],
    ...fields,
  };
}

/** One node that runs it. */
export function group(fields: Partial<StepNodes> = {}): StepNodes {
  return {
    state: 'Accepted',
    count: 1,
    revision: 1,
    nodes: ['laptop'],
    text: 'revision 1   0.8 s after sending',
    since: at('02:57:03'),
    lastKnown: false,
    ...fields,
  };
}

/** A hard gate with nothing against it. */
export function gateView(fields: Partial<GateView> = {}): GateView {
  return {
    name: 'refusals',
    kind: 'refusal',
    state: 'pass',
    text: '0',
    limit: null,
    moved: null,
    others: null,
    failures: 0,
    hard: true,
    dryRun: false,
    sampledAt: null,
    ...fields,
  };
}

const GATES = [
  gateView(),
  gateView({ name: 'crashes', kind: 'reload' }),
  gateView({
    name: '5xx',
    kind: '5xx',
    state: 'few',
    hard: false,
    text: '0 % of 3 requests: too few to judge, not held against it',
    limit: 'at most 2 points above the others',
  }),
];

/** The newcomer's first plugin, in the middle of its bake. */
export function bakingView(fields: Partial<RolloutView> = {}): RolloutView {
  return {
    kind: 'Rollout',
    id: 'default.auth.1',
    plugin: 'default/auth',
    number: 1,
    change: 'install',
    title: '– → revision 1',
    from: { revision: null, digest: null, config: null, selector: null },
    to: { revision: 1, digest: '9f2c4be01d77', config: '11aa90', selector: null },
    preset: 'fast',
    plan: 'preset fast (default below 10 nodes): 1 node, then 1 min bake',
    by: 'admin',
    message: null,
    phase: 'Baking',
    reason: null,
    active: true,
    waitsForPerson: false,
    why: null,
    hint: null,
    code: null,
    outcome: null,
    since: at('03:01:39'),
    startedAt: at('03:01:22'),
    endedAt: null,
    asOf: at('03:02:00'),
    step: 1,
    steps: [stepView({ nodes: [group()] })],
    bake: { state: 'active', totalMs: 60_000, elapsedMs: 21_000 },
    timer: { what: 'bake', leftMs: 39_000, totalMs: 60_000, running: true },
    expectedMs: 39_000,
    gates: GATES,
    counts: { targets: 1, touched: 1, untouched: 0, done: 1, refused: 0, waiting: 0, disconnected: 0 },
    outside: [],
    failure: null,
    back: null,
    cause: [],
    notes: [],
    actions: ['pause', 'abort', 'undo'],
    next: [],
    ...fields,
  };
}

/** The same, a moment later, at its end. */
export function succeededView(fields: Partial<RolloutView> = {}): RolloutView {
  return bakingView({
    phase: 'Succeeded',
    active: false,
    endedAt: at('03:02:24'),
    outcome: 'Succeeded in 1m 2s: 1 of 1 node runs revision 1',
    bake: { state: 'passed', totalMs: 60_000, elapsedMs: 60_000 },
    timer: null,
    expectedMs: null,
    ...fields,
  });
}

/** The night: three of thirty canaries refused. */
export function refusedView(fields: Partial<RolloutView> = {}): RolloutView {
  const of = 300;
  const refused = ['edge-b-041', 'edge-b-055', 'edge-c-009'];
  const later = { of, state: 'waiting', word: 'not started', text: '' } as const;
  return bakingView({
    id: 'edge.auth.8',
    plugin: 'edge/auth',
    number: 8,
    change: 'update',
    title: '7 → 8',
    from: { revision: 7, digest: '0f3d22c9be10', config: '6e02aa', selector: null },
    to: { revision: 8, digest: '41d0aa93be02', config: '77c1e0', selector: null },
    preset: 'standard',
    by: 'ci',
    message: 'auth 1.6.0, JIRA-812',
    phase: 'RolledBack',
    reason: 'Refused',
    active: false,
    why: `3 nodes refused revision 8, first edge-b-041 at ${at('02:59:07')}: "Unable to create Wasm plugin edge/auth"`,
    outcome:
      'RolledBack in 2.9 s: 30 of 30 nodes are back on revision 7 (confirmed). 270 nodes never touched',
    since: at('02:59:10'),
    startedAt: at('02:57:02'),
    endedAt: at('02:59:10'),
    step: 2,
    steps: [
      stepView({
        asked: '1 node asked',
        reaches: 1,
        of,
        word: 'passed',
        text: '2m 0s',
        nodes: [group({ nodes: ['edge-a-017'], text: 'revision 8, back on 7 (1 of 1 confirmed, 2.9 s)' })],
      }),
      stepView({
        number: 2,
        asked: '10 % asked',
        reaches: 30,
        of,
        state: 'failed',
        word: 'FAILED',
        text: 'after 1.2 s',
        nodes: [
          group({ count: 27, nodes: [], text: 'revision 8, back on 7 (27 of 27 confirmed, 2.9 s)' }),
          group({ state: 'Refused', count: 3, nodes: refused, text: 'never left revision 7' }),
        ],
      }),
      stepView({ number: 3, asked: '50 % asked', reaches: 150, ...later }),
      stepView({ number: 4, asked: '100 % asked', reaches: 300, ...later }),
    ],
    bake: { state: 'skipped', totalMs: 600_000, elapsedMs: 0 },
    timer: null,
    expectedMs: null,
    gates: [gateView({ state: 'fail', text: '3' }), gateView({ name: 'crashes', kind: 'reload' })],
    counts: {
      targets: of,
      touched: 30,
      untouched: 270,
      done: 0,
      refused: 3,
      waiting: 0,
      disconnected: 0,
    },
    failure: {
      kind: 'refusal',
      gate: null,
      node: 'edge-b-041',
      nodes: refused,
      count: 3,
      text: 'Unable to create Wasm plugin edge/auth',
      at: at('02:59:07'),
      step: 2,
    },
    cause: [
      `the cause is in the Envoy log of those nodes only. There: grep 'wasm log edge/auth' <envoy log>, around ${at('02:59:07')}`,
    ],
    actions: ['retry', 'undo'],
    next: [
      { command: null, text: 'fix and apply' },
      { command: 'attache rollout retry edge/auth', text: 'to try it again' },
    ],
    ...fields,
  });
}
