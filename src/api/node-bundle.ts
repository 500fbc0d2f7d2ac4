import type { NodePresence } from '../model/node.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import { redact } from '../model/redact.ts';
import { readVisible } from './access/visible.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import { BUNDLE_EVENTS, BUNDLE_NOTE, LEFT_OUT, readEvents } from './bundle-parts.ts';
import type { Fleet } from './fleet.ts';
import { readRolloutFacts } from './rollout-facts.ts';
import type { NodeBundle } from './schema/bundle-view.ts';
import { toTime } from './schema/metadata.ts';
import type { NodeConfigView } from './schema/node-config-view.ts';
import type { NodeView } from './schema/node-view.ts';
import { toPluginView } from './to-plugin-view.ts';
import { toRolloutView } from './to-rollout-view.ts';

export interface BundleParts {
  readonly presence: NodePresence;
  readonly node: NodeView;
  readonly config: NodeConfigView;
}

/** All about a node for a report. Secrets and the configurations of plugins are blotted out. */
export async function makeNodeBundle(context: CallContext, parts: BundleParts): Promise<NodeBundle> {
  const { clock, version, startedAt } = context;
  const { presence, node, config } = parts;
  const fleet = await readVisible(context);
  const names = node.status.plugins.filter(({ reason }) => reason !== 'Selector').map(({ plugin }) => plugin);
  const { id } = presence.node;
  const events = await readEvents(
    context,
    fleet,
    view => view.node === id || (view.node === null && names.includes(view.plugin ?? '')),
  );
  const { value, redacted } = redact({
    node,
    config,
    plugins: await readPlugins(context, fleet, names),
    rollouts: await readRollouts(context, fleet, names),
    events: events.slice(0, BUNDLE_EVENTS),
  });
  const nothingNow = presence.connected
    ? []
    : ['What the Envoy has now: it is not connected. All of its states are as known last.'];
  const older = events.length > BUNDLE_EVENTS ? [`Events older than the last ${BUNDLE_EVENTS}.`] : [];
  return {
    kind: 'NodeBundle',
    format: 1,
    at: toTime(clock.now()),
    server: { version, startedAt: toTime(startedAt) },
    note: BUNDLE_NOTE,
    ...value,
    leftOut: [
      ...LEFT_OUT,
      'The log of the Envoy: attache logs NODE, or the machine that it runs on.',
      'Other nodes; and other plugins, save those whose document selects this node.',
      ...older,
      ...nothingNow,
    ],
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
