import { type Static, Type } from 'typebox';
import { JsonObjectSchema, Next, Nullable, Time } from './metadata.ts';
import { PluginStateWord } from './node-view.ts';

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
  /** null: the plugin is on no node. */
  revision: Nullable(Type.Integer()),
  /** First 12 hex digits of the module's sha256. */
  digest: Nullable(Type.String()),
  /** First 6 hex digits of the hash of the configuration. */
  config: Nullable(Type.String()),
  selector: Nullable(JsonObjectSchema),
});
export type RolloutSide = Static<typeof RolloutSide>;

/** Nodes of a step that say the same. */
export const StepNodes = Type.Object({
  state: PluginStateWord,
  count: Type.Integer(),
  /** The revision that serves on them; null: none, or not the same on all. */
  revision: Nullable(Type.Integer()),
  /** The first 20 by name for what a person looks at (refused, degraded, waiting); of the rest those of small groups. */
  nodes: Type.Array(Type.String()),
  /** `revision 8, back on 7 (27 of 27 confirmed, 2.9 s)`: what stands behind count, state and names. */
  text: Type.String(),
  /** Since when the state stands, of the node that has it longest. */
  since: Nullable(Time),
  /** They are not connected: all of this was so when they were last heard. */
  lastKnown: Type.Boolean(),
});
export type StepNodes = Static<typeof StepNodes>;

export const RolloutStepView = Type.Object({
  /** 1, 2, 3 … */
  number: Type.Integer(),
  wave: Nullable(Type.String()),
  /** `1 node asked`, `10 % asked`. */
  asked: Type.String(),
  /** Targets reached when this step is done: cumulative, over all waves. */
  reaches: Type.Integer(),
  /** All targets: `reaches` of `of`. */
  of: Type.Integer(),
  state: Type.Union([
    Type.Literal('waiting'),
    Type.Literal('active'),
    Type.Literal('passed'),
    Type.Literal('failed'),
    Type.Literal('skipped'),
  ]),
  /** For people: `not started`, `waiting`, `applying`, `soaking`, `paused`, `passed`, `done`, `FAILED`, `skipped`. */
  word: Type.String(),
  /** What follows the word: `0:12 of 0:30`, `after 1.2 s`, `2m 0s`, `adds no node`; may be empty. */
  text: Type.String(),
  soakMs: Type.Integer(),
  /** Before the step: ms, or until a person promotes. */
  pause: Nullable(Type.Union([Type.Integer(), Type.Literal('human')])),
  startedAt: Nullable(Time),
  /** From the first push to the last answer. */
  appliedMs: Nullable(Type.Integer()),
  endedAt: Nullable(Time),
  /** Nodes that this step adds, grouped; empty for steps that were not reached, and in lists. */
  nodes: Type.Array(StepNodes),
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
  /** With its numbers: `moved 4.1 %, others 0.2 %, 412 requests`. */
  text: Type.String(),
  /** `at most 2 points above the others`; null: any single one fails. */
  limit: Nullable(Type.String()),
  /** Percent for 5xx, ms for latency. */
  moved: Nullable(Type.Object({ value: Nullable(Type.Number()), requests: Type.Integer() })),
  others: Nullable(Type.Object({ value: Nullable(Type.Number()), requests: Type.Integer() })),
  /** Failed samples so far. */
  failures: Type.Integer(),
  /** Zero tolerance, judged all the time. */
  hard: Type.Boolean(),
  /** Reports only. */
  dryRun: Type.Boolean(),
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
  /** The first node. */
  node: Nullable(Type.String()),
  /** The first 20. */
  nodes: Type.Array(Type.String()),
  count: Type.Integer(),
  /** Envoy's text for a refusal, the numbers for the others. */
  text: Type.String(),
  at: Time,
  /** Number of the step in which it happened; null: while baking, or before the first. */
  step: Nullable(Type.Integer()),
});

export const RolloutBack = Type.Object({
  /** Connected nodes that had been moved. */
  touched: Type.Integer(),
  /** Those that run what they ran before. */
  confirmed: Type.Integer(),
  /** The first 20 that did not confirm. */
  missing: Type.Array(Type.String()),
  startedAt: Time,
  tookMs: Nullable(Type.Integer()),
  /** `27 of 27 nodes are back on revision 7 (2.9 s)`. */
  text: Type.String(),
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
  /** null: not known. */
  totalMs: Nullable(Type.Integer()),
  /** False: it stands still, because of a pause or because Attaché waits for nodes after its own start. */
  running: Type.Boolean(),
});

