import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import type { NodeView } from './checker-node.ts';
import { type Aim, aimOn, type Believed, NOWHERE, TAKEN_IN_MS } from './checker-rollout.ts';

export type Report = (rule: string, detail: string) => void;

/** What a plugin's belief may ask of the checker. */
export interface Fleet {
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Attaché's process is there. */
  isUp(): boolean;
  /** It has been there for so long that it waits for nobody any more. */
  isSettled(at: number): boolean;
}

/** What is believed of one plugin, and what follows from it alone; `PluginBelief` is told what happens. */
export class RolloutBelief {
  readonly name: string;
  protected readonly fleet: Fleet;
  protected readonly report: Report;
  /** What may stand in the nodes that no rollout moved: more than one where the wire does not tell. */
  bases: readonly Aim[] = [NOWHERE];
  protected basesAt = Number.POSITIVE_INFINITY;
  rollout: Believed | undefined;
  /** Of superseded rollouts that nothing speaks against: nodes not reached since keep them. */
  protected earlier: readonly Believed[] = [];
  /** The side that each node was sent last. */
  protected readonly sent = new Map<string, number | null>();
  /** When a node was moved last, by whatever rollout. */
  protected readonly movedAt = new Map<string, number>();
  /** What unfinished rollouts left on nodes, and what ended after them did not take back. */
  leftOver: readonly Aim[] = [];
  protected lastDeathAt = Number.NEGATIVE_INFINITY;
  /** Content that is not to be tried again without retry; false: perhaps. */
  protected readonly quarantined = new Map<number, boolean>();
  protected spec: PluginSpec | undefined;
  protected desired: Aim | undefined;
  /** Nothing begins while all is frozen. */
  protected deferred: { readonly aim: Aim; readonly now: boolean } | undefined;
  /** The newest document was taken back before its module was there. */
  protected isDropped = false;
  /** The module of the newest document is being looked for, and a rollout says so. */
  protected isWaiting = false;
  protected mayBeDropped = false;
  protected isPausedByPerson = false;
  /** A rollout followed the newest document. */
  protected hasBegun = false;
  protected isFrozen = false;
  /** Nobody can tell from the wire what is to stand there. */
  isVague = false;

  constructor(name: string, fleet: Fleet, report: Report) {
    this.name = name;
    this.fleet = fleet;
    this.report = report;
  }

  /** It succeeded, as far as the wire tells. */
  protected isEnded({ firstCompleteAt, madePlan, hadNobody, isPlanUnclear }: Believed, at: number): boolean {
    if (hadNobody || (isPlanUnclear && firstCompleteAt !== undefined)) return true;
    return firstCompleteAt !== undefined && at >= firstCompleteAt + (madePlan?.bakeMs ?? 0);
  }

  protected fail(rollout: Believed, at: number, why: string): void {
    if (rollout.madePlan?.freezesOnFailure === true) rollout.haltedAt ??= at;
    else this.kill(rollout, at, why);
  }

  protected kill(rollout: Believed, at: number, why: string): void {
    if (rollout.dead !== undefined) return;
    rollout.dead = { at, why };
    rollout.haltedAt = undefined;
    // What was stopped where it was had ended: a refusal takes it off its nodes, and nothing else that was left on any.
    if (rollout.isStopped) this.leftOver = this.earlier.flatMap(({ aims }) => aims);
    this.lastDeathAt = at;
    this.holdBack(rollout);
  }

  /** Its content is not tried again, unless it is what was proven. */
  protected holdBack(rollout: Believed): void {
    for (const { revision } of rollout.aims) {
      if (revision === null || this.isProven(revision)) continue;
      const mayBeProven = this.bases.some(base => base.revision === revision);
      this.quarantined.set(revision, !rollout.isOptional && !mayBeProven);
    }
  }

  /** For sure: nothing else may stand in the nodes that no rollout moved. */
  protected isProven(revision: number): boolean {
    return this.bases.every(base => base.revision === revision);
  }

  /** A connected node that its steps wait for does not run it. */
  protected isMissed(rollout: Believed): boolean {
    return [...this.fleet.nodes.values()].some(
      node =>
        node.isConnected &&
        node.openedAt < rollout.stepAt &&
        !node.isExcluded &&
        node.facts.layout !== 'none' &&
        this.isTarget(rollout, node) &&
        !rollout.brings(node.runs(this.name), node.facts),
    );
  }

