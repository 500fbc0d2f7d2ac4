import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import { type Aim, aimOn, Believed, isSameAim, NOWHERE, TAKEN_IN_MS } from './checker-rollout.ts';
import { RolloutBelief } from './rollout-belief.ts';
import type { Deed } from './wire.ts';

/** What documents and verbs ask for of one plugin. */
export abstract class DocumentBelief extends RolloutBelief {
  onDeed(deed: Deed, at: number): void {
    switch (deed.type) {
      case 'applied':
        this.spec = deed.spec;
        this.hasBegun = false;
        if (this.rollout?.touched.size === 0 && !this.isSurelyBegun(this.rollout))
          this.rollout.mayFail ??= 'a newer document, perhaps before it began';
        this.isDropped = false;
        this.mayBeDropped = false;
        this.isWaiting = false;
        this.deferred = undefined;
        if (deed.spec.deleted !== undefined)
          this.want({ ...NOWHERE, role: roleOf(deed.spec) }, at, deed.spec.deleted.now);
        return;
      case 'deleted':
        this.isDropped = false;
        if (this.spec !== undefined) this.spec = { ...this.spec, deleted: { at, by: '', now: deed.now } };
        this.want({ ...NOWHERE, role: this.spec && roleOf(this.spec) }, at, deed.now);
        return;
      case 'ready':
        if (!this.isFrozen) this.isWaiting = false;
        if (!this.isDropped && this.spec?.deleted === undefined)
          this.want({ revision: deed.revision, role: this.spec && roleOf(this.spec) }, at, false);
        return;
      case 'not-ready':
        this.isWaiting = !deed.isFinal;
        return;
      case 'verb':
        this.onVerb(deed, at);
        return;
      default:
        return;
    }
  }

  /** Nobody was there, and nobody is waited for: it stands. After a start of Attaché it waits for nodes to come back. */
  protected isSurelyBegun({ firstCompleteAt }: Believed): boolean {
    return firstCompleteAt !== undefined && this.fleet.isSettled(firstCompleteAt);
  }

  onFrozen(isFrozen: boolean, at: number): void {
    this.isFrozen = isFrozen;
    if (isFrozen) this.rollout?.pause(at);
    else if (!this.isPausedByPerson) this.rollout?.resume(at);
    if (!isFrozen && this.deferred !== undefined) this.want(this.deferred.aim, at, this.deferred.now);
  }

  protected onVerb(deed: Deed & { type: 'verb' }, at: number): void {
    const { rollout } = this;
    switch (deed.action) {
      case 'pause':
        this.isPausedByPerson = true;
        // After a start of Attaché it may not have begun yet: then it is the one before that is paused.
        if (rollout !== undefined && (rollout.touched.size > 0 || this.fleet.isSettled(rollout.since)))
          rollout.pause(at);
        return;
      case 'resume':
      case 'promote':
        this.isPausedByPerson = false;
        if (rollout === undefined) return;
        if (!this.isFrozen) rollout.resume(at);
        rollout.promotedAt = at;
        rollout.haltedAt = undefined;
        rollout.isFull ||= deed.full;
        return;
      case 'abort':
      case 'undo':
        this.onStop(deed, at);
        return;
      case 'retry':
        this.isPausedByPerson = false;
        // What failed last is lifted, whatever is asked for by now: of the one before, where nothing came of this one.
        if (rollout?.touched.size === 0)
          for (const revision of this.quarantined.keys()) this.quarantined.set(revision, false);
        for (const aim of rollout?.aims ?? [])
          if (aim.revision !== null && this.quarantined.has(aim.revision))
            this.quarantined.set(aim.revision, false);
        if (this.desired?.revision !== null && this.desired !== undefined)
          this.quarantined.delete(this.desired.revision);
        this.isDropped = false;
        if (this.desired !== undefined && this.spec?.deleted === undefined)
          this.begin(this.desired, at, false);
        return;
      default:
        deed.action satisfies never;
    }
  }

  /** It is about the rollout that moves nodes, or else about the one that waits for its module. */
  protected onStop({ action, freeze }: Deed & { type: 'verb' }, at: number): void {
    const { rollout } = this;
    const hasEnded = rollout?.dead !== undefined || rollout?.isStopped === true;
    const isActive = rollout !== undefined && !hasEnded && !this.isEnded(rollout, at);
    if (this.isWaiting && !isActive) {
      // What seems to have ended may bake for longer: then it was about that one.
      this.isDropped = this.deferred === undefined && (rollout === undefined || hasEnded);
      this.mayBeDropped = true;
      // Unless it was paused for a reason that is not seen, and had not ended.
      if (rollout !== undefined && rollout.dead === undefined) {
        rollout.mayFail ??= action;
        this.lastDeathAt = at;
      }
      return;
    }
    if (rollout === undefined) return;
    if (freeze && action === 'abort') {
      rollout.haltedAt ??= at;
      rollout.isStopped = true;
      this.holdBack(rollout);
    } else if (rollout.isUndone && action === 'abort') this.onUndoEnded(rollout, at);
    else if (rollout.touched.size === 0 && !this.isSurelyBegun(rollout))
      this.stopUnbegun(rollout, at, action);
    else {
      rollout.isUndone = action === 'undo' && rollout.firstCompleteAt !== undefined;
      this.kill(rollout, at, action);
    }
  }

