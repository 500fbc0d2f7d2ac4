import type { TrialFacts } from '../model/revision.ts';
import type { TrialView } from './schema/trial-view.ts';

/** null: the module was never run here. */
export function toTrialView(trial: TrialFacts | undefined): TrialView | null {
  if (trial === undefined) return null;
  const { outcome, reason = null, tookMs, unknowable } = trial;
  return { outcome, reason, tookMs, unknowable: [...unknowable] };
}
