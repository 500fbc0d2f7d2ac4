import type { Assignment, Side } from '../model/assignment.ts';
import { findSide, revisionOn } from '../model/assignment.ts';
import { findPlaces, indexVerdicts } from '../model/plugin-place.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import { asksUntil, derivePluginState, isDone } from '../model/plugin-state.ts';
import type { Rollout, RolloutNodes } from '../model/rollout.ts';
import { classifyNode } from '../model/rollout-targets.ts';
import { isAwaited, LOST_AFTER_MS, START_GRACE_MS } from './rollout-clock.ts';
import type { FleetNode, RolloutFacts } from './rollout-facts.ts';
import type { Turn } from './rollout-turn.ts';

/**
 * How far a node is on its way to a side.
 * - `done`: it runs what it is to run
 * - `waiting`: not yet; `fetching`: for the module, which it downloads or cannot get
 * - `away`: not connected, but it may come back at once; `lost`: not connected
 * - `out`: it has no place any more, was excluded, or is not known
 */
export type Arrival = 'done' | 'waiting' | 'fetching' | 'away' | 'lost' | 'out';

/** Where a node is to be, and since when. */
export interface Aim {
  readonly side: Side;
  readonly since: number;
  /** The content is the same, only compiled anew: the revision alone does not tell that it is there. */
  readonly recompiled: boolean;
}

/** Bytes that did not change are not sent: a node that nothing was sent to for this long has what it is to have. */
const RECOMPILED_GRACE_MS = 3_000;

/**
 * What nodes were found to be done with. Whoever is done stays so until something new is heard of the node, which is
 * then another object, or the document or the side is another one. Without it each answer of one node would cost
 * deriving the states of all: a fifth of the CPU of a push to 2,000 nodes.
 */
const DONE = new WeakMap<FleetNode, { readonly spec: PluginSpec; readonly side: Side }>();

/** How far a node is; wakes when time alone would change the answer. */
export function arrivalOf(turn: Turn, id: string, aim: Aim): Arrival {
  const { facts } = turn;
  const node = facts.fleet.get(id);
  if (node === undefined || facts.excluded.has(id) || facts.spec === undefined) return 'out';
  if (!node.presence.connected) return absenceOf(turn, node);
  const known = DONE.get(node);
  if (known !== undefined && known.spec === facts.spec.value && known.side === aim.side && !aim.recompiled)
    return 'done';
  const state = stateOf(facts, facts.spec.value, node, aim);
  if (isDone(state)) {
    DONE.set(node, { spec: facts.spec.value, side: aim.side });
    return isFresh(turn, node, aim) ? 'done' : 'waiting';
  }
  if (state.state === 'NotTargeted') return 'out';
  turn.wake(asksUntil(node.presence, aim.since));
  return state.state === 'Fetching' || isFetching(facts, node, aim) ? 'fetching' : 'waiting';
}

/** What is to come next waits for its module, whichever content was put back in its place meanwhile. */
function isFetching(
  { plugin, revisions }: RolloutFacts,
  { presence, verdicts }: FleetNode,
  { side }: Aim,
): boolean {
  const { phase = 'UNSPECIFIED_PHASE' } =
    (side.revision === null ? undefined : revisions.get(side.revision)?.config) ?? {};
  const places = findPlaces(plugin, { phase, everywhere: true }, presence, indexVerdicts(presence, verdicts));
  return places.some(({ verdict }) => verdict?.state === 'unreachable' || verdict?.state === 'fetching');
}

function absenceOf(turn: Turn, node: FleetNode): Arrival {
  const { facts } = turn;
  if (isAwaited(facts, node)) {
    turn.wake(facts.startedAt + START_GRACE_MS);
    return 'away';
  }
  const lostAt = node.presence.since + LOST_AFTER_MS;
  turn.wake(lostAt);
  return facts.now < lostAt ? 'away' : 'lost';
}

function stateOf(facts: RolloutFacts, plugin: PluginSpec, node: FleetNode, { side, since }: Aim) {
  return derivePluginState({
    plugin,
    presence: node.presence,
    verdicts: node.verdicts,
    side,
    assignedAt: since,
    config: revision => facts.revisions.get(revision)?.config,
    rootNamespace: facts.rootNamespace,
    now: facts.now,
  });
}

/** Of a side that was compiled anew: what the node accepted is newer than its move, or nothing was sent. */
function isFresh(turn: Turn, { presence, verdicts }: FleetNode, aim: Aim): boolean {
  if (!aim.recompiled) return true;
  const { plugin } = turn.facts;
  const holding = verdicts.filter(
    verdict =>
      verdict.process === presence.process &&
      verdict.accepted?.plugins.some(entry => entry.plugin === plugin) === true,
  );
  if (holding.every(({ accepted }) => (accepted?.at ?? 0) >= aim.since)) return true;
  turn.wake(aim.since + RECOMPILED_GRACE_MS);
  return (
    holding.every(({ state }) => state === 'accepted') && turn.facts.now >= aim.since + RECOMPILED_GRACE_MS
  );
}

/** What a node that a rollout moved is to reach. */
export function aimOf(
  rollout: Pick<Rollout, 'kind'>,
  side: Side,
  nodes: RolloutNodes | undefined,
  id: string,
): Aim {
  const since = nodes?.movedAt[id]?.at ?? 0;
  return { side, since, recompiled: rollout.kind === 'format' };
}

/** Whether a rollout to this side changes what the node runs. */
export function isTarget(
  facts: RolloutFacts,
  assignment: Assignment | undefined,
  node: FleetNode,
  to: Side,
): boolean {
  const { spec, rootNamespace, now } = facts;
  if (spec === undefined) return false;
  const { presence, verdicts } = node;
  const excluded = facts.excluded.has(presence.node.id);
  const from = assignment === undefined ? { ...to, revision: null } : findSide(assignment, presence.node.id);
  const config = (revision: number) => facts.revisions.get(revision)?.config;
  const plugin = spec.value;
  return (
    classifyNode({ plugin, from, to, presence, verdicts, excluded, config, rootNamespace, now }).kind ===
    'target'
  );
}

/** Whether a side puts the plugin on this node at all. */
export function runsOn(facts: RolloutFacts, side: Side, node: FleetNode): boolean {
  const { spec, rootNamespace } = facts;
  return spec !== undefined && revisionOn(side, spec.value, node.presence.node, rootNamespace) !== null;
}
