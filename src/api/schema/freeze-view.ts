import { Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** Whether all changes are stopped. */
export const FreezeView = Type.Object({
  kind: Type.Literal('Freeze'),
  frozen: Type.Boolean(),
  by: Nullable(Type.String()),
  since: Nullable(Time),
  message: Nullable(Type.String()),
  /** Nothing was stored: the rest is what it would be. */
  dryRun: Type.Optional(Type.Literal(true)),
  text: Type.String({ description: 'One sentence for a person' }),
});
export type FreezeView = Static<typeof FreezeView>;

/** The body of PUT /v1/freeze and of an exclusion. */
export const MessageBody = Type.Object(
  { message: Type.Optional(Type.String({ maxLength: 1024, description: 'why' })) },
  { additionalProperties: false },
);