  /** Not where it is to run nothing else by this rollout, and owes an answer to one before. */
  protected isTarget(rollout: Believed, { facts }: NodeView): boolean {
    return rollout.touched.has(facts.id) || !rollout.brings(this.sent.get(facts.id) ?? null, facts);
  }

  /** It is what the node comes back to, not what the rollout brings anew. */
  protected isBackTo(rollout: Believed, node: NodeView, revision: number | null): boolean {
    if (!this.isBase(revision, node)) return false;
    // It was away when that became what was proven.
    const { id } = node.facts;
    const isLate = !rollout.touched.has(id) && node.openedAt >= this.basesAt;
    // What it had been moved to was taken off whoever had it; what began after that takes nothing back.
    const isDropped =
      !rollout.touched.has(id) &&
      this.lastDeathAt >= rollout.since &&
      this.lastDeathAt >= (this.movedAt.get(id) ?? Number.POSITIVE_INFINITY);
    return isLate || isDropped || node.isExcluded || (rollout.dead ?? rollout.mayFail) !== undefined;
  }

  protected isBase(revision: number | null, node: NodeView): boolean {
    return this.bases.some(base => aimOn(base, node.facts) === revision);
  }

  /** It cannot go back: what was proven elsewhere it refuses. */
  refusesBase(node: NodeView): boolean {
    return this.bases.some(base => node.refused.has(`${this.name}@${aimOn(base, node.facts)}`));
  }

  /** Of everybody whom it would change. Who joined while it waited to begin, or is away, may be in it or not. */
  protected makePlan(rollout: Believed, at: number): void {
    if (rollout.madePlan !== undefined) return;
    const sure: NodeView['facts'][] = [];
    const perhaps: NodeView['facts'][] = [];
    for (const node of this.fleet.nodes.values()) {
      const { facts, firstSeenAt, isExcluded, policyAt } = node;
      if (facts.layout === 'none' || (isExcluded && policyAt < rollout.since)) continue;
      const now = this.sent.get(facts.id) ?? null;
      // While it is silent it may have been moved, and nothing was sent.
      const mayHave =
        node.isConnected && node.silentSince === undefined && node.runs(this.name) === now
          ? [now]
          : [now, ...this.bases.map(base => aimOn(base, facts)), ...this.earlierOn(facts)];
      const changes = mayHave.filter(revision => rollout.aims.some(aim => aimOn(aim, facts) !== revision));
      // Before it has asked for its places it is not known whether it has any.
      const isBare = facts.layout === 'chain' && node.places.size === 0;
      const isNew = isBare || isExcluded || (firstSeenAt > rollout.since - TAKEN_IN_MS && firstSeenAt <= at);
      if (isNew) rollout.joined.add(facts.id);
      if (!isNew && changes.length === mayHave.length) sure.push(facts);
      else if (isNew || changes.length > 0) perhaps.push(facts);
    }
    rollout.plan(sure, perhaps);
  }

  protected findCause(node: NodeView, at: number): string | undefined {
    const { rollout } = this;
    const movedAt = this.movedAt.get(node.facts.id) ?? Number.NEGATIVE_INFINITY;
    if (node.isExcluded || node.policyAt > at - TAKEN_IN_MS) return 'excluded';
    if (this.lastDeathAt >= movedAt) return 'a failure';
    if (rollout === undefined) return undefined;
    // That it had come back was not recorded yet when a newer rollout looked who had the one before.
    if (node.openedAt > rollout.since - TAKEN_IN_MS && at < rollout.since + TAKEN_IN_MS)
      return 'its return was not known';
    if (rollout.mayFail !== undefined) return rollout.mayFail;
    return this.findLate(rollout, at);
  }

  /** A node that did not take it in time, or could not even be sent it. */
  protected findLate(rollout: Believed, at: number): string | undefined {
    const deadlineMs = rollout.progressDeadlineMs;
    for (const [id, node] of this.fleet.nodes) {
      const ackedAt = rollout.touched.get(id)?.ackedAt ?? Number.POSITIVE_INFINITY;
      const isLate = node.silences.some(
        ({ from, to }) =>
          from < ackedAt && Math.min(to, at) - Math.max(from, rollout.since) >= deadlineMs - TAKEN_IN_MS,
      );
      if (isLate) return `${id} had not answered in time`;
    }
    if (at - rollout.stepAt < deadlineMs - TAKEN_IN_MS) return undefined;
    for (const [id, node] of this.fleet.nodes) {
      const touch = rollout.touched.get(id);
      const waits =
        touch === undefined
          ? this.owesEarlier(rollout, node)
          : touch.ackedAt === undefined || !rollout.brings(node.runs(this.name), node.facts);
      // What it refused in one place keeps its listener as it is, and a plugin of an old Envoy needs another one.
      const isStuck = node.isConnected && node.facts.layout === 'single' && !node.isQuiet();
      if (waits || isStuck || node.silentSince !== undefined) return `${id} did not answer in time`;
    }
    return undefined;
  }

