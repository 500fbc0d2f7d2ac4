import type { Freeze } from '../model/fleet-records.ts';
import { FREEZE_KEY } from '../store/record-kinds.ts';
import type { Store } from '../store/store.ts';
import type { CallContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { type Change, commit } from './commit.ts';
import type { FreezeView } from './schema/freeze-view.ts';
import { toTime } from './schema/metadata.ts';

const LIFT = 'attache unfreeze lifts it.';

/** Throws `frozen` while all changes are stopped. */
export async function refuseWhenFrozen(store: Store): Promise<void> {
  const freeze = (await store.get('Freeze', FREEZE_KEY))?.value;
  if (freeze !== undefined) throw new ApiError('frozen', toFrozenText(freeze), { hint: LIFT });
}

/** Stops all changes, or says since when they are. A second freeze has the newer message. */
export function freeze(context: CallContext, message: string | undefined): Promise<FreezeView> {
  return context.exclusive(async () => {
    const before = (await context.store.get('Freeze', FREEZE_KEY))?.value;
    const value: Freeze = {
      by: context.caller.who,
      message: message ?? before?.message ?? null,
      at: before?.at ?? context.clock.now(),
    };
    if (before === undefined || before.message !== value.message)
      await commit(context, toChange('fleet.frozen', message, toFrozenText(value)), [
        { op: 'put', kind: 'Freeze', key: FREEZE_KEY, value },
      ]);
    return toFreezeView(value);
  });
}

export function unfreeze(context: CallContext, message: string | undefined): Promise<FreezeView> {
  return context.exclusive(async () => {
    const before = (await context.store.get('Freeze', FREEZE_KEY))?.value;
    if (before === undefined) return toFreezeView(undefined);
    const why = message === undefined ? '' : `: ${message}`;
    await commit(context, toChange('fleet.unfrozen', message, `unfrozen by ${context.caller.who}${why}`), [
      { op: 'delete', kind: 'Freeze', key: FREEZE_KEY },
    ]);
    return { ...toFreezeView(undefined), text: 'unfrozen: changes are taken again, paused rollouts go on' };
  });
}

export function toFreezeView(freeze: Freeze | undefined): FreezeView {
  if (freeze === undefined)
    return { kind: 'Freeze', frozen: false, by: null, since: null, message: null, text: 'not frozen' };
  const { by, message, at } = freeze;
  const text = toFrozenText(freeze);
  return { kind: 'Freeze', frozen: true, by, since: toTime(at), message, text };
}

/** `frozen by admin since …: "on-call, until 09:00"` */
export function toFrozenText({ by, message, at }: Freeze): string {
  return `frozen by ${by} since ${toTime(at)}${message === null ? '' : `: "${message}"`}`;
}

function toChange(action: string, reason: string | undefined, message: string): Change {
  return { action, subject: FREEZE_KEY, reason, event: { message } };
}
