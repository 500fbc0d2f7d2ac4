import { type Static, Type } from 'typebox';
import { JsonObjectSchema, Nullable, Time } from './metadata.ts';
import { ResourceStateWord } from './node-view.ts';

/** One resource of a node with its content. */
export const ResourceContent = Type.Object({
  /** `listeners`, `clusters` … */
  type: Type.String(),
  name: Type.String(),
  state: ResourceStateWord,
  /** Of `resource`. */
  version: Nullable(Type.String()),
  /** Proto3 JSON with `@type`; null: `note` says why. */
  resource: Nullable(JsonObjectSchema),
  /** JSON pointers into `resource`: what Envoy's API marks as sensitive is not shown. */
  redacted: Type.Array(Type.String()),
  /** What is to be known of `resource` beside it. */
  note: Nullable(Type.String()),
});
export type ResourceContent = Static<typeof ResourceContent>;

/** The resources of a node, as they were sent. */
export const NodeConfigView = Type.Object({
  kind: Type.Literal('NodeConfig'),
  node: Type.String(),
  /** False: nothing is known of now, and `resources` are what the node is to have. */
  connected: Type.Boolean(),
  at: Time,
  resources: Type.Array(ResourceContent),
  /** Sentences: what is not shown as it was sent. */
  leftOut: Type.Array(Type.String()),
});
export type NodeConfigView = Static<typeof NodeConfigView>;

/** How much the plugins of a node log. */
export const NodeLogLevel = Type.Object({
  kind: Type.Literal('NodeLogLevel'),
  node: Type.String(),
  /** Envoy's logger: `wasm` is that of plugins. */
  logger: Type.Literal('wasm'),
  level: Type.String(),
  /** One sentence for a person. */
  text: Type.String(),
});
export type NodeLogLevel = Static<typeof NodeLogLevel>;

/** The last lines that plugins wrote into the log of a node. */
export const NodeLogs = Type.Object({
  kind: Type.Literal('NodeLogs'),
  node: Type.String(),
  /** Relative to the folder of the setting node-log-directory. */
  file: Type.String(),
  /** When the file was written last. */
  writtenAt: Time,
  /** Oldest first, as Envoy wrote them. */
  lines: Type.Array(Type.String()),
  /** Only so much of the end of the file was looked at, bytes; null: all of it. */
  lookedAtBytes: Nullable(Type.Integer()),
});
export type NodeLogs = Static<typeof NodeLogs>;
