import { Next, Nullable, Time } from './metadata.ts';
import { RolloutPhaseWord } from './rollout-view.ts';
import { type Static, Type } from './type.ts';

/*
 * The ids of everything that the stream holds are text that sorts in the order of the stream. Any of them can be
 * sent back: as `Last-Event-ID`, and as `?since=`.
 */

/** One line of what happened. In the stream: `event: event`. */
export const EventView = Type.Object({
  kind: Type.Literal('Event'),
  id: Type.String(),
  type: Type.String({ description: 'Dotted, e.g. `plugin.refused`.' }),
  at: Time,
  plugin: Nullable(Type.String()),
  node: Nullable(Type.String()),
  message: Type.String(),
});
export type EventView = Static<typeof EventView>;

export const EventList = Type.Object({
  kind: Type.Literal('EventList'),
  items: Type.Array(EventView, { description: 'newest first' }),
  next: Next,
});
export type EventList = Static<typeof EventList>;

/**
 * A rollout changed: where it stands now. In the stream only, as `event: rollout`; of changes in quick succession a
 * reader may see the last one alone.
 */
export const RolloutUpdated = Type.Object({
  kind: Type.Literal('RolloutUpdated'),
  id: Type.String(),
  type: Type.Literal('rollout.updated'),
  rollout: Type.String({ description: '`namespace.plugin.number`' }),
  plugin: Type.String({ description: '`<namespace>/<name>`' }),
  phase: RolloutPhaseWord,
  reason: Nullable(Type.String({ description: 'A word beside the phase' })),
  /** When the phase began. */
  since: Time,
  step: Nullable(
    Type.Integer({
      description: 'Number of the step that is under way, or was last, and of how many; null: none yet',
    }),
  ),
  steps: Type.Integer(),
  stage: Nullable(
    Type.String({
      description: 'Within Progressing: Waiting for the step, Applying, Soaking; Baking; Returning',
    }),
  ),
});
export type RolloutUpdated = Static<typeof RolloutUpdated>;

/** `event: bookmark`: all that was there is told, what follows is new. Its id stands also for what a filter left out. */
export const EventBookmark = Type.Object({ kind: Type.Literal('Bookmark'), id: Type.String() });
export type EventBookmark = Static<typeof EventBookmark>;

/** `event: reset`: a part of the history asked for is gone. What is left of it follows; read afresh what you follow. */
export const EventReset = Type.Object({ kind: Type.Literal('Reset'), message: Type.String() });
export type EventReset = Static<typeof EventReset>;

/** `event: end`: the server ends the stream. Connect again with the last id. */
export const EventEnd = Type.Object({
  kind: Type.Literal('End'),
  /** stopping: so does the server. slow: too much waited to be read. failed: the store does not answer. revoked: the token counts no more. */
  reason: Type.Union([
    Type.Literal('stopping'),
    Type.Literal('slow'),
    Type.Literal('failed'),
    Type.Literal('revoked'),
  ]),
  message: Type.String(),
});
export type EventEnd = Static<typeof EventEnd>;
