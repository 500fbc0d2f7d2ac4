import { ApplyResult, Metadata, Next } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** Nodes under one name, for targetRefs of plugins. */
export const NodeGroupView = Type.Object({
  kind: Type.Literal('NodeGroup'),
  apiVersion: Type.Literal('attache/v1'),
  metadata: Metadata,
  /** As it was written. */
  spec: Type.Object({
    selector: Type.Optional(Type.Object({ matchLabels: Type.Record(Type.String(), Type.String()) })),
    nodes: Type.Optional(Type.Array(Type.String(), { description: 'ids; * stands for any characters' })),
  }),
  status: Type.Object({
    nodes: Type.Object({ known: Type.Integer(), connected: Type.Integer() }),
    usedBy: Type.Array(Type.String(), {
      description: 'Plugins, `<namespace>/<name>`, whose targetRefs name it',
    }),
  }),
});
export type NodeGroupView = Static<typeof NodeGroupView>;

export const NodeGroupList = Type.Object({
  kind: Type.Literal('NodeGroupList'),
  items: Type.Array(NodeGroupView, { description: 'by namespace and name' }),
  next: Next,
});
export type NodeGroupList = Static<typeof NodeGroupList>;

/** The answer to a PUT; `dryRun`: what it would be. */
export const NodeGroupApplyAnswer = Type.Intersect([
  NodeGroupView,
  Type.Object({
    result: ApplyResult,
    warnings: Type.Array(Type.String()),
    dryRun: Type.Boolean(),
    moves: Type.Array(Type.String(), {
      description: 'Plugins that it moves: each by a rollout to other nodes, in its own steps',
    }),
  }),
]);
export type NodeGroupApplyAnswer = Static<typeof NodeGroupApplyAnswer>;
