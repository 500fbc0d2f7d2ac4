import type { Assignment, Side } from '../model/assignment.ts';
import { findSide, revisionOn } from '../model/assignment.ts';
import { type Situation, selectsAlike } from '../model/node-situation.ts';
import { findPlaces } from '../model/plugin-place.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import {
  asksUntil,
  derivePluginState,
  isDone,
  isLasting,
  type NodePluginState,
  PLACE_GRACE_MS,
} from '../model/plugin-state.ts';
import { classifyNode } from '../model/rollout-targets.ts';
import type { FleetNode } from './fleet-node.ts';
import { isAwaited, LOST_AFTER_MS, START_GRACE_MS } from './rollout-clock.ts';
import type { RolloutFacts } from './rollout-facts.ts';
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
  /** What was found of nodes by their situation, for this side, where it lasts; undefined: it says nothing of others. */
  readonly alike: Map<Situation, Arrival> | undefined;
}

/** Bytes that did not change are not sent: a node that nothing was sent to for this long has what it is to have. */
const RECOMPILED_GRACE_MS = 3_000;

/** What looks at a node. */
export type Looker = Pick<Turn, 'facts' | 'wake'> & {
  /** It is to be looked at again with the next decision from this time on. */
  due?(at: number): void;
};

/** How far a node is; wakes when time alone would change the answer. */
export function arrivalOf(looker: Looker, id: string, aim: Aim): Arrival {
  const { facts } = looker;
  const node = facts.fleet.get(id);
  if (node === undefined || facts.excluded.has(id) || facts.spec === undefined) return 'out';
  const known = knownArrival(facts, node, aim.alike);
  if (known !== undefined) return known;
  if (!node.presence.connected) return absenceOf(looker, node);
  const situation = aim.alike && node.situation;
  const state = stateOf(facts, facts.spec.value, node, aim);
  const arrival = toArrival(looker, node, aim, state);
  if (situation !== undefined && isLasting(state, node.presence)) aim.alike?.set(situation, arrival);
  else if (arrival === 'waiting' || arrival === 'fetching') tellTimes(looker, node, aim);
  return arrival;
}

/** What was found of a node in the same situation, where that holds for as long as nodes are in it: they are connected. */
export function knownArrival(
  { spec, excluded }: RolloutFacts,
  node: FleetNode | undefined,
  alike: Aim['alike'],
): Arrival | undefined {
  if (node === undefined || alike === undefined || spec === undefined) return undefined;
  const { situation } = node;
  if (situation === undefined || (excluded.size > 0 && excluded.has(node.presence.node.id))) return undefined;
  return alike.get(situation);
}

function toArrival(looker: Looker, node: FleetNode, aim: Aim, state: NodePluginState): Arrival {
  if (isDone(state)) return isFresh(looker, node, aim) ? 'done' : 'waiting';
  if (state.state === 'NotTargeted') return 'out';
  return state.state === 'Fetching' || isFetching(looker.facts, node, aim) ? 'fetching' : 'waiting';
}

/** When it may turn out that the node has no place for the plugin. */
function tellTimes({ wake, due }: Looker, { presence }: FleetNode, { since }: Aim): void {
  wake(asksUntil(presence, since));
  // From then on nothing sent to a connected node means that none of its listeners is one for the plugin.
  due?.(Math.max(presence.since, since) + PLACE_GRACE_MS);
}

/** What is to come next waits for its module, whichever content was put back in its place meanwhile. */
function isFetching(
  { plugin, revisions }: RolloutFacts,
  { presence, verdicts }: FleetNode,
  { side }: Aim,
): boolean {
  if (!verdicts.some(({ state }) => state === 'unreachable' || state === 'fetching')) return false;
  const { phase = 'UNSPECIFIED_PHASE' } =
    (side.revision === null ? undefined : revisions.get(side.revision)?.config) ?? {};
  const places = findPlaces(plugin, { phase, everywhere: true }, presence, verdicts);
  return places.some(({ verdict }) => verdict?.state === 'unreachable' || verdict?.state === 'fetching');
}

function absenceOf(turn: Pick<Turn, 'facts' | 'wake'>, node: FleetNode): Arrival {
  const { facts } = turn;
  if (isAwaited(facts, node)) {
    turn.wake(facts.startedAt + START_GRACE_MS);
    return 'away';
  }
  // Before a clock was set back.
  if (node.presence.since > facts.now) return 'lost';
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
function isFresh(turn: Pick<Turn, 'facts' | 'wake'>, { presence, verdicts }: FleetNode, aim: Aim): boolean {
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

/** Whether a rollout to this side changes what a node runs; found once for all that stand in one situation. */
export function targetTest(
  facts: RolloutFacts,
  assignment: Assignment | undefined,
  to: Side,
): (node: FleetNode) => boolean {
  const { spec, rootNamespace, now, excluded } = facts;
  if (spec === undefined) return () => false;
  const plugin = spec.value;
  const nowhere = { ...to, revision: null };
  const config = (revision: number) => facts.revisions.get(revision)?.config;
  const found = new Map<Side, Map<Situation, boolean>>();
  const { base = nowhere, moved = [] } = assignment ?? {};
  return node => {
    // Most are known by their situation alone: their ids are fetched from memory only where they count.
    if (excluded.size > 0 && excluded.has(node.presence.node.id)) return false;
    const from =
      assignment === undefined || moved.length === 0 ? base : findSide(assignment, node.presence.node.id);
    const alike = found.get(from) ?? new Map<Situation, boolean>();
    if (alike.size === 0) found.set(from, alike);
    const { situation } = node;
    const known = situation && alike.get(situation);
    if (known !== undefined) return known;
    const { presence, verdicts } = node;
    const input = { plugin, from, to, presence, verdicts, excluded: false, config, rootNamespace, now };
    const isTarget = classifyNode(input).kind === 'target';
    // Before a node has asked for places, the time decides whether it has one.
    const isOfAll = presence.slots.length > 0 && [from, to].every(({ placement }) => selectsAlike(placement));
    if (situation !== undefined && isOfAll) alike.set(situation, isTarget);
    return isTarget;
  };
}

/** Whether a side puts the plugin on this node at all. */
export function runsOn(facts: RolloutFacts, side: Side, node: FleetNode): boolean {
  const { spec, rootNamespace } = facts;
  return spec !== undefined && revisionOn(side, spec.value, node.presence.node, rootNamespace) !== null;
}
