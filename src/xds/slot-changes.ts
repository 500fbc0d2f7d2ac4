import type { SlotState } from './push/slot-state.ts';
import { isOnlyPushed } from './verdict-record.ts';

type Slots = ReadonlyMap<string, SlotState>;

/** A slot that is not as it was, or was not there. */
export interface SlotChange {
  readonly state: SlotState;
  /** What it accepted last is something else. */
  readonly hasAccepted: boolean;
  /** Nothing is new of it but a push. */
  readonly isPush: boolean;
}

const NONE: readonly SlotChange[] = [];

/** By how they are. A fleet goes from one state to the next together: see fleet-steps.ts. */
const steps = new WeakMap<
  Slots,
  { readonly before: Slots | undefined; readonly changes: readonly SlotChange[] }
>();

/** `before` undefined: none of them was there. */
export function changesOf(before: Slots | undefined, now: Slots): readonly SlotChange[] {
  if (before === now) return NONE;
  const known = steps.get(now);
  if (known !== undefined && known.before === before) return known.changes;
  const changes: SlotChange[] = [];
  for (const [slot, state] of now) {
    const was = before?.get(slot);
    if (was === state) continue;
    const hasAccepted = was?.accepted !== state.accepted;
    changes.push({
      state,
      hasAccepted,
      isPush: was !== undefined && !hasAccepted && isOnlyPushed(was, state),
    });
  }
  steps.set(now, { before, changes });
  return changes;
}