export const RolloutCounts = Type.Object({
  /** Nodes that are to get it, as fixed at the start. */
  targets: Type.Integer(),
  /** Targets that were moved so far. */
  touched: Type.Integer(),
  untouched: Type.Integer(),
  /** Moved targets that run it. */
  done: Type.Integer(),
  refused: Type.Integer(),
  /** Moved targets that neither run it nor refused it. */
  waiting: Type.Integer(),
  /** Targets that are not connected; they get it when they return. */
  disconnected: Type.Integer(),
});

/** A selected node that does not take part. */
export const NodeOutside = Type.Object({
  node: Type.String(),
  /** Excluded, NoPlace, NoV8. */
  reason: Type.String(),
  text: Type.String(),
});

/** What can be typed next. */
export const NextCommand = Type.Object({
  /** `attache rollout retry edge/auth`; null: nothing to type. */
  command: Nullable(Type.String()),
  /** What it is for: `to try it again`. */
  text: Type.String(),
});
export type NextCommand = Static<typeof NextCommand>;

/** Moving a plugin's nodes from one revision to another, step by step. */
export const RolloutView = Type.Object({
  kind: Type.Literal('Rollout'),
  /** `namespace.plugin.number` */
  id: Type.String(),
  /** `<namespace>/<name>` */
  plugin: Type.String(),
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
  /** `7 → 8`, `– → revision 1`, `7 → none`, `7, other nodes`. */
  title: Type.String(),
  from: RolloutSide,
  /** null: there is no module yet, or never was. */
  to: Nullable(RolloutSide),
  preset: Nullable(Type.String()),
  /** `preset fast (default below 10 nodes): 1 node, then 1 min bake` */
  plan: Type.String(),
  by: Type.String(),
  /** What the person wrote with `-m`. */
  message: Nullable(Type.String()),

  phase: RolloutPhaseWord,
  /** A word beside the phase, e.g. Human, Frozen, Refused, NoNodes. */
  reason: Nullable(Type.String()),
  /** It is under way. */
  active: Type.Boolean(),
  /** Nothing goes on before a person does something. */
  waitsForPerson: Type.Boolean(),
  /** The reason in one sentence. */
  why: Nullable(Type.String()),
  hint: Nullable(Type.String()),
  /** Error code of docs/errors.md, for NotStarted and a Validating that retries. */
  code: Nullable(Type.String()),
  /** One sentence for the end: `Succeeded in 1m 2s: 1 of 1 node runs revision 1`; null while active. */
  outcome: Nullable(Type.String()),
  /** When the phase began. */
  since: Time,
  startedAt: Time,
  endedAt: Nullable(Time),
  /** The time of this answer, by the server's clock: what durations are counted to. */
  asOf: Time,

  /** The step under way, or the last one; null: none yet. */
  step: Nullable(Type.Integer()),
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
      /** How much of it passed. */
      elapsedMs: Type.Integer(),
    }),
  ),
  timer: Nullable(RolloutTimer),
  /** Time that the rest takes if nothing goes wrong and nobody has to act; null: ended, or not known. */
  expectedMs: Nullable(Type.Integer()),
  gates: Type.Array(GateView),
  counts: RolloutCounts,
  outside: Type.Array(NodeOutside),
  failure: Nullable(RolloutFailureView),
  back: Nullable(RolloutBack),
  /** Lines that tell where the cause is, and what the trial run could not know. */
  cause: Type.Array(Type.String()),
  /** `Attaché restarted at …; 211 of 299 Envoys are back, waiting for the rest before judging`, and the like. */
  notes: Type.Array(Type.String()),
  /** What is legal now. */
  actions: Type.Array(RolloutActionWord),
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
  /** `spec.pluginConfig.realm` */
  path: Type.String(),
  /** JSON text; null: absent on that side. */
  before: Nullable(Type.String()),
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
  /** null: to none, or there is no module. */
  revision: Nullable(Type.Integer()),
  digest: Nullable(Type.String()),
  config: Nullable(Type.String()),
  /** Against the revision that the rollout started from. */
  diff: Type.Array(ConfigChange),
  result: RolloutPhaseWord,
  /** Who and why. */
  by: Type.String(),
  message: Nullable(Type.String()),
  /** `refused by 3 nodes`, `503 on edge-b-112`; null where nothing failed. */
  cause: Nullable(Type.String()),
  startedAt: Time,
  endedAt: Nullable(Time),
  /** Until now while it is active. */
  durationMs: Type.Integer(),
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
  /** One sentence for a person. */
  text: Type.String(),
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
