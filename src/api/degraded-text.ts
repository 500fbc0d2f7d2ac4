import { toBreakageText } from '../model/gate-text.ts';
import { requestsIn } from '../model/metric-window.ts';
import type { NodePresence } from '../model/node.ts';
import { findBreakage, mayFail, reloadsSince } from '../model/node-health.ts';
import { findInSlot } from '../model/plugin-place.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import { toCountText } from '../model/quantity-text.ts';
import { movedBy } from '../model/rollout-moves.ts';
import type { Fleet } from './fleet.ts';

/** A crash that is longer ago than this, and was not repeated, is history. */
const CRASH_MEMORY_MS = 5 * 60_000;

/** What is wrong with a plugin that a node runs, with its numbers; null: nothing is known to be. */
export function toDegradedText(fleet: Fleet, plugin: PluginName, presence: NodePresence): string | null {
  const { id } = presence.node;
  const metrics = fleet.metrics(id);
  if (metrics === undefined || !presence.connected || !mayFail(metrics)) return null;
  const acceptedAt = findAcceptedAt(fleet, plugin, presence);
  if (acceptedAt === undefined) return null;
  const since = Math.max(acceptedAt, fleet.now - CRASH_MEMORY_MS);
  const reloads = reloadsSince(metrics, plugin, since);
  if (reloads > 0) return `accepted, then crashed ${toCountText(reloads, 'time')}`;
  const moves = [...fleet.moves]
    .filter(([rollout]) => rollout.startsWith(`${plugin.replace('/', '.')}.`))
    .map(([, { value }]) => value)
    .find(nodes => movedBy(nodes).has(id));
  const movedAt = movedBy(moves).get(id)?.at;
  if (moves === undefined || movedAt === undefined) return null;
  // Most nodes fail nothing, and the comparison costs a look at all of them.
  if ((requestsIn(metrics, movedAt, fleet.now)?.errors5xx ?? 0) === 0) return null;
  const moved = movedBy(moves);
  const waiting = new Set(moves.order.flat().filter(target => !moved.has(target)));
  const others = fleet.nodes
    .filter(({ connected, node }) => connected && waiting.has(node.id))
    .map(({ node }) => fleet.metrics(node.id));
  const breakage = findBreakage({ metrics, movedAt, before: moves.before[id], others });
  return breakage === undefined ? null : `accepted, then ${toBreakageText(breakage)}`;
}

/** When the oldest content began to serve that holds the plugin. */
function findAcceptedAt(
  fleet: Fleet,
  plugin: PluginName,
  { node, process }: NodePresence,
): number | undefined {
  const times = (fleet.verdicts.get(node.id) ?? [])
    .filter(verdict => verdict.process === process)
    .flatMap(({ accepted }) => (accepted !== null && findInSlot(accepted, plugin) ? [accepted.at] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}
