import { ApplyResult, JsonObjectSchema, Metadata, Next, Nullable, Time } from './metadata.ts';
import { PluginOnNode } from './node-view.ts';
import { PluginPlan } from './plan-view.ts';
import { ConfigChange, NextCommand, RolloutPhaseWord } from './rollout-view.ts';
import { SignatureView } from './signature-view.ts';
import { TrialView } from './trial-view.ts';
import { type Static, Type } from './type.ts';

/** The facts about a module that a revision keeps. */
export const ModuleOfRevision = Type.Object({
  sha256: Type.String({ description: 'Lower-case hex of the module bytes: the digest that Envoy checks' }),
  sizeBytes: Type.Integer(),
  url: Type.String(),
  referenceDigest: Nullable(
    Type.String({ description: 'The digest that the URL named at the time, `sha256:<hex>`' }),
  ),
  manifestDigest: Nullable(Type.String()),
  layout: Type.String(),
  abi: Type.String(),
  importCount: Type.Integer(),
  mirror: Nullable(
    Type.String({
      description: 'The mirror that gave it, `HOST/REPOSITORY`; null: the registry itself, or no registry',
    }),
  ),
  signature: Nullable(SignatureView),
  trial: Nullable(TrialView),
});
export type ModuleOfRevision = Static<typeof ModuleOfRevision>;

/** Connected and disconnected nodes that the plugin selects; `noPlace` ones are in no other count. */
export const NodeCounts = Type.Object({
  targeted: Type.Integer({
    description: 'Selected and able to run it: accepted + refused + waiting + disconnected',
  }),
  accepted: Type.Integer({ description: 'Connected and running what it is to run, Loaded ones included' }),
  loaded: Type.Integer({
    description: 'Of the accepted ones those that are proven to run it on every worker',
  }),
  refused: Type.Integer(),
  waiting: Type.Integer({
    description: 'Connected, neither accepted nor refused: Pending, Sent, Fetching, Stale, Degraded',
  }),
  pending: Type.Integer({ description: 'Of the waiting ones those whose step has not come' }),
  degraded: Type.Integer({ description: 'Of the waiting ones those that fail since they run it' }),
  disconnected: Type.Integer(),
  noPlace: Type.Integer({ description: 'Selected, but without any place for it, or without Wasm' }),
});

export const PluginRefusal = Type.Object({
  revision: Type.Integer(),
  node: Type.String({ description: 'The first node that refused' }),
  message: Type.String({ description: "Envoy's text" }),
  since: Time,
  cause: Type.String(),
});

export const PluginRollout = Type.Object({
  id: Type.String(),
  phase: RolloutPhaseWord,
  active: Type.Boolean(),
  plan: Type.String({ description: '`preset fast (default below 10 nodes): 1 node, then 1 min bake`' }),
  by: Type.String(),
});

/** Content that failed or was undone, and is not tried again before somebody asks for it. */
export const HeldBack = Type.Object({
  revision: Nullable(Type.Integer({ description: 'null: to run none' })),
  text: Type.String({ description: 'What happened to it, in sentences ready to print' }),
  next: Type.Array(NextCommand),
});
export type HeldBack = Static<typeof HeldBack>;

export const PluginStatus = Type.Object({
  /**
   * How far the newest document got, in the words of its rollout; Progressing also while a revision has no rollout
   * yet.
   */
  phase: RolloutPhaseWord,
  reason: Nullable(Type.String({ description: 'A word beside the phase, e.g. NoNodes, ModuleUnavailable.' })),
  message: Nullable(Type.String()),
  hint: Nullable(Type.String()),
  code: Nullable(
    Type.String({ description: 'Error code of docs/errors.md, while Validating (retrying) or NotStarted' }),
  ),
  settled: Type.Boolean({
    description:
      'Nothing will change any more by itself: Succeeded, NotStarted, or RolledBack on every connected node',
  }),
  currentRevision: Nullable(
    Type.Integer({ description: 'The revision that the nodes are to run now; null: none' }),
  ),
  desiredRevision: Nullable(
    Type.Integer({
      description: 'The revision made from the newest document; null: not made yet, or it failed',
    }),
  ),
  /** Of `currentRevision`, else of `desiredRevision`. */
  module: Nullable(ModuleOfRevision),
  nodes: NodeCounts,
  refusal: Nullable(PluginRefusal),
  /** The rollout under way, else the last one; null: none was made yet. */
  rollout: Nullable(PluginRollout),
  /** What the document asks for, and is not tried again by itself. */
  heldBack: Nullable(HeldBack),
  /** Why the tag of its url could not be followed when it was last looked up; null: it could, or need not be. Nothing was changed by it. */
  tag: Nullable(
    Type.Object({ code: Type.String(), message: Type.String(), hint: Nullable(Type.String()), since: Time }),
  ),
  /** It is being removed, or was; a new PUT brings it back. */
  deleted: Nullable(Type.Object({ by: Type.String(), message: Nullable(Type.String()), since: Time })),
  since: Time,
});

