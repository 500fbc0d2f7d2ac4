import { FreezeView } from './freeze-view.ts';
import { ListenerImpact } from './listener-impact.ts';
import { Nullable } from './metadata.ts';
import { ConfigChange, NextCommand, NodeOutside } from './rollout-view.ts';
import { type Static, Type } from './type.ts';

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
  before: Nullable(
    Type.String({ description: 'Lower-case hex of the module bytes; null: none, or not known' }),
  ),
  after: Nullable(Type.String()),
  changed: Nullable(Type.Boolean({ description: 'null: not known, the module could not be had' })),
  url: Type.String(),
  sizeBytes: Nullable(Type.Integer({ description: 'Of the one after; null: not known' })),
  abi: Nullable(Type.String()),
  importCount: Nullable(Type.Integer()),
  text: Type.String({ description: '`unchanged (9f2c4be01d77)`, `9f2c4be01d77 → 41d0aa93be02, 254 KB`' }),
});
export type PlannedModuleView = Static<typeof PlannedModuleView>;

/** Why the module cannot be used. */
export const PlanProblem = Type.Object({
  code: Type.String({ description: 'Error code of docs/errors.md' }),
  message: Type.String(),
  hint: Nullable(Type.String()),
  transient: Type.Boolean({
    description: 'It may pass by itself: applied, it would be tried again for an hour',
  }),
});

/** A plugin in the chain of a listener. */
export const ChainLink = Type.Object({
  plugin: Type.String({ description: '`<namespace>/<name>`' }),
  revision: Type.Integer(),
  phase: Type.String(),
  priority: Type.Integer(),
  why: Nullable(
    Type.String({
      description:
        'Why it stands behind the one before it: `priority 0 is lower than 5`; null: it is the first',
    }),
  ),
});
export type ChainLink = Static<typeof ChainLink>;

/** Connected nodes whose chain on a listener is the same before, and the same after. */
export const PlanChain = Type.Object({
  count: Type.Integer(),
  nodes: Type.Array(Type.String(), { description: 'The first 20 by name' }),
  layout: Type.Union([Type.Literal('chain'), Type.Literal('single')]),
  where: Type.String({ description: 'The listener, several of them, or `every listener`' }),
  before: Type.Array(ChainLink),
  after: Type.Array(ChainLink),
  order: Type.Union([Type.Literal('unchanged'), Type.Literal('changed')]),
  listenerUpdate: Type.Boolean({
    description: 'The listener itself is sent again: its connections drain. Only before Envoy 1.39.',
  }),
  beforeText: Type.String({ description: '`auth (AUTHN) → limit → router`, and the same after' }),
  afterText: Type.String(),
  text: Type.String({
    description:
      '`chain on 1 node (laptop), listener ingress: auth (AUTHN) → router; order unchanged, no listener update`',
  }),
});
export type PlanChain = Static<typeof PlanChain>;

export const PlanStep = Type.Object({
  number: Type.Integer({ description: '1, 2, 3 …' }),
  wave: Nullable(Type.String()),
  asked: Type.String({ description: '`10 % asked`' }),
  reaches: Type.Integer({
    description: 'Targets reached when this step is done: cumulative, over all waves',
  }),
  count: Type.Integer({
    description:
      'Nodes that it adds: `count`, and the first 20 of them in their order. 0: the step is skipped.',
  }),
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
  supersedes: Nullable(
    Type.String({ description: 'Which rollout it would take over from; null: none is under way' }),
  ),
  preset: Nullable(Type.String()),
  targets: Type.Integer(),
  disconnected: Type.Integer({ description: 'Targets that are not connected: they get it when they return' }),
  steps: Type.Array(PlanStep, {
    description: 'Empty: no connected node is to change, so that it is live at once, without a bake',
  }),
  bakeMs: Type.Integer(),
  expectedMs: Type.Integer({ description: 'If nothing goes wrong and nobody has to act' }),
  text: Type.String({ description: '`steps: 1 laptop; then 1 min bake`' }),
});
export type PlannedRollout = Static<typeof PlannedRollout>;

/** Content that failed, or that a person undid: applied now it would change nothing. */
export const PlanHeld = Type.Object({
  revision: Nullable(Type.Integer()),
  text: Type.String({ description: '`revision 2 was undone by admin at … ("liked the old one")`' }),
  next: Type.Array(NextCommand),
});

export const PluginPlan = Type.Object({
  kind: Type.Literal('PluginPlan'),
  plugin: Type.String({ description: '`<namespace>/<name>`' }),
  result: PlanResult,
  differs: Type.Boolean({
    description: 'The document is not what stands: its text, the module behind its tag, or what nodes run',
  }),
  before: Nullable(Type.Integer({ description: 'What nodes run or are being moved to now; null: none' })),
  after: Nullable(Type.Integer({ description: 'null: none (a delete), or not known (`problem`)' })),
  newRevision: Type.Boolean({
    description: 'The revision is made by it; false: it is there already, or there is none',
  }),
  title: Type.String({
    description:
      '`revision 1 → 2`, `revision 1`, `– → revision 1`, `revision 2 → none`, `revision 2, other nodes`',
  }),
  changes: Type.Array(ConfigChange, { description: 'Of the document, leaf by leaf' }),
  /** null: a delete. */
  module: Nullable(PlannedModuleView),
  problem: Nullable(PlanProblem),
  chains: Type.Array(PlanChain, {
    description: 'Where the plugin is, was or will be; one entry a group of equal nodes and listener',
  }),
  /** null: no node and no later node would get anything else. */
  rollout: Nullable(PlannedRollout),
  outside: Type.Array(NodeOutside, { description: 'Selected nodes that do not take part' }),
  held: Nullable(PlanHeld),
  /** All changes are stopped: applied now it would be refused. */
  frozen: Nullable(FreezeView),
  warnings: Type.Array(Type.String()),
});
export type PluginPlan = Static<typeof PluginPlan>;

/** A raw Envoy resource has no steps. */
export const ResourcePlan = Type.Object({
  kind: Type.Literal('ResourcePlan'),
  type: Type.String({ description: '`listeners`, `clusters` …' }),
  namespace: Type.String(),
  name: Type.String(),
  envoyName: Type.String(),
  result: PlanResult,
  differs: Type.Boolean(),
  changes: Type.Array(ConfigChange),
  count: Type.Integer({
    description: 'Connected nodes that get it, or lose it, at once: how many, and the first 20 by name',
  }),
  nodes: Type.Array(Type.String()),
  disconnected: Type.Integer(),
  listeners: Type.Array(ListenerImpact, {
    description:
      'Listeners that it removes, moves or breaks on connected nodes, and whether they carry traffic there',
  }),
  frozen: Nullable(FreezeView),
  text: Type.String({ description: '`sent to 300 nodes at once`' }),
  warnings: Type.Array(Type.String()),
});
export type ResourcePlan = Static<typeof ResourcePlan>;

export const Plan = Type.Object({
  kind: Type.Literal('Plan'),
  differs: Type.Boolean({ description: 'Of any of the items' }),
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
