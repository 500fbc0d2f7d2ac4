import { dropLeftBehind } from './drop-left-behind.ts';
import { followDocument } from './follow-document.ts';
import { followFormat } from './follow-format.ts';
import { followModule } from './follow-module.ts';
import { forgetOldRollouts, forgetPlugin } from './forget-history.ts';
import { watchUnproven } from './live-at-once.ts';
import { dropCovered, leaveOutExcluded } from './moved-entries.ts';
import { moveNodes } from './moved-nodes.ts';
import { followFreeze } from './pause-rollout.ts';
import { returnNodes } from './return-nodes.ts';
import { keepTimer } from './rollout-clock.ts';
import type { Decision, RolloutFacts } from './rollout-facts.ts';
import { type Rule, settle } from './rollout-turn.ts';
import { goOn } from './step-rollout.ts';
import { takeIntent } from './take-intent.ts';
import { watchGates } from './watch-gates.ts';

/** In the order of their urgency: what fails is taken back before anything else is looked at. */
const RULES: readonly Rule[] = [
  forgetPlugin,
  leaveOutExcluded,
  watchGates,
  dropLeftBehind,
  watchUnproven,
  takeIntent,
  followFreeze,
  moveNodes,
  dropCovered,
  returnNodes,
  goOn,
  followDocument,
  followModule,
  followFormat,
  keepTimer,
  forgetOldRollouts,
];

/**
 * What is to become of a plugin's rollout. Pure, and settles: deciding again on the outcome at the same time changes
 * nothing. The phases are in src/model/rollout.ts; the rules that lead from one to another are files beside this one.
 */
export function decideRollout(facts: RolloutFacts): Decision {
  return settle(facts, RULES);
}
