import { isActive } from '../model/rollout.ts';
import { begin } from './begin-rollout.ts';
import { latestOf, type Rule } from './rollout-turn.ts';
import { isSameSide } from './sides.ts';

/** Who rolls out what a newer Attaché compiles otherwise. */
const OURSELVES = 'attache';

/** An upgrade of Attaché that compiles otherwise reaches nodes through a rollout like anything else, tried once. */
export const followFormat: Rule = (turn, records) => {
  const { facts } = turn;
  const { assignment } = records;
  const latest = latestOf(records);
  if (assignment === undefined || facts.spec === undefined || facts.freeze !== undefined) return records;
  const { base, moved } = assignment;
  if (base.revision === null || base.format === facts.format || moved.length > 0) return records;
  if (latest !== undefined && (isActive(latest) || latest.phase === 'RollbackIncomplete')) return records;
  const to = { ...base, format: facts.format };
  const wasTried = records.rollouts.some(
    rollout => rollout.kind === 'format' && rollout.to !== null && isSameSide(rollout.to, to),
  );
  if (wasTried) return records;
  const { rollout: document } = facts.spec.value;
  return begin(turn, records, { kind: 'format', to, by: OURSELVES, strategy: { document } });
};
