import { isAiling, reloadsSince } from '../model/node-health.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { RolloutMove } from '../model/rollout.ts';
import type { MovedNodes } from '../model/rollout-moves.ts';
import { Alarms } from './alarms.ts';
import type { FleetNode } from './fleet-node.ts';
import { type Aim, type Arrival, arrivalOf, knownArrival } from './node-arrival.ts';
import { isAwaited, returnedAt, START_GRACE_MS } from './rollout-clock.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import type { Turn } from './rollout-turn.ts';

/** How a node stands that the rollout moved. Most share one that says no more than how far they are. */
export interface Standing {
  readonly arrival: Arrival;
  /** It is waited for after our start. */
  readonly isAwaited: boolean;
  /** Its metrics may show that the plugin crashed or broke it. */
  readonly isAiling: boolean;
  /** When time alone may change any of this; Infinity: never. */
  readonly dueAt: number;
  /** When that is to be decided on at once, not with the next decision. */
  readonly wakeAt: number;
}

/** How many nodes are how far. */
export type Tally = Readonly<Record<Arrival, number>>;

/** The nodes that the newest rollout moved, and how far each is on its way: to the new side, or back. */
export interface Roll {
  /** In the order in which they were moved. */
  readonly moved: MovedNodes;
  standingOf(id: string): Standing | undefined;
  readonly tally: Tally;
  tallyOf(step: number): Tally;
  readonly lost: ReadonlySet<string>;
  readonly ailing: ReadonlySet<string>;
  readonly isAwaitingAny: boolean;
  /** When the last of them that was waited for came back, or was not waited for any more. */
  readonly returnedAt: number;
}

/** Where moved nodes are to be; `since` null: each since it was moved. */
export type CommonAim = Omit<Aim, 'since'> & { readonly since: number | null };

/** A roll that is brought up to date by looking at few nodes: see roll-call.ts. */
export class KeptRoll implements Roll {
  readonly moved: MovedNodes;
  /** By rank in `moved`. */
  readonly #standings: Standing[] = [];
  readonly tally = newTally();
  readonly #tallies = new Map<number, MutableTally>();
  readonly lost = new Set<string>();
  readonly ailing = new Set<string>();
  readonly #due = new Alarms();
  readonly #wakes = new Alarms();
  #awaited = 0;
  /** The node that returned last; undefined: who it is is found when it is asked for. */
  #lastReturn: Return | undefined;
  /** Of the last look. */
  #facts: RolloutFacts;

  constructor(facts: RolloutFacts, moved: MovedNodes) {
    this.moved = moved;
    this.#facts = facts;
  }

  /** When it was last brought up to date. */
  get now(): number {
    return this.#facts.now;
  }

  get isAwaitingAny(): boolean {
    return this.#awaited > 0;
  }

  get returnedAt(): number {
    this.#lastReturn ??= findLastReturn(this.#facts, this.moved.keys());
    return this.#lastReturn.at;
  }

  standingOf(id: string): Standing | undefined {
    const rank = this.moved.ranks.get(id);
    return rank === undefined ? undefined : this.#standings[rank];
  }

  tallyOf(step: number): Tally {
    return this.#tallies.get(step) ?? NONE;
  }

  /** All of them; what is known of a node that did not change since is taken over. */
  fill(facts: RolloutFacts, aim: CommonAim, changed: ReadonlySet<string>, known: KeptRoll | undefined): void {
    for (const [id, rank] of this.moved.ranks) {
      const move = this.moved.moveAt(rank);
      if (move === undefined) continue;
      const before = known === undefined || changed.has(id) ? undefined : known.standingOf(id);
      const isSame = before !== undefined && known?.moved.get(id) === move && before.dueAt > facts.now;
      const node = facts.fleet.get(id);
      this.#add(id, rank, move, isSame ? before : look(facts, aim, node, id, move));
    }
  }

  update(facts: RolloutFacts, aim: CommonAim, changed: Iterable<string>): void {
    for (const id of changed) this.#renew(facts, aim, id);
    for (const id of this.#due.until(facts.now)) this.#renew(facts, aim, id);
    this.#facts = facts;
  }

  wake(turn: Turn): void {
    for (const at of this.#wakes.times()) turn.wake(at);
  }

  #renew(facts: RolloutFacts, aim: CommonAim, id: string): void {
    const rank = this.moved.ranks.get(id);
    const known = rank === undefined ? undefined : this.#standings[rank];
    if (rank === undefined || known === undefined) return;
    const node = facts.fleet.get(id);
    this.#noteReturn(facts, node, id);
    const lasting = lookByOthers(facts, aim, node, id);
    if (lasting === known) return;
    const move = this.moved.moveAt(rank);
    if (move === undefined) return;
    const standing = lasting ?? lookAt(facts, aim, node, id, move);
    if (isSame(known, standing)) return;
    this.#remove(id, move, known);
    this.#add(id, rank, move, standing);
  }

  #add(id: string, rank: number, move: RolloutMove, standing: Standing): void {
    const { arrival } = standing;
    this.#standings[rank] = standing;
    this.tally[arrival] += 1;
    this.#ownTally(move.step)[arrival] += 1;
    if (arrival === 'lost') this.lost.add(id);
    if (standing.isAiling) this.ailing.add(id);
    if (standing.isAwaited) this.#awaited += 1;
    this.#due.set(standing.dueAt, id);
    this.#wakes.set(standing.wakeAt, id);
  }

