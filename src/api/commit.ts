import type { Event } from '../model/event.ts';
import { eventKey } from '../store/record-kinds.ts';
import type { Operation } from '../store/store.ts';
import type { CallContext } from './api-context.ts';

/** What somebody changes. */
export interface Change {
  /** `plugin.configured`, `rollout.pause`: what is done to what. */
  readonly action: string;
  /** Which: `default/auth`, a node.id, … */
  readonly subject: string;
  /** Why, in the caller's words. */
  readonly reason: string | undefined;
  /** What everybody is told; undefined: nothing happened yet, another stage tells what comes of it. */
  readonly event: Omit<Event, 'type' | 'at'> | undefined;
}

/**
 * The one way in which a change that somebody asked for is stored: its records, and what is told of it, in one
 * transaction. Answers the store revision; of a dry run 0, for nothing is stored. Throws StoreError `conflict`.
 */
export async function commit(
  { store, clock, random, dryRun }: CallContext,
  { action, event }: Change,
  operations: readonly Operation[],
): Promise<number> {
  if (dryRun) return 0;
  if (event === undefined) return store.transaction(operations);
  const at = clock.now();
  const value: Event = { type: action, at, ...event };
  return store.transaction([
    ...operations,
    { op: 'put', kind: 'Event', key: eventKey(at, random(4)), value },
  ]);
}
