import { DocumentBelief } from './checker-documents.ts';
import type { NodeView } from './checker-node.ts';
import { aimOn, type Believed, TAKEN_IN_MS } from './checker-rollout.ts';

/** Before this nobody but the push protocol itself knows of a refusal. */
const UNHEARD_MS = 3;

/**
 * What the checker believes of one plugin: what was proven, what its newest rollout brings, whom it moved. It follows
 * from documents, verbs and pushes alone.
 */
export class PluginBelief extends DocumentBelief {
  /** A push brings this revision (null: takes the plugin out, where a place held it). */
  onContent(node: NodeView, revision: number | null, at: number): void {
    const id = node.facts.id;
    const before = this.sent.get(id) ?? null;
    if (revision === before) {
      this.onSame(node, revision, at);
      return;
    }
    const { rollout } = this;
    // An Envoy goes on with what it runs while it refuses, or cannot get, what it is to go back to.
    const isAway = node.isExcluded || rollout?.dead !== undefined;
    if (isAway && node.runs(this.name) === revision && this.isBase(before, node)) return;
    if (rollout?.brings(revision, node.facts) === true && !this.isBackTo(rollout, node, revision)) {
      this.onMove(rollout, node, at);
      this.sent.set(id, revision);
      return;
    }
    if (this.isBase(revision, node)) {
      // Whether it came back to what is proven, or its step had come, is not seen.
      if (rollout?.brings(revision, node.facts) === true) rollout.isPlanUnclear = true;
      this.onBack(node, before, revision, at);
      return;
    }
    if (this.earlier.some(earlier => earlier.brings(revision, node.facts))) {
      // A node that joined, or that came back, on the side that an unfinished rollout had given it.
      this.sent.set(id, revision);
      return;
    }
    // An Envoy goes on with what it runs while it refuses what it is to run.
    if (node.runs(this.name) === revision) return;
    const known = this.quarantined.get(revision ?? 0) === true ? 'quarantined' : 'foreign-content';
    this.report(known, `${id} was sent ${this.say(revision)}, ${this.sayState()}`);
    this.sent.set(id, revision);
  }

  /** The listener of an Envoy before 1.39 got a place for the plugin, or lost it. */
  onPlace(node: NodeView, isThere: boolean, at: number): void {
    const before = this.sent.get(node.facts.id) ?? null;
    if (isThere === (before !== null)) return;
    if (!isThere) {
      this.onContent(node, null, at);
      return;
    }
    const alive = [this.rollout, ...this.earlier].filter(rollout => rollout?.dead === undefined);
    const aims = [...alive.flatMap(rollout => rollout?.aims ?? []), ...this.bases];
    const revisions = new Set(aims.map(aim => aimOn(aim, node.facts)).filter(found => found !== null));
    const [revision] = revisions;
    if (revision === undefined)
      this.report('foreign-place', `${node.facts.id} got a place for ${this.name}, ${this.sayState()}`);
    // Which one of several it is comes with the place's content.
    else if (revisions.size === 1) this.onContent(node, revision, at);
  }

  /** The node answered a push with an ACK: what it runs now. */
  onAck(node: NodeView, at: number): void {
    const { rollout } = this;
    const touch = rollout?.touched.get(node.facts.id);
    if (rollout === undefined) return;
    if (touch !== undefined && rollout.brings(node.runs(this.name), node.facts)) touch.ackedAt ??= at;
    this.judgeComplete(rollout, at, true);
  }

  onRefusal(node: NodeView, revision: number, at: number): void {
    const { rollout } = this;
    if (rollout === undefined || rollout.dead !== undefined || !rollout.brings(revision, node.facts)) return;
    if (!rollout.touched.has(node.facts.id)) return;
    // Excluded nodes are looked at no more.
    if (node.isExcluded) {
      rollout.mayFail ??= 'a refusal by an excluded node';
      return;
    }
    // After it succeeded, a node that refuses is alone with it.
    const bakeMs = rollout.madePlan?.bakeMs ?? 0;
    const { completeAt, isSurelyComplete } = rollout;
    if (completeAt !== undefined && (!isSurelyComplete || at >= completeAt + bakeMs - TAKEN_IN_MS)) {
      rollout.mayFail ??= 'a refusal near the end of the bake';
      return;
    }
    this.fail(rollout, at, `${node.facts.id} refused ${revision}`);
  }

  /** Stats show that it must not go on. */
  onBroken(node: NodeView, at: number, why: string): void {
    const { rollout } = this;
    if (rollout === undefined || rollout.dead !== undefined) return;
    this.fail(rollout, at, `${node.facts.id}: ${why}`);
  }

  /** Of this revision, or of whatever the newest rollout brings. */
  onSuspicion(why: string, at: number, revision?: number): void {
    const { rollout } = this;
    if (
      rollout !== undefined &&
      (revision === undefined || rollout.aims.some(aim => aim.revision === revision))
    )
      rollout.mayFail ??= why;
    if (rollout?.isUndone === true && this.bases.some(base => base.revision === revision))
      this.onUndoEnded(rollout, at);
    // What an unfinished rollout had left on nodes, and one of them refuses, leaves them.
    if (
      revision !== undefined &&
      this.earlier.some(({ aims }) => aims.some(aim => aim.revision === revision))
    ) {
      this.lastDeathAt = at;
      if (!this.quarantined.has(revision) && !this.isProven(revision)) this.quarantined.set(revision, false);
    }
  }

