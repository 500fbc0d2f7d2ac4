import { ApplyResult, JsonObjectSchema, Metadata, Next, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** A raw Envoy resource. */
export const ResourceView = Type.Object({
  kind: Type.Literal('EnvoyResource'),
  apiVersion: Type.Literal('attache/v1'),
  metadata: Metadata,
  type: Type.String({ description: '`listeners`, `clusters` …' }),
  spec: Type.Object({
    selector: Type.Optional(JsonObjectSchema),
    slots: Type.Optional(JsonObjectSchema),
    resource: JsonObjectSchema,
  }),
  status: Type.Object({
    typeUrl: Type.String(),
    envoyName: Type.String({ description: 'The name inside the resource: what Envoy calls it' }),
    nodes: Type.Object({
      targeted: Type.Integer({ description: 'Connected nodes that it selects' }),
      refused: Type.Integer(),
      disconnected: Type.Integer(),
    }),
    /** Nodes that refused it, with Envoy's text. */
    refusals: Type.Array(Type.Object({ node: Type.String(), message: Type.String(), since: Time })),
  }),
});
export type ResourceView = Static<typeof ResourceView>;

export const ResourceList = Type.Object({
  kind: Type.Literal('EnvoyResourceList'),
  items: Type.Array(ResourceView, { description: 'by type, namespace and name' }),
  next: Next,
});
export type ResourceList = Static<typeof ResourceList>;

/** The answer to a PUT of a resource; `dryRun`: what it would be. */
export const ResourceApplyAnswer = Type.Intersect([
  ResourceView,
  Type.Object({ result: ApplyResult, warnings: Type.Array(Type.String()), dryRun: Type.Boolean() }),
]);
export type ResourceApplyAnswer = Static<typeof ResourceApplyAnswer>;
