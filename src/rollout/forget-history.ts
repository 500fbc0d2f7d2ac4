import type { Rule } from './rollout-turn.ts';

/** Rollouts that are kept of a plugin. */
export const KEPT_ROLLOUTS = 100;

/** A plugin that was purged leaves nothing behind. */
export const forgetPlugin: Rule = ({ facts, tell }, records) => {
  const { assignment, rollouts, quarantine } = records;
  if (facts.spec !== undefined) return records;
  if (assignment === undefined && rollouts.length === 0 && quarantine.size === 0) return records;
  tell('rollout.forgotten', `${facts.plugin}: forgotten with its history; no node runs it`);
  return { assignment: undefined, rollouts: [], nodes: undefined, quarantine: new Map() };
};

export const forgetOldRollouts: Rule = (_turn, records) =>
  records.rollouts.length <= KEPT_ROLLOUTS
    ? records
    : { ...records, rollouts: records.rollouts.slice(-KEPT_ROLLOUTS) };
