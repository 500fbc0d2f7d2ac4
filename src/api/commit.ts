import type { AuditDraft } from '../model/audit.ts';
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
 * The one way in which a change that somebody asked for is stored: its records, what is told of it, and its entry in
 * the audit, in one transaction. Answers the store revision; of a dry run 0, for nothing is stored. Throws StoreError
 * `conflict`.
 */
export async function commit(
  context: CallContext,
  change: Change,
  operations: readonly Operation[],
): Promise<number> {
  const { store, clock, dryRun } = context;
  if (dryRun) return 0;
  const at = clock.now();
  const value = toDraft(context, change, at);
  return store.transaction([
    ...operations,
    ...toEvents(context, change, at),
    { op: 'append', kind: 'AuditEntry', value },
  ]);
}

/** What was asked for and is held back changes nothing; asked for over and over, the audit counts it. */
export async function commitHeldBack(context: CallContext, change: Change): Promise<void> {
  if (context.dryRun) return;
  const at = context.clock.now();
  await context.store.transaction(toEvents(context, change, at));
  const text = `${change.subject}: apply by ${context.caller.who}: held back`;
  await context.denials.record({ ...toDraft(context, change, at), result: 'held-back', text });
}

function toEvents({ random }: CallContext, { action, event }: Change, at: number): readonly Operation[] {
  if (event === undefined) return [];
  const value: Event = { type: action, at, ...event };
  return [{ op: 'put', kind: 'Event', key: eventKey(at, random(4)), value }];
}

function toDraft(
  { caller }: CallContext,
  { action, subject, reason, event }: Change,
  at: number,
): AuditDraft {
  const { who, address, requestId } = caller;
  return {
    time: new Date(at).toISOString(),
    actor: who,
    address,
    requestId,
    action,
    subject,
    result: 'done',
    ...(reason === undefined ? {} : { reason }),
    text: event?.message ?? `${subject}: ${action} by ${who}`,
  };
}
