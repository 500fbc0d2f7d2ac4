import type { Side } from '../model/assignment.ts';
import { type Situation, selectsAlike } from '../model/node-situation.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import type { Rollout } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import type { Arrival } from './node-arrival.ts';
import { type CommonAim, KeptRoll, type Roll } from './roll.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { latestOf, type Turn } from './rollout-turn.ts';
import { UnseenNodes } from './unseen-nodes.ts';

/**
 * What the nodes of one plugin were found to be at, kept from one decision to the next: what is asked of it is a pure
 * function of facts and records, but only nodes of which something changed are looked at again. Looking at all of
 * them in each decision was a fifth of the CPU of a push to 5,000 nodes, and made each push cost the square of its
 * nodes.
 */
export class RollCall {
  #roll: KeptRoll | undefined;
  /** By situation, for what was looked for last. */
  #alike = new Map<Situation, Arrival>();
  readonly #unseen = new UnseenNodes();
  /** For `moveNodes`: nodes whose turn may have come. */
  readonly toMove = new UnseenNodes();
  /** For `watchUnproven`: nodes that may have taken it. */
  readonly toProve = new UnseenNodes();

  /** Nodes of which something changed; undefined: any may have. */
  note(ids: readonly string[] | undefined): void {
    for (const unseen of [this.#unseen, this.toMove, this.toProve]) unseen.note(ids);
  }

  /** As of these records; wakes when time alone would change it. */
  of(turn: Turn, records: RolloutRecords): Roll {
    const { facts } = turn;
    const { revisions, startedAt, now } = facts;
    const { side, since, recompiled } = findAim(records);
    const config = side.revision === null ? undefined : revisions.get(side.revision)?.config;
    const purpose = [...partsOf(facts.spec?.value, side), side, since, recompiled, config, startedAt];
    const moved = movedBy(records.nodes);
    const unseen = this.#unseen.list(purpose);
    if (unseen === undefined) this.#alike = new Map();
    // What was compiled anew and selected by name is a matter of each node.
    const isAlike =
      !recompiled && selectsAlike(side.revision === null ? (facts.spec?.value ?? {}) : side.placement);
    const aim = { side, since, recompiled, alike: isAlike ? this.#alike : undefined };
    const known = unseen === undefined || (this.#roll?.now ?? now) > now ? undefined : this.#roll;
    const isSame = known?.moved === moved;
    const roll = isSame ? known : new KeptRoll(facts, moved);
    if (isSame) roll.update(facts, aim, unseen ?? []);
    else roll.fill(facts, aim, new Set(unseen), known);
    this.#roll = roll;
    this.#unseen.seen(purpose);
    roll.wake(turn);
    return roll;
  }
}

/**
 * What counts of a document beside the side. Whom a side with a revision is for, it says itself: a new document finds
 * the nodes of the rollout before it where they were, instead of looking at all of them once more before it begins.
 */
export function partsOf(spec: PluginSpec | undefined, { revision }: Side): readonly unknown[] {
  const choice = revision === null ? [spec?.selector, spec?.targetRefs] : [];
  return [spec?.namespace, spec?.name, spec?.deleted, ...choice];
}

function findAim(records: RolloutRecords): Omit<CommonAim, 'alike'> {
  const rollout = latestOf(records);
  const base = records.assignment?.base ?? rollout?.from ?? NOWHERE;
  const recompiled = rollout?.kind === 'format';
  if (rollout === undefined || rollout.to === null) return { side: base, since: null, recompiled };
  return isReturning(rollout)
    ? { side: base, since: rollout.back?.startedAt ?? rollout.since, recompiled }
    : { side: rollout.to, since: null, recompiled };
}

const NOWHERE: Side = { revision: null, placement: {}, format: 0 };

/** It goes back, or went as far as it could. */
export function isReturning({ phase }: Pick<Rollout, 'phase'>): boolean {
  return phase === 'RollingBack' || phase === 'RollbackIncomplete';
}
