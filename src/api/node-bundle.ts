import type { NodePresence } from '../model/node.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import { type ApiContext, readNow } from './api-context.ts';
import { readEventHistory } from './event-history.ts';
import type { Fleet } from './fleet.ts';
import { redact } from './redact.ts';
import { readRolloutFacts } from './rollout-facts.ts';
import type { EventView } from './schema/event-view.ts';
import { toTime } from './schema/metadata.ts';
import type { NodeBundle, NodeConfigView } from './schema/node-config-view.ts';
import type { NodeView } from './schema/node-view.ts';
import { toPluginView } from './to-plugin-view.ts';
import { toRolloutView } from './to-rollout-view.ts';

const EVENTS = 200;

/** What a bundle never holds; a reader of a report has to know what to ask for. */
const LEFT_OUT = [
  'Configurations and environment of plugins: their names and shape are there, their texts are not.',
  'What looks like a secret by its name or its form (passwords, tokens, keys, credentials in URLs); `redacted` says where.',
  'Modules: only their digests are there. attache pull gets one.',
  'The log of the Envoy: attache logs NODE, or the machine that it runs on.',
  'The log of the server, its settings and its store.',
  'Other nodes; and other plugins, save those whose document selects this node.',
  'Not left out: names, labels and addresses, and Envoy’s own texts, which may quote a configuration.',
];

export interface BundleParts {
  readonly presence: NodePresence;
  readonly node: NodeView;
  readonly config: NodeConfigView;
}

/** All about a node for a report. Secrets and the configurations of plugins are blotted out. */
export async function makeNodeBundle(context: ApiContext, parts: BundleParts): Promise<NodeBundle> {
  const { clock, version, startedAt } = context;
  const { presence, node, config } = parts;
  const fleet = await readNow(context);
  const names = node.status.plugins.filter(({ reason }) => reason !== 'Selector').map(({ plugin }) => plugin);
  const events = await readEvents(context, presence.node.id, names);
  const { value, redacted } = redact({
    node,
    config,
    plugins: await readPlugins(context, fleet, names),
    rollouts: await readRollouts(context, fleet, names),
    events: events.slice(0, EVENTS),
  });
  const nothingNow = presence.connected
    ? []
    : ['What the Envoy has now: it is not connected. All of its states are as known last.'];
  const older = events.length > EVENTS ? [`Events older than the last ${EVENTS}.`] : [];
  return {
    kind: 'NodeBundle',
    format: 1,
    at: toTime(clock.now()),
    server: { version, startedAt: toTime(startedAt) },
    ...value,
    leftOut: [...LEFT_OUT, ...older, ...nothingNow],
    redacted: [...redacted],
  };
}

async function readPlugins({ store }: ApiContext, fleet: Fleet, names: readonly PluginName[]) {
  const stored = names.flatMap(name => fleet.specs.get(name) ?? []);
  return Promise.all(stored.map(one => toPluginView(store, fleet, one)));
}

async function readRollouts({ store }: ApiContext, fleet: Fleet, names: readonly PluginName[]) {
  const latest = names.flatMap(name => fleet.rollouts.get(name)?.[0] ?? []);
  return Promise.all(
    latest.map(async rollout => toRolloutView(await readRolloutFacts(store, fleet, rollout, false), false)),
  );
}

async function readEvents(
  { store }: ApiContext,
  node: string,
  names: readonly PluginName[],
): Promise<readonly EventView[]> {
  const { items } = await readEventHistory(store, { from: 0 });
  return items
    .map(({ view }) => view)
    .filter((view): view is EventView => view.kind === 'Event')
    .filter(view => view.node === node || (view.node === null && names.includes(view.plugin ?? '')))
    .toReversed();
}
