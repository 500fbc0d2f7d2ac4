import { EventView } from './event-view.ts';
import { Nullable, Time } from './metadata.ts';
import { NodeConfigView } from './node-config-view.ts';
import { NodeView } from './node-view.ts';
import { PluginView } from './plugin-view.ts';
import { HistoryRow, RolloutView } from './rollout-view.ts';
import { type Static, Type } from './type.ts';

const Head = {
  /** Of this file. */
  format: Type.Literal(1),
  at: Time,
  server: Type.Object({ version: Type.String(), startedAt: Time }),
  note: Type.String({ description: 'A sentence for who gives it away' }),
};
const Tail = {
  leftOut: Type.Array(Type.String(), { description: 'Sentences: what is not in it, and why' }),
  redacted: Type.Array(Type.String(), { description: 'JSON pointers into this file: what was blotted out' }),
};

/** All about a node in one file, to be attached to a report. Without secrets and plugin configurations. */
export const NodeBundle = Type.Object({
  kind: Type.Literal('NodeBundle'),
  ...Head,
  node: NodeView,
  config: NodeConfigView,
  plugins: Type.Array(PluginView, { description: 'Plugin documents that are for the node' }),
  rollouts: Type.Array(RolloutView, { description: 'The last rollout of each of them, without its nodes' }),
  events: Type.Array(EventView, { description: 'Newest first: of the node, and of those plugins' }),
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
  history: Type.Array(HistoryRow, { description: 'Of the plugin, newest first' }),
  nodes: Type.Array(NodeView, { description: 'Those that refused the plugin, or fail since' }),
  events: Type.Array(EventView, { description: 'Of the plugin, newest first' }),
  ...Tail,
});
export type RolloutBundle = Static<typeof RolloutBundle>;
