import { JsonObjectSchema, Next, Nullable, Time } from './metadata.ts';
import { PluginStateWord } from './node-view.ts';
import { type Static, Type } from './type.ts';

/*
 * Sentences (`why`, `text`, `outcome`, `notes` …) are ready to print. Where a sentence holds a time, it is RFC 3339
 * text in UTC: a reader in a terminal may replace it by his own clock's.
 */

export const RolloutPhaseWord = Type.Union([
  /** The module is being resolved, fetched or checked; no node is touched. */
  Type.Literal('Validating'),
  /** Failed before any node. */
  Type.Literal('NotStarted'),
  Type.Literal('Progressing'),
  Type.Literal('Paused'),
  /** Every target has it; it is watched. */
  Type.Literal('Baking'),
  Type.Literal('RollingBack'),
  /** Ended, but some nodes did not confirm that they are back; it goes on trying. */
  Type.Literal('RollbackIncomplete'),
  Type.Literal('RolledBack'),
  /** A person stopped it. */
  Type.Literal('Aborted'),
  /** A newer one took over. */
  Type.Literal('Superseded'),
  Type.Literal('Succeeded'),
  /** It had succeeded, and was undone later. */
  Type.Literal('Reverted'),
]);

export const RolloutActionWord = Type.Union([
  Type.Literal('pause'),
  Type.Literal('resume'),
  Type.Literal('promote'),
  Type.Literal('abort'),
  Type.Literal('retry'),
  Type.Literal('undo'),
]);

/** One end of a rollout. */
export const RolloutSide = Type.Object({
  revision: Nullable(Type.Integer({ description: 'null: the plugin is on no node' })),
  digest: Nullable(Type.String({ description: "First 12 hex digits of the module's sha256" })),
  config: Nullable(Type.String({ description: 'First 6 hex digits of the hash of the configuration' })),
  selector: Nullable(JsonObjectSchema),
});
export type RolloutSide = Static<typeof RolloutSide>;

/** Nodes of a step that say the same. */
export const StepNodes = Type.Object({
  state: PluginStateWord,
  count: Type.Integer(),
  revision: Nullable(
    Type.Integer({ description: 'The revision that serves on them; null: none, or not the same on all' }),
  ),
  nodes: Type.Array(Type.String(), {
    description:
      'The first 20 by name for what a person looks at (refused, degraded, waiting); of the rest those of small groups',
  }),
  text: Type.String({
    description:
      '`revision 8, back on 7 (27 of 27 confirmed, 2.9 s)`: what stands behind count, state and names',
  }),
  /** Since when the state stands, of the node that has it longest. */
  since: Nullable(Time),
  lastKnown: Type.Boolean({
    description: 'They are not connected: all of this was so when they were last heard',
  }),
});
export type StepNodes = Static<typeof StepNodes>;

export const RolloutStepView = Type.Object({
  number: Type.Integer({ description: '1, 2, 3 …' }),
  wave: Nullable(Type.String()),
  asked: Type.String({ description: '`1 node asked`, `10 % asked`' }),
  reaches: Type.Integer({
    description: 'Targets reached when this step is done: cumulative, over all waves',
  }),
  of: Type.Integer({ description: 'All targets: `reaches` of `of`' }),
  state: Type.Union([
    Type.Literal('waiting'),
    Type.Literal('active'),
    Type.Literal('passed'),
    Type.Literal('failed'),
    Type.Literal('skipped'),
  ]),
  word: Type.String({
    description:
      'For people: `not started`, `waiting`, `applying`, `soaking`, `paused`, `passed`, `done`, `FAILED`, `skipped`',
  }),
  text: Type.String({
    description:
      'What follows the word: `0:12 of 0:30`, `after 1.2 s`, `2m 0s`, `adds no node`; may be empty',
  }),
  soakMs: Type.Integer(),
  /** Before the step: ms, or until a person promotes. */
  pause: Nullable(Type.Union([Type.Integer(), Type.Literal('human')])),
  startedAt: Nullable(Time),
  appliedMs: Nullable(Type.Integer({ description: 'From the first push to the last answer' })),
  endedAt: Nullable(Time),
  nodes: Type.Array(StepNodes, {
    description: 'Nodes that this step adds, grouped; empty for steps that were not reached, and in lists',
  }),
});
export type RolloutStepView = Static<typeof RolloutStepView>;

export const GateView = Type.Object({
  name: Type.String(),
  kind: Type.String(),
  /** waiting: not judged yet. few: too few to judge, not held against it. inconclusive: the same, and it pauses. */
  state: Type.Union([
    Type.Literal('waiting'),
    Type.Literal('pass'),
    Type.Literal('few'),
    Type.Literal('inconclusive'),
    Type.Literal('error'),
    Type.Literal('failing'),
    Type.Literal('fail'),
  ]),
  text: Type.String({ description: 'With its numbers: `moved 4.1 %, others 0.2 %, 412 requests`' }),
  limit: Nullable(
    Type.String({ description: '`at most 2 points above the others`; null: any single one fails' }),
  ),
  /** Percent for 5xx, ms for latency. */
  moved: Nullable(Type.Object({ value: Nullable(Type.Number()), requests: Type.Integer() })),
  others: Nullable(Type.Object({ value: Nullable(Type.Number()), requests: Type.Integer() })),
  failures: Type.Integer({ description: 'Failed samples so far' }),
  hard: Type.Boolean({ description: 'Zero tolerance, judged all the time' }),
  dryRun: Type.Boolean({ description: 'Reports only' }),
  sampledAt: Nullable(Time),
});
export type GateView = Static<typeof GateView>;

