import { type Static, Type } from 'typebox';
import { Nullable, Time } from './metadata.ts';

/** One line of what happened. */
export const EventView = Type.Object({
  kind: Type.Literal('Event'),
  id: Type.String(),
  /** Dotted, e.g. `plugin.refused`. */
  type: Type.String(),
  at: Time,
  plugin: Nullable(Type.String()),
  node: Nullable(Type.String()),
  message: Type.String(),
});
export type EventView = Static<typeof EventView>;

export const EventList = Type.Object({
  kind: Type.Literal('EventList'),
  items: Type.Array(EventView, { description: 'newest first' }),
});
export type EventList = Static<typeof EventList>;
