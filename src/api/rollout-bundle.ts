import { redact } from '../model/redact.ts';
import type { ResourceSpec } from '../model/resource.ts';
import type { Rollout } from '../model/rollout.ts';
import { REDACTED } from '../model/show-resource.ts';
import { readVisible } from './access/visible.ts';
import type { CallContext } from './api-context.ts';
import { BUNDLE_EVENTS, BUNDLE_NOTE, LEFT_OUT, readEvents } from './bundle-parts.ts';
import type { Fleet } from './fleet.ts';
import { readExtensions } from './read-extensions.ts';
import { readRolloutFacts } from './rollout-facts.ts';
import { readHistory } from './rollout-history.ts';
import type { RolloutBundle } from './schema/bundle-view.ts';
import { toTime } from './schema/metadata.ts';
import type { NodeView } from './schema/node-view.ts';
import type { HistoryRow } from './schema/rollout-view.ts';
import { toNodeView } from './to-node-view.ts';
import { toPluginView } from './to-plugin-view.ts';
import { toRolloutView } from './to-rollout-view.ts';

/** Nodes that failed are alike, as a rule. */
const NODES = 20;
const HISTORY = 20;

/** All about a rollout for the authors of its plugin, without secrets and without the plugin's configuration. */
export async function makeRolloutBundle(context: CallContext, rollout: Rollout): Promise<RolloutBundle> {
  const { store, clock, version, startedAt } = context;
  const { plugin } = rollout;
  const fleet = await readVisible(context);
  const stored = fleet.specs.get(plugin);
  const events = await readEvents(context, fleet, view => view.plugin === plugin);
  const failed = findFailed(fleet, await readExtensions(store), plugin);
  const { value, redacted } = redact({
    rollout: toRolloutView(await readRolloutFacts(store, fleet, rollout)),
    plugin: stored === undefined ? null : await toPluginView(store, fleet, stored),
    history: (await readHistory(store, fleet, plugin)).slice(0, HISTORY).map(withoutConfiguration),
    nodes: failed.slice(0, NODES),
    events: events.slice(0, BUNDLE_EVENTS),
  });
  return {
    kind: 'RolloutBundle',
    format: 1,
    at: toTime(clock.now()),
    server: { version, startedAt: toTime(startedAt) },
    note: BUNDLE_NOTE,
    ...value,
    leftOut: [
      ...LEFT_OUT,
      'Logs of Envoys: where they run, look for "wasm log" and the name of the plugin.',
      'Nodes that neither refused it nor fail since; of others at most 20. attache bundle node ID has one with its configuration.',
      ...(events.length > BUNDLE_EVENTS ? [`Events older than the last ${BUNDLE_EVENTS}.`] : []),
    ],
    redacted: [...redacted],
  };
}

function findFailed(fleet: Fleet, extensions: readonly ResourceSpec[], plugin: string): readonly NodeView[] {
  return fleet.nodes
    .map(presence => toNodeView(fleet, extensions, presence))
    .filter(({ status }) =>
      status.plugins.some(
        one => one.plugin === plugin && (one.refusedRevision !== null || one.state === 'Degraded'),
      ),
    );
}

/** Which fields changed stays, what stands in them goes. */
function withoutConfiguration(row: HistoryRow): HistoryRow {
  const diff = row.diff.map(change =>
    /\b(pluginConfig|env)\b/.test(change.path)
      ? { ...change, before: change.before && REDACTED, after: change.after && REDACTED }
      : change,
  );
  return { ...row, diff };
}
