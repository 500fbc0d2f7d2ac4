import { type Static, Type } from 'typebox';
import { FreezeView } from './freeze-view.ts';
import { ListenerImpact } from './listener-impact.ts';
import { Nullable } from './metadata.ts';
import { ConfigChange, NextCommand, NodeOutside } from './rollout-view.ts';

/*
 * What a change would do. `text`, `title`, `warnings` are ready to print; in a list of documents each is planned as if
 * those before it were stored already.
 */

/** What the document would do: `held-back` changes nothing, because this content failed or was undone. */
export const PlanResult = Type.Union([
  Type.Literal('created'),
  Type.Literal('configured'),
  Type.Literal('unchanged'),
  Type.Literal('held-back'),
  Type.Literal('deleted'),
  /** The module cannot be used: see `problem`. */
  Type.Literal('failed'),
]);
export type PlanResult = Static<typeof PlanResult>;

export const PlannedModuleView = Type.Object({
  /** Lower-case hex of the module bytes; null: none, or not known. */
  before: Nullable(Type.String()),
  after: Nullable(Type.String()),
  /** null: not known, the module could not be had. */
  changed: Nullable(Type.Boolean()),
  url: Type.String(),
  /** Of the one after; null: not known. */
  sizeBytes: Nullable(Type.Integer()),
  abi: Nullable(Type.String()),
  importCount: Nullable(Type.Integer()),
  /** `unchanged (9f2c4be01d77)`, `9f2c4be01d77 → 41d0aa93be02, 254 KB`. */
  text: Type.String(),
});
export type PlannedModuleView = Static<typeof PlannedModuleView>;

/** Why the module cannot be used. */
export const PlanProblem = Type.Object({
  /** Error code of docs/errors.md. */
  code: Type.String(),
  message: Type.String(),
  hint: Nullable(Type.String()),
  /** It may pass by itself: applied, it would be tried again for an hour. */
  transient: Type.Boolean(),
});

/** A plugin in the chain of a listener. */
export const ChainLink = Type.Object({
  /** `<namespace>/<name>` */
  plugin: Type.String(),
  revision: Type.Integer(),
  phase: Type.String(),
  priority: Type.Integer(),
  /** Why it stands behind the one before it: `priority 0 is lower than 5`; null: it is the first. */
  why: Nullable(Type.String()),
});
export type ChainLink = Static<typeof ChainLink>;

/** Connected nodes whose chain on a listener is the same before, and the same after. */
export const PlanChain = Type.Object({
  count: Type.Integer(),
  /** The first 20 by name. */
  nodes: Type.Array(Type.String()),
  layout: Type.Union([Type.Literal('chain'), Type.Literal('single')]),
  /** The listener, several of them, or `every listener`. */
  where: Type.String(),
  before: Type.Array(ChainLink),
  after: Type.Array(ChainLink),
  order: Type.Union([Type.Literal('unchanged'), Type.Literal('changed')]),
  /** The listener itself is sent again: its connections drain. Only before Envoy 1.39. */
  listenerUpdate: Type.Boolean(),
  /** `auth (AUTHN) → limit → router`, and the same after. */
  beforeText: Type.String(),
  afterText: Type.String(),
  /** `chain on 1 node (laptop), listener ingress: auth (AUTHN) → router; order unchanged, no listener update` */
  text: Type.String(),
});
export type PlanChain = Static<typeof PlanChain>;

export const PlanStep = Type.Object({
  /** 1, 2, 3 … */
  number: Type.Integer(),
  wave: Nullable(Type.String()),
  /** `10 % asked` */
  asked: Type.String(),
  /** Targets reached when this step is done: cumulative, over all waves. */
  reaches: Type.Integer(),
  /** Nodes that it adds: `count`, and the first 20 of them in their order. 0: the step is skipped. */
  count: Type.Integer(),
  nodes: Type.Array(Type.String()),
  soakMs: Type.Integer(),
  /** Before the step: ms, or until a person promotes. */
  pause: Nullable(Type.Union([Type.Integer(), Type.Literal('human')])),
  text: Type.String(),
});
export type PlanStep = Static<typeof PlanStep>;