  #remove(id: string, move: RolloutMove, standing: Standing): void {
    const { arrival } = standing;
    this.tally[arrival] -= 1;
    this.#ownTally(move.step)[arrival] -= 1;
    if (arrival === 'lost') this.lost.delete(id);
    if (standing.isAiling) this.ailing.delete(id);
    if (standing.isAwaited) this.#awaited -= 1;
    this.#due.clear(standing.dueAt, id);
    this.#wakes.clear(standing.wakeAt, id);
  }

  #noteReturn(facts: RolloutFacts, node: FleetNode | undefined, id: string): void {
    if (this.#lastReturn === undefined) return;
    const at = returnedAt(facts, node);
    if (at > this.#lastReturn.at) this.#lastReturn = { id, at };
    else if (id === this.#lastReturn.id && at < this.#lastReturn.at) this.#lastReturn = undefined;
  }

  #ownTally(step: number): MutableTally {
    const known = this.#tallies.get(step);
    if (known !== undefined) return known;
    const tally = newTally();
    this.#tallies.set(step, tally);
    return tally;
  }
}

interface Return {
  readonly id: string;
  readonly at: number;
}

type MutableTally = Record<Arrival, number>;

function newTally(): MutableTally {
  return { done: 0, waiting: 0, fetching: 0, away: 0, lost: 0, out: 0 };
}

const NONE: Tally = newTally();

function findLastReturn(facts: RolloutFacts, ids: Iterable<string>): Return {
  let last: Return = { id: '', at: facts.startedAt };
  for (const id of ids) {
    const at = returnedAt(facts, facts.fleet.get(id));
    if (at > last.at) last = { id, at };
  }
  return last;
}

/** Of connected nodes of which only how far they are counts, and no time. */
const LASTING: Readonly<Record<Arrival, Standing>> = {
  done: toLasting('done'),
  waiting: toLasting('waiting'),
  fetching: toLasting('fetching'),
  away: toLasting('away'),
  lost: toLasting('lost'),
  out: toLasting('out'),
};

function toLasting(arrival: Arrival): Standing {
  const never = Number.POSITIVE_INFINITY;
  return { arrival, isAwaited: false, isAiling: false, dueAt: never, wakeAt: never };
}

function look(
  facts: RolloutFacts,
  aim: CommonAim,
  node: FleetNode | undefined,
  id: string,
  move: RolloutMove,
): Standing {
  return lookByOthers(facts, aim, node, id) ?? lookAt(facts, aim, node, id, move);
}

/**
 * As nodes like it were found to stand; undefined: it is to be looked at. That is nearly all nodes of a push: 10,000
 * answers cost the stage 21 ms and 5 MB this way, and 41 and 9 where each is looked at.
 */
function lookByOthers(
  facts: RolloutFacts,
  { alike }: CommonAim,
  node: FleetNode | undefined,
  id: string,
): Standing | undefined {
  const known = knownArrival(facts, node, alike);
  if (known === undefined || node === undefined || node.presence.since > facts.now) return undefined;
  return mayBeFailing(facts, facts.metrics(id)) ? undefined : LASTING[known];
}

function lookAt(
  facts: RolloutFacts,
  { side, since, recompiled, alike }: CommonAim,
  node: FleetNode | undefined,
  id: string,
  move: RolloutMove,
): Standing {
  const { now, startedAt } = facts;
  let wakeAt = Number.POSITIVE_INFINITY;
  let dueAt = Number.POSITIVE_INFINITY;
  const due = (at: number): void => {
    if (at > now && at < dueAt) dueAt = at;
  };
  const wake = (at: number): void => {
    if (at > now && at < wakeAt) wakeAt = at;
    due(at);
  };
  const arrival = arrivalOf({ facts, wake, due }, id, { side, since: since ?? move.at, recompiled, alike });
  const awaited = node !== undefined && isAwaited(facts, node);
  if (awaited) wake(startedAt + START_GRACE_MS);
  if (node !== undefined) due(node.presence.since);
  return { arrival, isAwaited: awaited, isAiling: mayBeFailing(facts, facts.metrics(id)), dueAt, wakeAt };
}

function isSame(a: Standing, b: Standing): boolean {
  return (
    a === b ||
    (a.arrival === b.arrival &&
      a.isAwaited === b.isAwaited &&
      a.isAiling === b.isAiling &&
      a.dueAt === b.dueAt &&
      a.wakeAt === b.wakeAt)
  );
}

/** Whatever the time of its move: hard gates look at no other nodes. */
function mayBeFailing({ plugin }: RolloutFacts, metrics: NodeMetrics | undefined): boolean {
  return metrics !== undefined && (isAiling(metrics) || reloadsSince(metrics, plugin, 0) > 0);
}

/** Connected, and not where it is to be yet; or gone a moment ago. */
function isOpen(arrival: Arrival): boolean {
  return arrival === 'waiting' || arrival === 'fetching' || arrival === 'away';
}

/** The first of those that are open, in the order in which they were moved. */
export function findOpen(roll: Roll, most = Number.POSITIVE_INFINITY): readonly string[] {
  const open: string[] = [];
  const wanted = Math.min(most, countOpen(roll.tally));
  for (const id of roll.moved.keys()) {
    if (open.length >= wanted) break;
    if (isOpen(roll.standingOf(id)?.arrival ?? 'out')) open.push(id);
  }
  return open;
}

export function countOpen({ waiting, fetching, away }: Tally): number {
  return waiting + fetching + away;
}

/** Those that count: neither gone nor out of it. */
export function countHere(tally: Tally): number {
  return tally.done + countOpen(tally);
}
