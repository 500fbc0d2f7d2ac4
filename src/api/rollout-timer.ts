import type { NodePresence } from '../model/node.ts';
import { toCountText, toNumberText } from '../model/quantity-text.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { moduleDeadlineOf } from '../model/rollout-units.ts';
import type { Fleet } from './fleet.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import { toTime } from './schema/metadata.ts';
import type { RolloutView } from './schema/rollout-view.ts';

/** For so long after our start nodes that are not back are waited for, and nothing is judged. */
const SETTLE_MS = 60_000;
/** Other stages start before the API does, and note then who is not there any more. */
const STARTING_MS = 5_000;
/** How long a way back may take until it is called incomplete. */
const RETURN_MS = 600_000;

/** What is left of what the rollout waits for, ms; undefined: nothing is waited for. */
export function leftOf(facts: RolloutFacts): number | undefined {
  const { timer } = facts.rollout;
  if (timer === null) return undefined;
  if (!isRunning(facts)) return timer.leftMs;
  const { now, startedAt } = facts.fleet;
  return Math.max(0, timer.leftMs - Math.max(0, now - Math.max(timer.at, startedAt)));
}

export function toTimerView(facts: RolloutFacts): RolloutView['timer'] {
  const { rollout, active } = facts;
  if (rollout.phase === 'Validating') return toModuleTimer(facts);
  const leftMs = leftOf(facts);
  if (!active || leftMs === undefined) return null;
  const { strategy, steps, step, stage } = rollout;
  const running = isRunning(facts);
  const current = steps[step];
  switch (stage) {
    case 'Waiting': {
      const pause = current?.pause;
      return { what: 'pause', leftMs, totalMs: typeof pause === 'number' ? pause : null, running };
    }
    case 'Applying':
      return { what: 'deadline', leftMs, totalMs: strategy.progressDeadlineMs, running };
    case 'Soaking':
      return { what: 'soak', leftMs, totalMs: current?.soakMs ?? null, running };
    case 'Baking':
      return { what: 'bake', leftMs, totalMs: strategy.bakeMs, running };
    case 'Returning':
      return { what: 'return', leftMs, totalMs: RETURN_MS, running };
    case null:
      return null;
    default:
      return stage satisfies never;
  }
}

/** How long a registry that does not answer is still asked. */
function toModuleTimer({ fleet, rollout: { plugin } }: RolloutFacts): RolloutView['timer'] {
  const progress = fleet.progress.get(plugin);
  if (progress?.state !== 'retrying') return null;
  const totalMs = moduleDeadlineOf(fleet.specs.get(plugin)?.value.rollout);
  const leftMs = Math.max(0, progress.since + totalMs - fleet.now);
  return { what: 'deadline', leftMs, totalMs, running: true };
}

function isRunning(facts: RolloutFacts): boolean {
  return facts.active && facts.rollout.phase !== 'Paused' && findAwaited(facts).length === 0;
}

/** Nodes that the rollout moved, that were there before our start, and are not back. */
function findAwaited({ fleet, moves, rollout }: RolloutFacts): readonly string[] {
  const { now, startedAt } = fleet;
  if (rollout.startedAt >= startedAt || now - startedAt >= SETTLE_MS) return [];
  return fleet.nodes
    .filter(({ node }) => movedBy(moves).has(node.id))
    .filter(presence => !presence.connected && wasHere(fleet, presence))
    .map(({ node }) => node.id);
}

/** Whether a node that is not connected was so until we started. */
function wasHere({ startedAt }: Fleet, { since }: NodePresence): boolean {
  return since >= startedAt - STARTING_MS;
}

/** `Attaché restarted at …; 211 of 299 Envoys are back, waiting for the rest before judging`; null: it is settled. */
export function toSettleNote(facts: RolloutFacts): string | null {
  const { fleet, active, moves } = facts;
  if (!active || findAwaited(facts).length === 0) return null;
  const targets = new Set(moves?.order.flat() ?? []);
  const here = fleet.nodes.filter(({ node }) => targets.has(node.id));
  const back = here.filter(({ connected }) => connected).length;
  const expected = back + here.filter(one => !one.connected && wasHere(fleet, one)).length;
  return (
    `Attaché restarted at ${toTime(fleet.startedAt)}; ${toNumberText(back)} of ` +
    `${toCountText(expected, 'Envoy')} are back, waiting for the rest before judging`
  );
}