/** The rollout that the change would start. */
export const PlannedRollout = Type.Object({
  id: Type.String(),
  /** Which rollout it would take over from; null: none is under way. */
  supersedes: Nullable(Type.String()),
  preset: Nullable(Type.String()),
  targets: Type.Integer(),
  /** Targets that are not connected: they get it when they return. */
  disconnected: Type.Integer(),
  /** Empty: no connected node is to change, so that it is live at once, without a bake. */
  steps: Type.Array(PlanStep),
  bakeMs: Type.Integer(),
  /** If nothing goes wrong and nobody has to act. */
  expectedMs: Type.Integer(),
  /** `steps: 1 laptop; then 1 min bake` */
  text: Type.String(),
});
export type PlannedRollout = Static<typeof PlannedRollout>;

/** Content that failed, or that a person undid: applied now it would change nothing. */
export const PlanHeld = Type.Object({
  revision: Nullable(Type.Integer()),
  /** `revision 2 was undone by admin at … ("liked the old one")` */
  text: Type.String(),
  next: Type.Array(NextCommand),
});

export const PluginPlan = Type.Object({
  kind: Type.Literal('PluginPlan'),
  /** `<namespace>/<name>` */
  plugin: Type.String(),
  result: PlanResult,
  /** The document is not what stands: its text, the module behind its tag, or what nodes run. */
  differs: Type.Boolean(),
  /** What nodes run or are being moved to now; null: none. */
  before: Nullable(Type.Integer()),
  /** null: none (a delete), or not known (`problem`). */
  after: Nullable(Type.Integer()),
  /** The revision is made by it; false: it is there already, or there is none. */
  newRevision: Type.Boolean(),
  /** `revision 1 → 2`, `revision 1`, `– → revision 1`, `revision 2 → none`, `revision 2, other nodes` */
  title: Type.String(),
  /** Of the document, leaf by leaf. */
  changes: Type.Array(ConfigChange),
  /** null: a delete. */
  module: Nullable(PlannedModuleView),
  problem: Nullable(PlanProblem),
  /** Where the plugin is, was or will be; one entry a group of equal nodes and listener. */
  chains: Type.Array(PlanChain),
  /** null: no node and no later node would get anything else. */
  rollout: Nullable(PlannedRollout),
  /** Selected nodes that do not take part. */
  outside: Type.Array(NodeOutside),
  held: Nullable(PlanHeld),
  /** All changes are stopped: applied now it would be refused. */
  frozen: Nullable(FreezeView),
  warnings: Type.Array(Type.String()),
});
export type PluginPlan = Static<typeof PluginPlan>;

/** A raw Envoy resource has no steps. */
export const ResourcePlan = Type.Object({
  kind: Type.Literal('ResourcePlan'),
  /** `listeners`, `clusters` … */
  type: Type.String(),
  namespace: Type.String(),
  name: Type.String(),
  envoyName: Type.String(),
  result: PlanResult,
  differs: Type.Boolean(),
  changes: Type.Array(ConfigChange),
  /** Connected nodes that get it, or lose it, at once: how many, and the first 20 by name. */
  count: Type.Integer(),
  nodes: Type.Array(Type.String()),
  disconnected: Type.Integer(),
  /** Listeners that it removes, moves or breaks on connected nodes, and whether they carry traffic there. */
  listeners: Type.Array(ListenerImpact),
  frozen: Nullable(FreezeView),
  /** `sent to 300 nodes at once` */
  text: Type.String(),
  warnings: Type.Array(Type.String()),
});
export type ResourcePlan = Static<typeof ResourcePlan>;

export const Plan = Type.Object({
  kind: Type.Literal('Plan'),
  /** Of any of the items. */
  differs: Type.Boolean(),
  /** In the order of the documents. */
  items: Type.Array(Type.Union([PluginPlan, ResourcePlan])),
});
export type Plan = Static<typeof Plan>;

/** Beside documents a list may hold this. */
export const PlannedDelete = Type.Object(
  {
    delete: Type.Object(
      {
        kind: Type.Union([Type.Literal('Plugin'), Type.Literal('EnvoyResource')]),
        /** Of a resource: `listeners`, `clusters` … */
        type: Type.Optional(Type.String()),
        namespace: Type.Optional(Type.String({ description: 'default: default' })),
        name: Type.String(),
        now: Type.Optional(Type.Boolean({ description: 'all nodes at once' })),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type PlannedDelete = Static<typeof PlannedDelete>;
