import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodePresence } from '../model/node.ts';
import type { Clock, Log } from '../model/ports.ts';
import type { Change, Store } from '../store/store.ts';

/** A node that was away for so long is forgotten by itself. */
export const FORGET_AFTER_MS = 7 * 24 * 3_600_000;
const LOOK_EVERY_MS = 3_600_000;

/** Why a node is to be forgotten, or undefined. One that is connected stays, and so does what came after the wish. */
export function findReasonToForget(
  { connected, since }: NodePresence,
  forget: NodePolicy['forget'],
  now: number,
): 'asked' | 'away' | undefined {
  if (connected) return undefined;
  if (forget !== undefined && since <= forget.at) return 'asked';
  return now - since >= FORGET_AFTER_MS ? 'away' : undefined;
}

export interface ForgetOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly presences: () => Iterable<NodePresence>;
  readonly forget: (nodeId: string, reason: 'asked' | 'away') => void;
}

/** Forgets nodes that somebody (NodePolicy) or time says are gone, from now on and what had piled up before. */
export function keepForgetting(options: ForgetOptions): () => void {
  const { clock, store, log } = options;
  const asked = new Map<string, NodePolicy['forget']>();
  const abort = new AbortController();
  const look = (): void => {
    const now = clock.now();
    for (const presence of [...options.presences()]) {
      const { id } = presence.node;
      const reason = findReasonToForget(presence, asked.get(id), now);
      if (reason !== undefined) options.forget(id, reason);
    }
  };
  let cancel: () => void = () => {};
  const lookAgain = (): void => {
    look();
    cancel = clock.after(LOOK_EVERY_MS, lookAgain);
  };
  lookAgain();
  follow(store.watch(['NodePolicy'], abort.signal), changes => {
    for (const change of changes) note(asked, change);
    look();
  }).catch((err: unknown) => log.error({ err }, 'wishes to forget a node are not heard any more'));
  return () => {
    abort.abort();
    cancel();
  };
}

function note(asked: Map<string, NodePolicy['forget']>, change: Change): void {
  if (change.kind !== 'NodePolicy') return;
  const forget = change.stored?.value.forget;
  if (forget === undefined) asked.delete(change.key);
  else asked.set(change.key, forget);
}

async function follow(
  changes: AsyncIterable<readonly Change[]>,
  take: (changes: readonly Change[]) => void,
): Promise<void> {
  for await (const batch of changes) take(batch);
}
