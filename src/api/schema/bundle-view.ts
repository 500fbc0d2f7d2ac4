import { type Static, Type } from 'typebox';
import { EventView } from './event-view.ts';
import { Nullable, Time } from './metadata.ts';
import { NodeConfigView } from './node-config-view.ts';
import { NodeView } from './node-view.ts';
import { PluginView } from './plugin-view.ts';
import { HistoryRow, RolloutView } from './rollout-view.ts';

const Head = {
  /** Of this file. */
  format: Type.Literal(1),
  at: Time,
  server: Type.Object({ version: Type.String(), startedAt: Time }),
  /** A sentence for who gives it away. */
  note: Type.String(),
};
const Tail = {
  /** Sentences: what is not in it, and why. */
  leftOut: Type.Array(Type.String()),
  /** JSON pointers into this file: what was blotted out. */
  redacted: Type.Array(Type.String()),
};

/** All about a node in one file, to be attached to a report. Without secrets and plugin configurations. */
export const NodeBundle = Type.Object({
  kind: Type.Literal('NodeBundle'),
  ...Head,
  node: NodeView,
  config: NodeConfigView,
  /** Plugin documents that are for the node. */
  plugins: Type.Array(PluginView),
  /** The last rollout of each of them, without its nodes. */
  rollouts: Type.Array(RolloutView),
  /** Newest first: of the node, and of those plugins. */
  events: Type.Array(EventView),
  ...Tail,
});
export type NodeBundle = Static<typeof NodeBundle>;

/** All about a rollout in one file, for the authors of its plugin. Without secrets and the plugin's configuration. */
export const RolloutBundle = Type.Object({
  kind: Type.Literal('RolloutBundle'),
  ...Head,
  rollout: RolloutView,
  /** null: its history has outlived it. */
  plugin: Nullable(PluginView),
  /** Of the plugin, newest first. */
  history: Type.Array(HistoryRow),
  /** Those that refused the plugin, or fail since. */
  nodes: Type.Array(NodeView),
  /** Of the plugin, newest first. */
  events: Type.Array(EventView),
  ...Tail,
});
export type RolloutBundle = Static<typeof RolloutBundle>;