  /** An undo that is refused or aborted leaves what it was to undo as it was. */
  protected onUndoEnded(rollout: Believed, at: number): void {
    this.lastDeathAt = at;
    this.bases = [...this.bases, ...rollout.aims];
    for (const { revision } of rollout.aims) if (revision !== null) this.quarantined.set(revision, false);
  }

  /** It was about this one, or about the one before it, which has to end first. */
  protected stopUnbegun(rollout: Believed, at: number, why: string): void {
    rollout.mayFail ??= why;
    this.lastDeathAt = at;
    for (const { revision } of rollout.aims) if (revision !== null) this.quarantined.set(revision, false);
  }

  protected want(aim: Aim, at: number, now: boolean): void {
    this.desired = aim;
    this.deferred = undefined;
    if (this.isFrozen) {
      this.deferred = { aim, now };
      return;
    }
    const held = aim.revision === null ? undefined : this.quarantined.get(aim.revision);
    if (held === true) return;
    const { rollout } = this;
    if (
      rollout !== undefined &&
      rollout.dead === undefined &&
      rollout.aims.some(known => isSameAim(known, aim))
    ) {
      // Whether it had begun by then, with the document before, is not seen.
      if (rollout.madePlan === undefined) rollout.isPlanUnclear = true;
      if (rollout.mayFail === undefined && this.findLate(rollout, at) === undefined) return;
      // Perhaps it had ended over that, and begins again, or is held back; perhaps it goes on.
      rollout.isSurelyComplete = false;
      this.begin(aim, at, now);
      if (this.rollout !== undefined) Object.assign(this.rollout, { isPlanUnclear: true, isOptional: true });
      return;
    }
    if (
      (rollout === undefined || rollout.dead !== undefined) &&
      this.bases.every(base => isSameAim(base, aim))
    )
      return;
    // It is what an undo goes to, which goes on then.
    if (rollout?.isUndone === true && this.bases.some(base => isSameAim(base, aim))) return;
    this.begin(aim, at, now);
    // Whatever ended with that may have left its content held back.
    const isHeld = aim.revision !== null && this.quarantined.has(aim.revision);
    if ((isHeld || this.mayBeDropped) && this.rollout !== undefined) this.rollout.isOptional = true;
  }

  protected begin(aim: Aim, at: number, now: boolean): void {
    this.supersede(at);
    this.isPausedByPerson = false;
    const spec = this.spec;
    // `--preset` is for the rollout that the document starts, and no later one: not for its delete either.
    const preset = this.hasBegun || spec?.deleted !== undefined ? undefined : spec?.preset;
    this.hasBegun = true;
    const document = { document: spec?.rollout, preset: now ? 'all-at-once' : preset };
    this.rollout = new Believed({ aims: [aim], since: at, ...document });
    if (this.isFrozen) this.rollout.pause(at);
    this.judgeComplete(this.rollout, at, this.fleet.isUp());
  }

  /** What of the rollout before stands when another one begins. */
  protected supersede(at: number): void {
    const { rollout } = this;
    this.leftOver = [];
    if (rollout === undefined) return;
    if (rollout.dead !== undefined) {
      // Whoever was moved is on what was proven again, also where no push was needed for it.
      const [base, ...others] = this.bases;
      for (const [id, sent] of others.length === 0 ? this.sent : []) {
        const facts = this.fleet.nodes.get(id)?.facts;
        if (facts !== undefined && base !== undefined && sent !== aimOn(base, facts))
          this.sent.set(id, aimOn(base, facts));
      }
      this.earlier = [];
      return;
    }
    // What a node refused leaves the others when something newer takes over.
    if (rollout.haltedAt !== undefined || rollout.mayFail !== undefined) {
      this.lastDeathAt = at;
      for (const { revision } of rollout.aims)
        if (revision !== null && !this.quarantined.has(revision)) this.quarantined.set(revision, false);
    }
    // Who comes back later does not take it out of its bake.
    const { firstCompleteAt: completeAt } = rollout;
    if (completeAt === undefined) {
      // A person who lets it go to everybody at once does not wait for answers either; and what waits for nodes that
      // come back after our start begins later, while this one may go on to its end.
      if (rollout.isFull || !this.fleet.isSettled(at)) this.bases = [...this.bases, ...rollout.aims];
      this.earlier = [...this.earlier, rollout];
      return;
    }
    // Just after a start of Attaché the next one waits for nodes to come back; and an answer is not taken in at once.
    const isSure =
      this.fleet.isSettled(at) &&
      completeAt <= at - TAKEN_IN_MS &&
      rollout.isSurelyComplete &&
      rollout.mayFail === undefined &&
      !rollout.isOptional &&
      rollout.haltedAt === undefined;
    // Whether it was Baking already, or paused before that, is not seen on the wire.
    this.basesAt = completeAt;
    this.bases = isSure ? rollout.aims : [...this.bases, ...rollout.aims];
    this.earlier = isSure ? [] : [...this.earlier, rollout];
  }
}

function roleOf(spec: PluginSpec): string | undefined {
  return spec.selector?.matchLabels.role;
}