  /** A node was excluded or included: where it stood in the order of the steps is not seen. */
  onPolicy(node: NodeView, at: number): void {
    const { rollout } = this;
    if (rollout === undefined || rollout.dead !== undefined) return;
    if (!rollout.touched.has(node.facts.id) && !this.isEnded(rollout, at)) rollout.isPlanUnclear = true;
  }

  onGone(at: number): void {
    if (this.rollout === undefined) return;
    // Its answer of a moment ago may have been lost with it.
    if ((this.rollout.firstCompleteAt ?? 0) > at - TAKEN_IN_MS) this.rollout.isSurelyComplete = false;
    if (this.fleet.isUp()) this.judgeComplete(this.rollout, at, false);
  }

  protected onSame(node: NodeView, revision: number | null, at: number): void {
    const { rollout } = this;
    const { dead } = rollout ?? {};
    if (rollout === undefined || dead === undefined || revision === null) return;
    if (at <= dead.at + TAKEN_IN_MS || !rollout.touched.has(node.facts.id)) return;
    if (node.runs(this.name) === revision || this.isBase(revision, node)) return;
    this.report(
      'pushed-after-failure',
      `${node.facts.id} was sent ${this.say(revision)} again, ${this.sayState()}`,
    );
  }

  protected onMove(rollout: Believed, node: NodeView, at: number): void {
    const { facts } = node;
    this.makePlan(rollout, at);
    const { dead, haltedAt = Number.POSITIVE_INFINITY } = rollout;
    const isTouched = rollout.touched.has(facts.id);
    // What is halted stays on whom it had moved: a new process of it, or one that waited for its module, gets it again.
    const isBeyondHalt = !isTouched && node.freeSince(at) > haltedAt + TAKEN_IN_MS;
    if ((dead !== undefined && at > dead.at + TAKEN_IN_MS) || isBeyondHalt)
      this.report('moved-after-failure', `${facts.id} was moved, ${this.sayState()}`);
    else if (!isTouched) {
      // Included again, or perhaps moved by the rollout before while it was away, which brought it the same: no step
      // counts it.
      const wasAway = node.freeSince(at) < at || facts.layout === 'single';
      const wasEarlier =
        wasAway &&
        this.earlier.some(earlier => rollout.aims.some(aim => earlier.brings(aimOn(aim, facts), facts)));
      if (node.policyAt > rollout.since || wasEarlier) rollout.joined.add(facts.id);
      if (wasEarlier) rollout.isPlanUnclear = true;
      const against = this.isEnded(rollout, at) ? undefined : rollout.checkMove(node, at, this.fleet.nodes);
      if (this.isEnded(rollout, at)) rollout.joined.add(facts.id);
      else if (node.isExcluded && node.policyAt < at - TAKEN_IN_MS && this.isMissed(rollout))
        this.report('excluded', `${facts.id} was moved although it is excluded, ${this.sayState()}`);
      else if (against !== undefined)
        this.report('step', `${facts.id} was moved: ${against}; ${this.sayState()}`);
    }
    this.movedAt.set(facts.id, at);
    if (rollout.touched.has(facts.id)) return;
    rollout.touched.set(facts.id, {
      at,
      step: rollout.step,
      wave: rollout.madePlan?.waveOf(facts) ?? 0,
      counts: rollout.isCounted(facts.id),
      isLate: node.freeSince(at) < at,
      ackedAt: undefined,
    });
    if (rollout.isCounted(facts.id)) rollout.completeAt = undefined;
  }

  protected onBack(node: NodeView, before: number | null, revision: number | null, at: number): void {
    const { facts } = node;
    // What a process begins with is what was proven; what it is to have follows.
    if (before !== null && !node.hasAnswered(this.name)) {
      if (this.rollout !== undefined) this.rollout.mayFail ??= this.findLate(this.rollout, at);
      return;
    }
    if (
      before === null &&
      revision !== null &&
      !(this.movedAt.has(facts.id) && node.hasAnswered(this.name))
    ) {
      this.sent.set(facts.id, revision);
      return;
    }
    // It was away when that became what was proven.
    if (this.rollout?.touched.has(facts.id) !== true && node.openedAt >= this.basesAt) {
      this.sent.set(facts.id, revision);
      return;
    }
    // It was away when an unfinished rollout moved the others there.
    if (
      this.rollout?.touched.has(facts.id) !== true &&
      this.earlier.some(earlier => earlier.brings(revision, facts))
    ) {
      this.sent.set(facts.id, revision);
      return;
    }
    // An Envoy falls back by itself, on what it ran, while it cannot have what is new.
    if (before !== null && node.runs(this.name) === revision) return;
    const why = this.findCause(node, at);
    if (why === undefined)
      this.report(
        'back-without-cause',
        `${facts.id} was sent back to ${this.say(revision)}, ${this.sayState()}`,
      );
    this.sent.set(facts.id, revision);
    const { rollout } = this;
    if (rollout === undefined || rollout.dead !== undefined || node.isExcluded) return;
    if (at < node.refusedAt + UNHEARD_MS && before !== null)
      this.report(
        'fell-too-far',
        `${facts.id} refused, and was sent ${this.say(revision)} in the place of what it ran`,
      );
    if (rollout.touched.has(facts.id)) this.fail(rollout, at, why ?? 'it went back');
    // Where a module did not come, its content is not held against it.
    if (rollout.mayFail !== undefined) return;
    for (const aim of rollout.aims)
      if (aim.revision !== null && this.quarantined.has(aim.revision))
        this.quarantined.set(aim.revision, false);
  }
}
