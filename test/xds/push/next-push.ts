import type { FreshTag } from '../../../src/xds/push/attempt.ts';
import { findDue, type Pushed, toPush } from '../../../src/xds/push/next-push.ts';
import type { SlotState } from '../../../src/xds/push/slot-state.ts';

/** The push that is due for a slot by itself; undefined: none is. */
export function nextPush(state: SlotState, now: number, freshTag: FreshTag, number = 0): Pushed | undefined {
  const due = findDue(state, now);
  return due && toPush(state, due, now, number, freshTag);
}