export const RolloutFailureView = Type.Object({
  kind: Type.Union([
    Type.Literal('refusal'),
    Type.Literal('reload'),
    Type.Literal('broken'),
    Type.Literal('gate'),
    Type.Literal('deadline'),
    Type.Literal('unreachable'),
    Type.Literal('abort'),
  ]),
  gate: Nullable(Type.String()),
  node: Nullable(Type.String({ description: 'The first node' })),
  nodes: Type.Array(Type.String(), { description: 'The first 20' }),
  count: Type.Integer(),
  text: Type.String({ description: "Envoy's text for a refusal, the numbers for the others" }),
  at: Time,
  step: Nullable(
    Type.Integer({
      description: 'Number of the step in which it happened; null: while baking, or before the first',
    }),
  ),
});

export const RolloutBack = Type.Object({
  touched: Type.Integer({ description: 'Connected nodes that had been moved' }),
  confirmed: Type.Integer({ description: 'Those that run what they ran before' }),
  missing: Type.Array(Type.String(), { description: 'The first 20 that did not confirm' }),
  startedAt: Time,
  tookMs: Nullable(Type.Integer()),
  text: Type.String({ description: '`27 of 27 nodes are back on revision 7 (2.9 s)`' }),
});

/** What is waited for. `leftMs` was true at `asOf` of the rollout. */
export const RolloutTimer = Type.Object({
  what: Type.Union([
    Type.Literal('pause'),
    Type.Literal('deadline'),
    Type.Literal('soak'),
    Type.Literal('bake'),
    Type.Literal('return'),
  ]),
  leftMs: Type.Integer(),
  totalMs: Nullable(Type.Integer({ description: 'null: not known' })),
  running: Type.Boolean({
    description:
      'False: it stands still, because of a pause or because Attaché waits for nodes after its own start',
  }),
});

export const RolloutCounts = Type.Object({
  targets: Type.Integer({ description: 'Nodes that are to get it, as fixed at the start' }),
  touched: Type.Integer({ description: 'Targets that were moved so far' }),
  untouched: Type.Integer(),
  done: Type.Integer({ description: 'Moved targets that run it' }),
  refused: Type.Integer(),
  waiting: Type.Integer({ description: 'Moved targets that neither run it nor refused it' }),
  disconnected: Type.Integer({ description: 'Targets that are not connected; they get it when they return' }),
});

/** A selected node that does not take part. */
export const NodeOutside = Type.Object({
  node: Type.String(),
  reason: Type.String({ description: 'Excluded, NoPlace, NoV8' }),
  text: Type.String(),
});

/** What can be typed next. */
export const NextCommand = Type.Object({
  command: Nullable(Type.String({ description: '`attache rollout retry edge/auth`; null: nothing to type' })),
  text: Type.String({ description: 'What it is for: `to try it again`' }),
});
export type NextCommand = Static<typeof NextCommand>;

