import { Nullable } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** What a trial run found that let a revision pass. */
export const TrialView = Type.Object({
  outcome: Type.Union([Type.Literal('ok'), Type.Literal('unsure')], {
    description: 'unsure: it said no, after it had asked for what a node alone knows',
  }),
  reason: Nullable(Type.String()),
  tookMs: Type.Number(),
  unknowable: Type.Array(Type.String(), { description: 'what the trial run could not know' }),
});
export type TrialView = Static<typeof TrialView>;
