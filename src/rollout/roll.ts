import { isAiling, reloadsSince } from '../model/node-health.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { RolloutMove } from '../model/rollout.ts';
import type { MovedNodes } from '../model/rollout-moves.ts';
import { Alarms } from './alarms.ts';
import { type Aim, type Arrival, arrivalOf } from './node-arrival.ts';
import { isAwaited, returnedAt, START_GRACE_MS } from './rollout-clock.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import type { Turn } from './rollout-turn.ts';

/** A node that the rollout moved. */
export interface Present {
  readonly id: string;
  readonly move: RolloutMove;
  readonly arrival: Arrival;
  /** It is waited for after our start. */
  readonly isAwaited: boolean;
  /** When a node that was waited for came back, or was not waited for any more. */
  readonly returnedAt: number;
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
  readonly nodes: ReadonlyMap<string, Present>;
  readonly tally: Tally;
  tallyOf(step: number): Tally;
  readonly lost: ReadonlySet<string>;
  readonly ailing: ReadonlySet<string>;
  readonly isAwaitingAny: boolean;
  /** The latest `returnedAt` of them. */
  readonly returnedAt: number;
}

/** Where moved nodes are to be; `since` null: each since it was moved. */
export type CommonAim = Omit<Aim, 'since'> & { readonly since: number | null };

/** A roll that is brought up to date by looking at few nodes: see roll-call.ts. */
export class KeptRoll implements Roll {
  readonly moved: MovedNodes;
  readonly nodes = new Map<string, Present>();
  readonly tally = newTally();
  readonly #tallies = new Map<number, MutableTally>();
  readonly lost = new Set<string>();
  readonly ailing = new Set<string>();
  readonly #due = new Alarms();
  readonly #wakes = new Alarms();
  #awaited = 0;
  #returnedAt: number;
  /** The node that returned last changed: who it is now is found when it is asked for. */
  #isReturnStale = false;
  readonly #startedAt: number;
  now: number;

  constructor({ startedAt, now }: RolloutFacts, moved: MovedNodes) {
    this.moved = moved;
    this.#startedAt = startedAt;
    this.#returnedAt = startedAt;
    this.now = now;
  }

  get isAwaitingAny(): boolean {
    return this.#awaited > 0;
  }

  get returnedAt(): number {
    if (this.#isReturnStale) {
      this.#returnedAt = this.#startedAt;
      for (const { returnedAt: at } of this.nodes.values()) if (at > this.#returnedAt) this.#returnedAt = at;
      this.#isReturnStale = false;
    }
    return this.#returnedAt;
  }

  tallyOf(step: number): Tally {
    return this.#tallies.get(step) ?? NONE;
  }

  /** All of them; what is known of a node that did not change since is taken over. */
  fill(facts: RolloutFacts, aim: CommonAim, changed: ReadonlySet<string>, known: KeptRoll | undefined): void {
    for (const [id, move] of this.moved) {
      const before = changed.has(id) ? undefined : known?.nodes.get(id);
      const isSame = before !== undefined && before.move === move && before.dueAt > facts.now;
      this.#add(isSame ? before : look(facts, aim, id, move));
    }
  }

  update(facts: RolloutFacts, aim: CommonAim, changed: Iterable<string>): void {
    for (const id of changed) this.#renew(facts, aim, id);
    for (const id of this.#due.until(facts.now)) this.#renew(facts, aim, id);
    this.now = facts.now;
  }

  wake(turn: Turn): void {
    for (const at of this.#wakes.times()) turn.wake(at);
  }

  #renew(facts: RolloutFacts, aim: CommonAim, id: string): void {
    const known = this.nodes.get(id);
    if (known === undefined) return;
    const present = look(facts, aim, id, known.move);
    if (isSame(known, present)) return;
    this.#remove(known);
    this.#add(present);
  }

  #add(present: Present): void {
    const { id, arrival, move } = present;
    this.nodes.set(id, present);
    this.tally[arrival] += 1;
    this.#ownTally(move.step)[arrival] += 1;
    if (arrival === 'lost') this.lost.add(id);
    if (present.isAiling) this.ailing.add(id);
    if (present.isAwaited) this.#awaited += 1;
    this.#due.set(present.dueAt, id);
    this.#wakes.set(present.wakeAt, id);
    if (present.returnedAt < this.#returnedAt) return;
    this.#returnedAt = present.returnedAt;
    this.#isReturnStale = false;
  }

  #remove(present: Present): void {
    const { id, arrival, move } = present;
    this.tally[arrival] -= 1;
    this.#ownTally(move.step)[arrival] -= 1;
    if (arrival === 'lost') this.lost.delete(id);
    if (present.isAiling) this.ailing.delete(id);
    if (present.isAwaited) this.#awaited -= 1;
    this.#due.clear(present.dueAt, id);
    this.#wakes.clear(present.wakeAt, id);
    if (present.returnedAt === this.#returnedAt && present.returnedAt > this.#startedAt)
      this.#isReturnStale = true;
  }

  #ownTally(step: number): MutableTally {
    const known = this.#tallies.get(step);
    if (known !== undefined) return known;
    const tally = newTally();
    this.#tallies.set(step, tally);
    return tally;
  }
}

type MutableTally = Record<Arrival, number>;

function newTally(): MutableTally {
  return { done: 0, waiting: 0, fetching: 0, away: 0, lost: 0, out: 0 };
}

const NONE: Tally = newTally();

function look(
  facts: RolloutFacts,
  { side, since, recompiled, alike }: CommonAim,
  id: string,
  move: Present['move'],
): Present {
  const { now, startedAt } = facts;
  const node = facts.fleet.get(id);
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
  return {
    id,
    move,
    arrival,
    isAwaited: awaited,
    returnedAt: returnedAt(facts, node),
    isAiling: mayBeFailing(facts, facts.metrics(id)),
    dueAt,
    wakeAt,
  };
}

function isSame(a: Present, b: Present): boolean {
  return (
    a.arrival === b.arrival &&
    a.isAwaited === b.isAwaited &&
    a.returnedAt === b.returnedAt &&
    a.isAiling === b.isAiling &&
    a.dueAt === b.dueAt &&
    a.wakeAt === b.wakeAt
  );
}

/** Whatever the time of its move: hard gates look at no other nodes. */
function mayBeFailing({ plugin }: RolloutFacts, metrics: NodeMetrics | undefined): boolean {
  return metrics !== undefined && (isAiling(metrics) || reloadsSince(metrics, plugin, 0) > 0);
}

/** Connected, and not where it is to be yet; or gone a moment ago. */
export function isOpen(arrival: Arrival): boolean {
  return arrival === 'waiting' || arrival === 'fetching' || arrival === 'away';
}

export function countOpen({ waiting, fetching, away }: Tally): number {
  return waiting + fetching + away;
}

/** Those that count: neither gone nor out of it. */
export function countHere(tally: Tally): number {
  return tally.done + countOpen(tally);
}
