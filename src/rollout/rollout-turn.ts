import type { Rollout } from '../model/rollout.ts';
import type { News, RolloutFacts, RolloutRecords } from './rollout-facts.ts';

/** What the rules of one decision share: the facts, and where to put news and the time to look again. */
export interface Turn {
  readonly facts: RolloutFacts;
  tell(type: string, message: string, node?: string): void;
  /** Something may change at this time although nothing happens. */
  wake(at: number): void;
}

/** A rule answers the records as they are to be: the same object where it changes nothing. */
export type Rule = (turn: Turn, records: RolloutRecords) => RolloutRecords;

/** More than a rollout has transitions that follow one another at once: steps that nobody is in, for instance. */
const MOST_PASSES = 10_000;

/**
 * Applies rules until none changes anything: what comes out is settled, so that deciding again on it changes nothing.
 * After a change the first rule is asked again: the order of the rules is the order of their urgency.
 */
export function settle(
  facts: RolloutFacts,
  rules: readonly Rule[],
): { readonly records: RolloutRecords; readonly news: readonly News[]; readonly wakeAt: number | null } {
  const news: News[] = [];
  let { records } = facts;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    let wakeAt = Number.POSITIVE_INFINITY;
    let told: News[] = [];
    const turn: Turn = {
      facts,
      tell: (type, message, node) => told.push({ type, message, ...(node === undefined ? {} : { node }) }),
      wake: at => {
        if (at > facts.now) wakeAt = Math.min(wakeAt, at);
      },
    };
    const before = records;
    for (const rule of rules) {
      told = [];
      records = rule(turn, before);
      if (records !== before) break;
    }
    if (records === before) return { records, news, wakeAt: Number.isFinite(wakeAt) ? wakeAt : null };
    news.push(...told);
  }
  throw new Error(`the rollout of ${facts.plugin} does not come to rest`);
}

/** The newest rollout: the active one, if any is. */
export function latestOf({ rollouts }: RolloutRecords): Rollout | undefined {
  return rollouts.at(-1);
}

/** Puts a rollout in the place of the one with its number. */
export function withRollout(records: RolloutRecords, rollout: Rollout): RolloutRecords {
  const rollouts = records.rollouts.map(known => (known.number === rollout.number ? rollout : known));
  return { ...records, rollouts };
}

/** A rollout without some of its optional fields. */
export function without(
  rollout: Rollout,
  ...fields: readonly ('reason' | 'why' | 'hint' | 'code' | 'pausedFrom' | 'failure')[]
): Rollout {
  const rest: { -readonly [K in keyof Rollout]: Rollout[K] } = { ...rollout };
  for (const field of fields) delete rest[field];
  return rest;
}
