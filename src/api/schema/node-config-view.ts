import { JsonObjectSchema, Nullable, Time } from './metadata.ts';
import { ResourceStateWord } from './node-view.ts';
import { type Static, Type } from './type.ts';

/** One resource of a node with its content. */
export const ResourceContent = Type.Object({
  type: Type.String({ description: '`listeners`, `clusters` …' }),
  name: Type.String(),
  state: ResourceStateWord,
  version: Nullable(Type.String({ description: 'Of `resource`' })),
  /** Proto3 JSON with `@type`; null: `note` says why. */
  resource: Nullable(JsonObjectSchema),
  redacted: Type.Array(Type.String(), {
    description: "JSON pointers into `resource`: what Envoy's API marks as sensitive is not shown",
  }),
  note: Nullable(Type.String({ description: 'What is to be known of `resource` beside it' })),
});
export type ResourceContent = Static<typeof ResourceContent>;

/** The resources of a node, as they were sent. */
export const NodeConfigView = Type.Object({
  kind: Type.Literal('NodeConfig'),
  node: Type.String(),
  connected: Type.Boolean({
    description: 'False: nothing is known of now, and `resources` are what the node is to have',
  }),
  at: Time,
  resources: Type.Array(ResourceContent),
  leftOut: Type.Array(Type.String(), { description: 'Sentences: what is not shown as it was sent' }),
});
export type NodeConfigView = Static<typeof NodeConfigView>;

/** How much the plugins of a node log. */
export const NodeLogLevel = Type.Object({
  kind: Type.Literal('NodeLogLevel'),
  node: Type.String(),
  /** Envoy's logger: `wasm` is that of plugins. */
  logger: Type.Literal('wasm'),
  level: Type.String(),
  text: Type.String({ description: 'One sentence for a person' }),
});
export type NodeLogLevel = Static<typeof NodeLogLevel>;

/** The last lines that plugins wrote into the log of a node. */
export const NodeLogs = Type.Object({
  kind: Type.Literal('NodeLogs'),
  node: Type.String(),
  file: Type.String({ description: 'Relative to the folder of the setting node-log-directory' }),
  /** When the file was written last. */
  writtenAt: Time,
  lines: Type.Array(Type.String(), { description: 'Oldest first, as Envoy wrote them' }),
  lookedAtBytes: Nullable(
    Type.Integer({
      description: 'Only so much of the end of the file was looked at, bytes; null: all of it',
    }),
  ),
});
export type NodeLogs = Static<typeof NodeLogs>;