/** Moving a plugin's nodes from one revision to another, step by step. */
export const RolloutView = Type.Object({
  kind: Type.Literal('Rollout'),
  id: Type.String({ description: '`namespace.plugin.number`' }),
  plugin: Type.String({ description: '`<namespace>/<name>`' }),
  number: Type.Integer(),
  /** placement: the same revision on other nodes. format: the same content, written by a newer Attaché. */
  change: Type.Union([
    Type.Literal('install'),
    Type.Literal('update'),
    Type.Literal('placement'),
    Type.Literal('delete'),
    Type.Literal('undo'),
    Type.Literal('format'),
  ]),
  title: Type.String({ description: '`7 → 8`, `– → revision 1`, `7 → none`, `7, other nodes`' }),
  from: RolloutSide,
  /** null: there is no module yet, or never was. */
  to: Nullable(RolloutSide),
  preset: Nullable(Type.String()),
  plan: Type.String({ description: '`preset fast (default below 10 nodes): 1 node, then 1 min bake`' }),
  by: Type.String(),
  message: Nullable(Type.String({ description: 'What the person wrote with `-m`' })),

  phase: RolloutPhaseWord,
  reason: Nullable(
    Type.String({ description: 'A word beside the phase, e.g. Human, Frozen, Refused, NoNodes.' }),
  ),
  active: Type.Boolean({ description: 'It is under way' }),
  waitsForPerson: Type.Boolean({ description: 'Nothing goes on before a person does something' }),
  why: Nullable(Type.String({ description: 'The reason in one sentence' })),
  hint: Nullable(Type.String()),
  code: Nullable(
    Type.String({
      description: 'Error code of docs/errors.md, for NotStarted and a Validating that retries',
    }),
  ),
  outcome: Nullable(
    Type.String({
      description:
        'One sentence for the end: `Succeeded in 1m 2s: 1 of 1 node runs revision 1`; null while active',
    }),
  ),
  /** When the phase began. */
  since: Time,
  startedAt: Time,
  endedAt: Nullable(Time),
  /** The time of this answer, by the server's clock: what durations are counted to. */
  asOf: Time,

  step: Nullable(Type.Integer({ description: 'The step under way, or the last one; null: none yet' })),
  steps: Type.Array(RolloutStepView),
  /** The watch at 100 %; null: this rollout has none. */
  bake: Nullable(
    Type.Object({
      state: Type.Union([
        Type.Literal('waiting'),
        Type.Literal('active'),
        Type.Literal('passed'),
        Type.Literal('failed'),
        Type.Literal('skipped'),
      ]),
      totalMs: Type.Integer(),
      elapsedMs: Type.Integer({ description: 'How much of it passed' }),
    }),
  ),
  timer: Nullable(RolloutTimer),
  expectedMs: Nullable(
    Type.Integer({
      description:
        'Time that the rest takes if nothing goes wrong and nobody has to act; null: ended, or not known',
    }),
  ),
  gates: Type.Array(GateView),
  counts: RolloutCounts,
  outside: Type.Array(NodeOutside),
  failure: Nullable(RolloutFailureView),
  back: Nullable(RolloutBack),
  cause: Type.Array(Type.String(), {
    description: 'Lines that tell where the cause is, and what the trial run could not know',
  }),
  notes: Type.Array(Type.String(), {
    description:
      '`Attaché restarted at …; 211 of 299 Envoys are back, waiting for the rest before judging`, and the like',
  }),
  actions: Type.Array(RolloutActionWord, { description: 'What is legal now' }),
  next: Type.Array(NextCommand),
});
export type RolloutView = Static<typeof RolloutView>;

export const RolloutList = Type.Object({
  kind: Type.Literal('RolloutList'),
  items: Type.Array(RolloutView, { description: 'newest first; steps come without their nodes' }),
  next: Next,
});
export type RolloutList = Static<typeof RolloutList>;

export const ConfigChange = Type.Object({
  path: Type.String({ description: '`spec.pluginConfig.realm`' }),
  before: Nullable(Type.String({ description: 'JSON text; null: absent on that side' })),
  after: Nullable(Type.String()),
});
export type ConfigChange = Static<typeof ConfigChange>;

/** A line of a plugin's history. */
export const HistoryRow = Type.Object({
  kind: Type.Literal('RolloutSummary'),
  rollout: Type.String(),
  number: Type.Integer(),
  change: RolloutView.properties.change,
  title: Type.String(),
  revision: Nullable(Type.Integer({ description: 'null: to none, or there is no module' })),
  digest: Nullable(Type.String()),
  config: Nullable(Type.String()),
  diff: Type.Array(ConfigChange, { description: 'Against the revision that the rollout started from' }),
  result: RolloutPhaseWord,
  by: Type.String({ description: 'Who and why' }),
  message: Nullable(Type.String()),
  cause: Nullable(
    Type.String({ description: '`refused by 3 nodes`, `503 on edge-b-112`; null where nothing failed' }),
  ),
  startedAt: Time,
  endedAt: Nullable(Time),
  durationMs: Type.Integer({ description: 'Until now while it is active' }),
});
export type HistoryRow = Static<typeof HistoryRow>;

export const RolloutHistory = Type.Object({
  kind: Type.Literal('RolloutHistory'),
  items: Type.Array(HistoryRow, { description: 'newest first' }),
  next: Next,
});
export type RolloutHistory = Static<typeof RolloutHistory>;

/** The answer to a verb. */
export const RolloutAnswer = Type.Object({
  kind: Type.Literal('RolloutAnswer'),
  action: RolloutActionWord,
  /** done: taken in. accepted: stored, and taken in later (202). already-back: nothing to undo. planned: a dry run, nothing stored. */
  outcome: Type.Union([
    Type.Literal('done'),
    Type.Literal('accepted'),
    Type.Literal('already-back'),
    Type.Literal('planned'),
  ]),
  text: Type.String({ description: 'One sentence for a person' }),
  /** The rollout it was about, as it stands then; of retry and undo the new one. null: not made yet, or none. */
  rollout: Nullable(RolloutView),
});
export type RolloutAnswer = Static<typeof RolloutAnswer>;

/** The body of a verb. */
export const RolloutActionBody = Type.Object(
  {
    message: Type.Optional(Type.String({ maxLength: 1024, description: 'why; kept in the history' })),
    full: Type.Optional(Type.Boolean({ description: 'promote: skip all further steps and soaks' })),
    freeze: Type.Optional(Type.Boolean({ description: 'abort: stop and leave the nodes as they are' })),
  },
  { additionalProperties: false },
);

export const UndoBody = Type.Object(
  {
    message: Type.Optional(Type.String({ maxLength: 1024 })),
    to: Type.Optional(
      Type.Integer({ minimum: 1, description: 'a kept revision; default: the good one before' }),
    ),
  },
  { additionalProperties: false },
);
