import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawRollout } from '../../../src/cli/rollout/rollout-tree.ts';
import {
  at,
  bakingView,
  gateView,
  group,
  NOW,
  refusedView,
  stepView,
  succeededView,
} from '../rollout-views.ts';

function lines(text: string): readonly string[] {
  return text.replace(/^\n/, '').replace(/\n *$/, '').split('\n');
}

test('C-A3: the tree of a first plugin while it bakes', () => {
  assert.deepEqual(
    drawRollout(bakingView(), NOW),
    lines(`
auth  – → revision 1   Baking   0:21 of 1:00                       started 38 s ago by admin
├─ step 1   100 % asked, 1 of 1 node   done   0.8 s
│  └─ laptop   Accepted  revision 1   0.8 s after sending
├─ bake     0:21 of 1:00
└─ gates    refusals 0   crashes 0   5xx 0 % of 3 requests: too few to judge, not held against it
`),
  );
});

test('a rollout that succeeded ends with one sentence', () => {
  const drawn = drawRollout(succeededView({ why: '1 of 1 node runs revision 1' }), NOW);
  assert.equal(
    drawn[0],
    'auth  – → revision 1   Succeeded   03:02:24                        started 03:01:22 by admin',
  );
  assert.equal(drawn[3], '├─ bake     done   1m 0s');
  assert.equal(drawn.at(-1), 'Succeeded in 1m 2s: 1 of 1 node runs revision 1');
});

test('C-B1: who refused, how many were touched, all back or not, where to look, what next', () => {
  assert.deepEqual(
    drawRollout(refusedView(), NOW),
    lines(`
edge/auth  7 → 8   RolledBack   02:59:10                           started 02:57:02 by ci  "auth 1.6.0, JIRA-812"
  why: 3 nodes refused revision 8, first edge-b-041 at 02:59:07: "Unable to create Wasm plugin edge/auth"
├─ step 1   1 node asked, 1 of 300 nodes   passed        2m 0s         edge-a-017
├─ step 2   10 % asked, 30 of 300 nodes    FAILED        after 1.2 s
│  ├─ 27 Accepted  revision 8, back on 7 (27 of 27 confirmed, 2.9 s)
│  └─  3 Refused   edge-b-041, edge-b-055, edge-c-009   never left revision 7
├─ step 3   50 %, 150 nodes                not started
├─ step 4   100 %, 300 nodes               not started
└─ gates    refusals FAILED   crashes 0
the cause is in the Envoy log of those nodes only. There: grep 'wasm log edge/auth' <envoy log>, around 02:59:07
RolledBack in 2.9 s: 30 of 30 nodes are back on revision 7 (confirmed). 270 nodes never touched
next: fix and apply
      attache rollout retry edge/auth   to try it again
`),
  );
});

test('C-B3: a canary that answers 503 is named with its numbers', () => {
  const text = 'accepted, then answered 503 to 398 of 398 requests in 10 s; 299 others: 0.2 % of 121,940';
  const node = group({ state: 'Degraded', nodes: ['edge-b-112'], revision: 9, text });
  const failed = stepView({
    asked: '1 node asked',
    of: 300,
    state: 'failed',
    word: 'FAILED',
    text: 'after 11 s',
  });
  const view = refusedView({
    title: '7 → 9',
    phase: 'RollingBack',
    active: true,
    endedAt: null,
    outcome: null,
    why: null,
    message: null,
    cause: [],
    next: [],
    steps: [{ ...failed, nodes: [node] }],
    gates: [],
  });
  assert.deepEqual(
    drawRollout(view, NOW),
    lines(`
edge/auth  7 → 9   RollingBack                                     started 4m 58s ago by ci
└─ step 1   1 node asked, 1 of 300 nodes   FAILED   after 11 s
   └─ edge-b-112   Degraded  ${text}
`),
  );
});

test('C-B5: after a restart of the server the note says what is waited for', () => {
  const soaking = { of: 300, state: 'active', word: 'soaking', text: '0:12 of 0:30' } as const;
  const view = refusedView({
    title: '7 → 10',
    phase: 'Progressing',
    reason: null,
    active: true,
    endedAt: null,
    outcome: null,
    why: null,
    message: null,
    cause: [],
    next: [],
    gates: [],
    notes: [
      `Attaché restarted at ${at('03:34:41')}; 211 of 299 Envoys are back, waiting for the rest before judging`,
    ],
    bake: { state: 'waiting', totalMs: 600_000, elapsedMs: 0 },
    steps: [
      stepView({ asked: '25 % asked', reaches: 75, of: 300, word: 'passed', text: '31 s' }),
      stepView({
        number: 2,
        asked: '50 % asked',
        reaches: 150,
        ...soaking,
        nodes: [group({ count: 75, nodes: [] })],
      }),
      stepView({ number: 3, reaches: 300, of: 300, state: 'waiting', word: 'waiting', text: '' }),
    ],
  });
  assert.deepEqual(
    drawRollout(view, NOW),
    lines(`
edge/auth  7 → 10   Progressing   step 2 of 3                      started 4m 58s ago by ci
  (Attaché restarted at 03:34:41; 211 of 299 Envoys are back, waiting for the rest before judging)
├─ step 1   25 % asked, 75 of 300 nodes    passed    31 s
├─ step 2   50 % asked, 150 of 300 nodes   soaking   0:12 of 0:30
├─ step 3   100 %, 300 nodes               waiting
└─ bake     10 min, not started
`),
  );
});

