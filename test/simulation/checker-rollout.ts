import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { NodeView } from './checker-node.ts';
import { makePlan, type Plan, planAtOnce } from './checker-plan.ts';
import type { NodeFacts } from './envoy-bytes.ts';

/** A plugin in a fleet: which revision, on nodes of which role. */
export interface Aim {
  /** null: on no node. */
  readonly revision: number | null;
  readonly role: string | undefined;
}

export const NOWHERE: Aim = { revision: null, role: undefined };

/** What a node is to run by an aim. */
export function aimOn(aim: Aim, { labels }: NodeFacts): number | null {
  return aim.role === undefined || labels.role === aim.role ? aim.revision : null;
}

export function isSameAim(a: Aim, b: Aim): boolean {
  return a.revision === b.revision && (a.revision === null || a.role === b.role);
}

/** A node that a rollout moved. */
export interface Touch {
  readonly at: number;
  step: number;
  readonly wave: number;
  /** It is one of those that the steps are counted by. */
  readonly counts: boolean;
  /** It was away or busy when its turn came: its answer is not waited for as those of the others. */
  readonly isLate: boolean;
  ackedAt: number | undefined;
}

/** After this long what was said on the wire, or asked for, is taken in: records are collected for 100 ms. */
export const TAKEN_IN_MS = 400;
const NOBODY: NodeFacts = { id: '', labels: {}, zone: '', layout: 'none' };
/** Pushes of one step go out together. */
const TOGETHER_MS = 1500;
const AT_ONCE_MS = 1;

/** What the checker believes of one rollout; everything is inferred from the wire, the documents and the verbs. */
export class Believed {
  readonly aims: readonly Aim[];
  readonly isUndo: boolean;
  readonly since: number;
  readonly #document: JsonObject | undefined;
  readonly #preset: string | undefined;
  #plan: Plan | undefined;
  readonly #targets = new Set<string>();
  #sure: readonly NodeFacts[] = [];
  /** Nodes that are no part of the plan: they joined after it was made, or may have. */
  readonly joined = new Set<string>();
  readonly touched = new Map<string, Touch>();
  step = -1;
  stepAt = 0;
  /** The step before the one that is going out. */
  #before = { step: -1, stepAt: 0 };
  /** When the first push of this step was seen. */
  #sentAt = 0;
  /** It must not move anybody from then on, and goes back. */
  dead: { readonly at: number; readonly why: string } | undefined;
  /** It must not move anybody, and stays as it is (onFailure: freeze; abort --freeze). */
  haltedAt: number | undefined;
  /** Something may have made it go back. */
  mayFail: string | undefined;
  /** Perhaps it never began: its content may have been held back. */
  isOptional = false;
  isFull = false;
  /** By which document it goes is not seen. */
  isPlanUnclear = false;
  promotedAt: number | undefined;
  /** When the step that a person promoted went out. */
  #promotedTo = Number.NEGATIVE_INFINITY;
  /** Since when every connected target has it. */
  completeAt: number | undefined;
  /** The same, although somebody came back since. */
  firstCompleteAt: number | undefined;
  /** Nobody was connected whom it could have moved: it stands at once, and who comes gets it. */
  hadNobody = false;
  isSurelyComplete = false;
  /** A person stopped it, and it stays where it is (abort --freeze). */
  isStopped = false;
  /** A person undid it after it was complete: the way back is a rollout of its own, which may fail or be aborted. */
  isUndone = false;
  /** When nothing was allowed to go on, in between. */
  readonly pauses: { readonly from: number; to: number }[] = [];

  constructor(of: {
    aims: readonly Aim[];
    since: number;
    isUndo?: boolean;
    document?: JsonObject | undefined;
    preset?: string | undefined;
  }) {
    this.aims = of.aims;
    this.since = of.since;
    this.isUndo = of.isUndo ?? false;
    this.#document = of.document;
    this.#preset = of.preset;
  }

  /** Whether this is what it brings to the node. */
  brings(revision: number | null, node: NodeFacts): boolean {
    return this.aims.some(aim => aimOn(aim, node) === revision);
  }

