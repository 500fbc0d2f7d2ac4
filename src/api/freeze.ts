import type { Freeze } from '../model/fleet-records.ts';
import { FREEZE_KEY } from '../store/record-kinds.ts';
import type { Store } from '../store/store.ts';
import type { CallContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { type Change, commit } from './commit.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { FreezeView } from './schema/freeze-view.ts';
import { toTime } from './schema/metadata.ts';

const LIFT = 'attache unfreeze lifts it.';

/** What has to be so before, and why it is changed. */
export interface FreezeChange extends Preconditions {
  readonly message: string | undefined;
}

/** Throws `frozen` while all changes are stopped. */
export async function refuseWhenFrozen(store: Store): Promise<void> {
  const freeze = (await store.get('Freeze', FREEZE_KEY))?.value;
  if (freeze !== undefined) throw new ApiError('frozen', toFrozenText(freeze), { hint: LIFT });
}

/** Stops all changes, or says since when they are. A second freeze has the newer message. Codes: `revision-mismatch`. */
export function freeze(context: CallContext, { message, ...conditions }: FreezeChange): Promise<FreezeView> {
  return context.exclusive(async () => {
    const stored = await context.store.get('Freeze', FREEZE_KEY);
    checkPreconditions(conditions, stored?.revision);
    const before = stored?.value;
    const value: Freeze = {
      by: context.caller.who,
      message: message ?? before?.message ?? null,
      at: before?.at ?? context.clock.now(),
    };
    if (before === undefined || before.message !== value.message)
      await commit(context, toChange('fleet.frozen', message, toFrozenText(value)), [
        { op: 'put', kind: 'Freeze', key: FREEZE_KEY, value },
      ]);
    return toChanged(context, toFreezeView(value));
  });
}

/** Codes: `revision-mismatch`. */
export function unfreeze(
  context: CallContext,
  { message, ...conditions }: FreezeChange,
): Promise<FreezeView> {
  return context.exclusive(async () => {
    const before = await context.store.get('Freeze', FREEZE_KEY);
    checkPreconditions(conditions, before?.revision);
    if (before === undefined) return toFreezeView(undefined);
    const why = message === undefined ? '' : `: ${message}`;
    await commit(context, toChange('fleet.unfrozen', message, `unfrozen by ${context.caller.who}${why}`), [
      { op: 'delete', kind: 'Freeze', key: FREEZE_KEY },
    ]);
    const text = 'unfrozen: changes are taken again, paused rollouts go on';
    return toChanged(context, { ...toFreezeView(undefined), text });
  });
}

function toChanged({ dryRun }: CallContext, view: FreezeView): FreezeView {
  return dryRun ? { ...view, dryRun, text: `dry run: ${view.text}` } : view;
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