test('a pause says why, and what goes on with it', () => {
  const next = [
    { command: 'attache rollout promote auth', text: 'to go on with the next step' },
    { command: 'attache rollout abort auth', text: 'to go back' },
  ];
  const why = 'step 2 waits for a person';
  const fields = { phase: 'Paused', reason: 'Human', waitsForPerson: true, why, next } as const;
  const drawn = drawRollout(bakingView(fields), NOW);
  assert.match(drawn[0] ?? '', /^auth {2}– → revision 1 {3}Paused {3}\(Human\) +started 38 s ago by admin$/);
  assert.equal(drawn[1], '  why: step 2 waits for a person');
  assert.deepEqual(drawn.slice(-2), [
    'next: attache rollout promote auth   to go on with the next step',
    '      attache rollout abort auth     to go back',
  ]);
});

test('soft gates that were judged have a line with numbers and threshold each', () => {
  const limit = 'at most 2 points above the others';
  const gates = [
    gateView(),
    gateView({
      name: '5xx',
      hard: false,
      state: 'failing',
      failures: 2,
      limit,
      text: 'moved 4.1 %, others 0.2 %, 412 requests',
    }),
    gateView({
      name: 'p99',
      hard: false,
      state: 'pass',
      dryRun: true,
      limit: 'at most 250 ms',
      text: 'moved 31 ms, 412 requests',
    }),
    gateView({ name: 'mine', hard: false, state: 'inconclusive', text: '12 requests, 100 are needed' }),
  ];
  assert.deepEqual(
    drawRollout(bakingView({ steps: [], bake: null, gates }), NOW).slice(1),
    lines(`
└─ gates   refusals 0
   ├─ 5xx    over the limit, 2 samples so far   moved 4.1 %, others 0.2 %, 412 requests   (${limit})
   ├─ p99    ok, only reported                  moved 31 ms, 412 requests   (at most 250 ms)
   └─ mine   too few to judge: paused           12 requests, 100 are needed
`),
  );
});

test('waves are named, steps that add nobody are there, nodes outside are listed by reason', () => {
  const view = bakingView({
    bake: null,
    gates: [],
    steps: [
      stepView({
        wave: 'zone-a',
        reaches: 2,
        of: 4,
        word: 'passed',
        nodes: [group({ count: 2, nodes: ['a', 'b'] })],
      }),
      stepView({
        number: 2,
        wave: 'zone-b',
        asked: '50 % asked',
        reaches: 2,
        of: 4,
        state: 'skipped',
        word: 'skipped',
        text: 'adds no node',
      }),
      stepView({
        number: 3,
        wave: 'zone-b',
        reaches: 4,
        of: 4,
        state: 'active',
        word: 'applying',
        text: '0.4 s',
        nodes: [
          group({ nodes: ['node-c'], text: 'revision 1' }),
          group({ state: 'Fetching', nodes: ['d'], text: 'it downloads the module' }),
        ],
      }),
    ],
    outside: [
      { node: 'bare', reason: 'NoPlace', text: 'no listener' },
      { node: 'drained', reason: 'Excluded', text: 'excluded by admin: drained' },
      { node: 'bare-2', reason: 'NoPlace', text: 'no listener' },
    ],
  });
  assert.deepEqual(
    drawRollout(view, NOW).slice(1),
    lines(`
├─ step 1 zone-a   100 % asked, 2 of 4 nodes   passed     0.8 s
├─ step 2 zone-b   50 %, 2 nodes               skipped    adds no node
└─ step 3 zone-b   100 % asked, 4 of 4 nodes   applying   0.4 s
   ├─ node-c   Accepted  revision 1
   └─ d        Fetching  it downloads the module
not counted: bare, bare-2 (NoPlace: no listener)
not counted: drained (Excluded: excluded by admin: drained)
`),
  );
});

test('a bake that failed, or that a person ended, says after how long', () => {
  const bake = { state: 'failed', totalMs: 600_000, elapsedMs: 95_000 } as const;
  const steps = [stepView()];
  const failed = refusedView({ bake, steps, gates: [] });
  assert.equal(drawRollout(failed, NOW)[3], '└─ bake     FAILED after 1:35 of 10:00');
  const failure = { ...failed.failure!, kind: 'abort' } as const;
  const stopped = drawRollout(refusedView({ bake, steps, gates: [], failure }), NOW);
  assert.equal(stopped[3], '└─ bake     stopped after 1:35 of 10:00');
});

test('C-B4: while there is no module there are no steps and no bake', () => {
  const why = 'registry.example: connection timed out';
  const fields = { phase: 'Validating', reason: 'ModuleUnavailable', why } as const;
  const view = bakingView({ ...fields, steps: [], gates: [], title: '7 → not known yet' });
  assert.deepEqual(drawRollout(view, NOW).slice(1), [`  why: ${why}`]);
  assert.match(
    drawRollout(view, NOW)[0] ?? '',
    /^auth {2}7 → not known yet {3}Validating {3}ModuleUnavailable /,
  );
});