/** A plugin: the document as it is wanted, and how far it got. */
export const PluginView = Type.Object({
  kind: Type.Literal('Plugin'),
  apiVersion: Type.Literal('attache/v1'),
  metadata: Metadata,
  spec: JsonObjectSchema,
  status: PluginStatus,
  /** One entry a node that is selected (and none else); only where a single plugin is asked for. */
  onNodes: Type.Optional(Type.Array(PluginOnNode)),
});
export type PluginView = Static<typeof PluginView>;

export const PluginList = Type.Object({
  kind: Type.Literal('PluginList'),
  items: Type.Array(PluginView, { description: 'by namespace and name' }),
  next: Next,
});
export type PluginList = Static<typeof PluginList>;

/** held-back: nothing was stored; `status.heldBack` says why, and what lifts it. */
export const PluginApplyResult = Type.Union([...ApplyResult.anyOf, Type.Literal('held-back')]);
export type PluginApplyResult = Static<typeof PluginApplyResult>;

/** The answer to a PUT of a plugin; `dryRun`: what it would be. */
export const PluginApplyAnswer = Type.Intersect([
  PluginView,
  Type.Object({
    result: PluginApplyResult,
    warnings: Type.Array(Type.String()),
    dryRun: Type.Boolean(),
    /** Of a dry run: what it would do to the nodes. */
    plan: Type.Optional(PluginPlan),
  }),
]);
export type PluginApplyAnswer = Static<typeof PluginApplyAnswer>;

/** A row of a plugin's history. */
export const RevisionView = Type.Object({
  kind: Type.Literal('Revision'),
  plugin: Type.String(),
  number: Type.Integer(),
  contentHash: Type.String(),
  config: Type.String({ description: 'The first six characters of the hash of the configuration' }),
  /** live: nodes are to run it. refused, held-back: it is not tried again by itself. superseded: none of these. */
  result: Type.Union([
    Type.Literal('live'),
    Type.Literal('refused'),
    Type.Literal('held-back'),
    Type.Literal('superseded'),
  ]),
  module: ModuleOfRevision,
  spec: JsonObjectSchema,
  message: Nullable(Type.String()),
  createdAt: Time,
});
export type RevisionView = Static<typeof RevisionView>;

export const RevisionList = Type.Object({
  kind: Type.Literal('RevisionList'),
  items: Type.Array(RevisionView, { description: 'newest first' }),
  next: Next,
});
export type RevisionList = Static<typeof RevisionList>;

/** What differs between two revisions. */
export const RevisionDiff = Type.Object({
  kind: Type.Literal('RevisionDiff'),
  plugin: Type.String(),
  from: Type.Integer(),
  to: Type.Integer(),
  changes: Type.Array(ConfigChange, { description: 'empty: the same content' }),
});
export type RevisionDiff = Static<typeof RevisionDiff>;

/** The answer to a DELETE: 202 while nodes still run it, else 200. */
export const DeleteAnswer = Type.Object({
  kind: Type.Literal('Deleted'),
  deleted: Type.Object({ kind: Type.String(), namespace: Type.String(), name: Type.String() }),
  dryRun: Type.Boolean({ description: 'Nothing was stored: the rest is what it would be' }),
  nodes: Type.Integer({ description: 'Connected nodes that have it, and let go of it' }),
  rollout: Nullable(
    Type.String({
      description:
        'Id of the rollout that takes a plugin off its nodes; null: there is none, or it begins in a moment',
    }),
  ),
  text: Type.String({ description: 'One sentence for a person' }),
  /** Of a dry run: what it would do to the nodes. */
  plan: Type.Optional(PluginPlan),
});
export type DeleteAnswer = Static<typeof DeleteAnswer>;