  /** Made when the first node is moved, of all that are targets then; those of `perhaps` may be. */
  plan(sure: readonly NodeFacts[], perhaps: readonly NodeFacts[]): void {
    const make = (targets: readonly NodeFacts[]): Plan =>
      this.isUndo ? planAtOnce(targets) : makePlan(this.#document, this.#preset, targets);
    const all = [...sure, ...perhaps];
    this.#plan = make(all);
    for (const { id } of all) this.#targets.add(id);
    this.#sure = sure;
    if (JSON.stringify(this.#plan.steps) !== JSON.stringify(make(sure).steps)) this.isPlanUnclear = true;
  }

  /** Also before its plan is made. */
  get progressDeadlineMs(): number {
    return (this.#plan ?? makePlan(this.#document, this.#preset, [])).progressDeadlineMs;
  }

  get madePlan(): Plan | undefined {
    return this.#plan;
  }

  /** The steps count this node; one that joined later gets its side at once. */
  isCounted(node: string): boolean {
    return this.#targets.has(node) && !this.joined.has(node);
  }

  pause(at: number): void {
    const last = this.pauses.at(-1);
    if (last?.to !== Number.POSITIVE_INFINITY) this.pauses.push({ from: at, to: Number.POSITIVE_INFINITY });
  }

  resume(at: number): void {
    const last = this.pauses.at(-1);
    if (last !== undefined && last.to > at) last.to = at;
  }

  /** What speaks against moving one more node now; undefined: nothing. Goes on to a later step where that is due. */
  checkMove(node: NodeView, at: number, nodes: ReadonlyMap<string, NodeView>): string | undefined {
    const plan = this.#plan;
    if (plan === undefined) return 'there is no plan';
    if (this.isPlanUnclear || !this.isCounted(node.facts.id)) return undefined;
    const wave = plan.waveOf(node.facts);
    const count = [...this.touched.values()].filter(touch => touch.counts && touch.wave === wave).length + 1;
    const needed = plan.steps.findIndex(step => step.wave === wave && step.reach >= count);
    if (needed === -1) return `node ${count} of wave ${wave}, which has not that many`;
    if (needed <= this.step) return undefined;
    if (node.freeSince(at) < at) {
      // It may have been in the step that went out while it was away; then the ones that were there are of a later one.
      this.step = needed;
      return undefined;
    }
    const since = at;
    // What goes out together is one step: those before it may be of nodes that are away.
    const together = this.step >= 0 && at <= this.#sentAt + AT_ONCE_MS;
    if (together && !this.isFull && this.#isOfAnotherWave(wave))
      return `wave ${wave} began together with another one`;
    if (!together) this.#before = { step: this.step, stepAt: this.stepAt };
    const against =
      this.#before.step === -1
        ? this.#checkFirst(plan, needed, at, since)
        : this.#checkNext(plan, needed, at, since, nodes);
    for (const touch of this.touched.values()) if (together && touch.step === this.step) touch.step = needed;
    this.step = needed;
    if (!together) {
      this.stepAt = since;
      this.#sentAt = at;
    }
    return against;
  }

  /** A connected node that one of these steps must have reached: there is nobody else left for it. */
  #findUnsent(
    plan: Plan,
    from: number,
    to: number,
    nodes: ReadonlyMap<string, NodeView>,
  ): string | undefined {
    for (let step = from; step < to; step++)
      if (this.#mostReached(plan, step, nodes) < (plan.steps[step]?.reach ?? 0))
        return this.#findHere(plan, step, nodes)[0]?.id ?? 'somebody';
    return undefined;
  }

  /** How many of a step's wave may have been reached by now: all but those that were there and were not sent it. */
  #mostReached(plan: Plan, step: number, nodes: ReadonlyMap<string, NodeView>): number {
    const wave = plan.steps[step]?.wave;
    const all = [...this.#targets].filter(id => plan.waveOf(nodes.get(id)?.facts ?? NOBODY) === wave).length;
    return all - this.#findHere(plan, step, nodes).length;
  }

  #findHere(plan: Plan, step: number, nodes: ReadonlyMap<string, NodeView>): readonly NodeFacts[] {
    return this.#sure.filter(facts => {
      const node = nodes.get(facts.id);
      const isHere = node?.isConnected === true && !node.isExcluded && node.openedAt < this.#before.stepAt;
      return isHere && plan.waveOf(facts) === plan.steps[step]?.wave && !this.touched.has(facts.id);
    });
  }

  /** Somebody of another wave was sent the rollout a moment ago. */
  #isOfAnotherWave(wave: number): boolean {
    return [...this.touched.values()].some(
      touch => touch.counts && !touch.isLate && touch.at >= this.#sentAt && touch.wave !== wave,
    );
  }

  #checkFirst(plan: Plan, needed: number, at: number, since: number): string | undefined {
    const before = plan.steps.slice(0, needed);
    const waits = plan.steps.slice(0, needed + 1).map(step => step.pauseMs);
    return this.#checkTime(
      'the first step',
      before.map(step => step.soakMs),
      waits,
      this.since,
      at,
      since,
    );
  }

  #checkNext(
    plan: Plan,
    needed: number,
    at: number,
    since: number,
    nodes: ReadonlyMap<string, NodeView>,
  ): string | undefined {
    const { step: last, stepAt } = this.#before;
    const own = [...this.touched].filter(([, touch]) => touch.step === last);
    let doneAt = stepAt;
    for (const [id, touch] of this.isFull ? [] : own) {
      const node = nodes.get(id);
      // Those that were away when the step began come later, and are not waited for.
      if (node === undefined || !touch.counts || touch.isLate || touch.at > stepAt + TOGETHER_MS) continue;
      // It went out in this very moment: of this step, where nodes that are away make the count run behind.
      if (touch.at >= at - AT_ONCE_MS) continue;
      if (touch.ackedAt !== undefined) doneAt = Math.max(doneAt, touch.ackedAt);
      else if (node.isConnected && node.openedAt < at - TAKEN_IN_MS && !node.isExcluded)
        return `step ${needed} began although ${id} of step ${last} has not answered`;
    }
    const skipped = this.isFull ? undefined : this.#findUnsent(plan, last, needed, nodes);
    if (skipped !== undefined)
      return `step ${needed} began although ${skipped} is connected and was not sent it`;
    // Targets that are away may have been the steps in between: then it was the last of those that was sent.
    let from = last;
    while (
      from + 1 < needed &&
      this.#mostReached(plan, from + 1, nodes) >= (plan.steps[from + 1]?.reach ?? 0)
    )
      from += 1;
    const soaks = plan.steps.slice(from, needed).map(step => step.soakMs);
    const waits = plan.steps.slice(from + 1, needed + 1).map(step => step.pauseMs);
    return this.#checkTime(`step ${needed}`, soaks, waits, doneAt, at, since);
  }

  #checkTime(
    what: string,
    soaks: readonly number[],
    waits: readonly (number | 'human')[],
    doneAt: number,
    at: number,
    since: number,
  ): string | undefined {
    const paused = this.pauses.find(({ from, to }) => from < since - TAKEN_IN_MS && to > at);
    if (paused !== undefined) return `${what} began while paused or frozen`;
    if (this.isFull) return undefined;
    const isPromoted = this.promotedAt !== undefined && this.promotedAt >= Math.min(this.stepAt, doneAt);
    if (isPromoted) {
      // One promotion is for one step; what else goes out with it is of the same.
      this.promotedAt = undefined;
      this.#promotedTo = at;
      return undefined;
    }
    if (at <= this.#promotedTo + AT_ONCE_MS) return undefined;
    if (waits.includes('human')) return `${what} began before a person promoted it`;
    const due = [...soaks, ...waits].reduce<number>((sum, ms) => sum + Number(ms), 0);
    const stood = this.pauses.reduce(
      (sum, { from, to }) => sum + Math.max(0, Math.min(to, at) - Math.max(from + TAKEN_IN_MS, doneAt)),
      0,
    );
    return at - doneAt - stood < due
      ? `${what} began ${at - doneAt} ms after the one before, not ${due}`
      : undefined;
  }
}