  /** What unfinished rollouts may have moved a node to, while it was away or busy. */
  protected earlierOn(facts: NodeView['facts']): readonly (number | null)[] {
    return this.earlier.flatMap(({ aims }) => aims.map(aim => aimOn(aim, facts)));
  }

  /** It was sent the same by a rollout before, and has not taken it: it is a target of this one as well. */
  protected owesEarlier(rollout: Believed, node: NodeView): boolean {
    const sent = this.sent.get(node.facts.id) ?? null;
    return sent !== null && rollout.brings(sent, node.facts) && node.runs(this.name) !== sent;
  }

  /** Every connected node that it is for has it. `isSure`: it is seen by what they answered, not by who is gone. */
  protected judgeComplete(rollout: Believed, at: number, isSure: boolean): void {
    if (rollout.completeAt !== undefined || rollout.dead !== undefined) return;
    let count = 0;
    let isKnown = true;
    for (const node of this.fleet.nodes.values()) {
      const { facts } = node;
      // One that was taken out meanwhile may have been the last step, which has its pause and its soak all the same.
      if (node.isExcluded && node.policyAt >= rollout.since) isKnown = false;
      if (facts.layout === 'none' || node.isExcluded) continue;
      if (!node.isConnected) {
        // A step may be about those who are away, and has its soak all the same.
        if (!rollout.touched.has(facts.id)) isKnown = false;
        continue;
      }
      // Who has just come may not be known of yet.
      if (node.openedAt > at - TAKEN_IN_MS) isKnown = false;
      else if (!rollout.brings(node.runs(this.name), facts)) {
        if (rollout.madePlan === undefined || this.isTarget(rollout, node)) return;
        isKnown = false;
      }
      count += 1;
    }
    // With nobody there it is the base at once; when everybody has gone nothing is known.
    if (count === 0 && rollout.touched.size > 0) return;
    rollout.completeAt = at;
    rollout.firstCompleteAt ??= at;
    rollout.hadNobody ||= rollout.touched.size === 0;
    rollout.isSurelyComplete = isSure && isKnown;
  }

  /** What may stand in the end. */
  expected(at: number): readonly Aim[] {
    const { rollout } = this;
    if (rollout !== undefined && rollout.dead === undefined) rollout.mayFail ??= this.findLate(rollout, at);
    if (rollout === undefined) return this.bases;
    if (rollout.dead !== undefined) return this.bases;
    const mayNotHaveBegun = rollout.mayFail !== undefined && rollout.touched.size === 0;
    if (rollout.isOptional || mayNotHaveBegun) {
      this.leftOver = [...this.leftOver, ...this.earlier.flatMap(({ aims }) => aims)];
      return [...this.bases, ...rollout.aims, ...this.earlier.flatMap(earlier => earlier.aims)];
    }
    if (rollout.mayFail !== undefined) return [...this.bases, ...rollout.aims];
    return rollout.aims;
  }

  /** Nobody is to go on with it, and nobody takes it back. */
  get isLeft(): boolean {
    return this.rollout?.haltedAt !== undefined && this.rollout.dead === undefined;
  }

  protected say(revision: number | null): string {
    return revision === null ? `no ${this.name}` : `${this.name}@${revision}`;
  }

  protected sayState(): string {
    const { rollout } = this;
    const bases = this.bases.map(base => toText(base)).join(' or ');
    if (rollout === undefined) return `while nothing but ${bases} was proven`;
    const { dead, haltedAt } = rollout;
    const state = dead === undefined ? (haltedAt === undefined ? 'alive' : 'halted') : `dead (${dead.why})`;
    return `rollout to ${rollout.aims.map(toText).join(' or ')} is ${state}, ${rollout.touched.size} moved, step ${rollout.step}, complete ${rollout.completeAt ?? 'not'}; proven: ${bases}`;
  }
}

export function toText({ revision, role }: Aim): string {
  return `${revision === null ? 'none' : revision}${role === undefined ? '' : ` on ${role}`}`;
}
