import { type AuditDraft, toDecision } from '../model/audit.ts';
import type { Decision, News, RolloutFacts } from './rollout-facts.ts';
import { idIn } from './rollout-text.ts';
import { latestOf } from './rollout-turn.ts';

/** They say what nodes and gates showed: nothing is decided by them. */
export const OBSERVED: ReadonlySet<string> = new Set([
  'rollout.gate',
  'rollout.proven',
  'rollout.validating',
]);

/** What a decision adds to the audit: an entry for everything that it did, none where it only kept account. */
export function toAuditDrafts(facts: RolloutFacts, { records, news }: Decision): readonly AuditDraft[] {
  const behalf = findPerson(facts, records);
  return news
    .filter(({ type }) => !OBSERVED.has(type))
    .map(({ type, message }: News) =>
      toDecision(facts.now, {
        action: type,
        subject: idIn(message) ?? facts.plugin,
        text: message,
        behalf,
        ...(type === 'rollout.held-back' ? { result: 'held-back' } : {}),
      }),
    );
}

/** Who asked for it just now, else who began the rollout. */
function findPerson(
  { intent, records: before }: RolloutFacts,
  after: Decision['records'],
): string | undefined {
  const rollout = latestOf(after);
  const taken = rollout?.intent?.id;
  const isNew = taken !== undefined && !before.rollouts.some(known => known.intent?.id === taken);
  return isNew && intent?.id === taken ? intent.by : rollout?.by;
}
