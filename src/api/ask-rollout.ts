import type { PluginName, PluginSpec } from '../model/plugin-spec.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import { isLegal, legalActions, type RolloutAction, type RolloutIntent } from '../model/rollout-intent.ts';
import type { Operation, Stored } from '../store/store.ts';
import { ACTOR } from './actor.ts';
import type { ApiContext } from './api-context.ts';
import { readNow } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { findRollout, listRollouts } from './find-rollout.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { statusOf } from './plugin-status-of.ts';
import { waitUntil } from './wait-until.ts';

/** What a verb says besides itself. */
export interface RolloutRequest {
  readonly message?: string;
  readonly full?: boolean;
  readonly freeze?: boolean;
  readonly to?: number;
}

/** `taken` undefined: not taken in yet, though it is stored. */
export interface Asked {
  readonly plugin: PluginName;
  /** The rollout as it stood when it was asked; of an undo the newest one. */
  readonly before: Rollout | undefined;
  /** The newest rollout once the stage took the intent in. */
  readonly taken: Rollout | undefined;
}

/** They move nodes on, so that a freeze stops them. */
const STOPPED_BY_FREEZE: readonly RolloutAction[] = ['retry', 'resume', 'promote'];

/**
 * Asks a rollout (`namespace.plugin.number`, `….latest`) for something and waits until the rollout stage took it in.
 * Codes: `not-found`, `illegal-action`, `frozen`.
 */
export async function askRollout(
  context: ApiContext,
  id: string,
  action: Exclude<RolloutAction, 'undo'>,
  request: RolloutRequest,
): Promise<Asked> {
  const asked = await context.exclusive(async () => {
    const { rollout, latest } = await findRollout(context.store, id);
    await checkLegal(context, rollout, latest, action);
    if (STOPPED_BY_FREEZE.includes(action)) await refuseWhenFrozen(context.store);
    const spec = await context.store.get('PluginSpec', rollout.plugin);
    const more = spec === undefined ? [] : planSpec(context, spec, rollout, action, request);
    const intent = await writeIntent(
      context,
      rollout.plugin,
      { ...request, action, rollout: rollout.id },
      more,
    );
    return { rollout, intent };
  });
  const { plugin } = asked.rollout;
  return { plugin, before: asked.rollout, taken: await waitUntilTaken(context, asked.intent) };
}

async function checkLegal(
  context: ApiContext,
  rollout: Rollout,
  latest: boolean,
  action: RolloutAction,
): Promise<void> {
  const legal = latest && isLegal(action, rollout.phase);
  if (legal || (action === 'retry' && (await isHeldBack(context, rollout, latest)))) return;
  if (latest) throw new ApiError('illegal-action', toIllegalText(rollout, action), toHint(rollout));
  const [newest] = await listRollouts(context.store, rollout.plugin);
  throw new ApiError(
    'illegal-action',
    `${rollout.id} is ${rollout.phase}, and ${newest?.id} came after it: ${action} is for the newest one`,
    newest === undefined ? {} : toHint(newest),
  );
}

/** After an undo the newest rollout succeeded, and what was undone can be tried again all the same. */
async function isHeldBack(context: ApiContext, rollout: Rollout, latest: boolean): Promise<boolean> {
  const fleet = await readNow(context);
  const spec = fleet.specs.get(rollout.plugin);
  const active = fleet.rollouts.get(rollout.plugin)?.some(isActive) === true;
  if (spec === undefined || active) return false;
  const { heldBack } = statusOf(fleet, spec);
  if (heldBack === null) return false;
  return latest || (rollout.to !== null && rollout.to.revision === heldBack.revision);
}

function toIllegalText({ id, phase }: Rollout, action: RolloutAction): string {
  return `${id} is ${phase}: ${action} is not possible`;
}

function toHint({ id, phase }: Rollout): { readonly hint: string } {
  const allowed = legalActions(phase);
  return { hint: `${id} is ${phase}. Possible now: ${allowed.join(', ')}.` };
}

/** The document follows: what a person takes back of a delete, and what the module stage is to look at again. */
function planSpec(
  { clock }: ApiContext,
  spec: Stored<PluginSpec>,
  rollout: Rollout,
  action: RolloutAction,
  { message, freeze }: RolloutRequest,
): Operation[] {
  const put = (value: PluginSpec): Operation[] => [
    { op: 'put', kind: 'PluginSpec', key: spec.key, value, expected: spec.revision },
  ];
  if (action === 'abort' && freeze !== true && spec.value.deleted !== undefined)
    return put(withoutDeletion(spec.value));
  if (action !== 'retry') return [];
  if (rollout.kind === 'delete' && spec.value.deleted === undefined) {
    const deleted = { at: clock.now(), by: ACTOR, now: false, ...(message === undefined ? {} : { message }) };
    return put({ ...spec.value, deleted });
  }
  return rollout.phase === 'NotStarted' ? put(spec.value) : [];
}

/** The document as it was before it was deleted. */
export function withoutDeletion({ deleted: _gone, ...spec }: PluginSpec): PluginSpec {
  return spec;
}

type IntentPart = Pick<RolloutIntent, 'action' | 'rollout'> & RolloutRequest;

/** Stores an intent, with what goes with it in one transaction. */
export async function writeIntent(
  { store, clock }: ApiContext,
  plugin: PluginName,
  part: IntentPart,
  more: readonly Operation[],
): Promise<RolloutIntent> {
  const before = await store.get('RolloutIntent', plugin);
  const { action, rollout, message, full, freeze, to } = part;
  const value: RolloutIntent = {
    id: (before?.value.id ?? 0) + 1,
    plugin,
    rollout,
    action,
    ...(full === undefined ? {} : { full }),
    ...(freeze === undefined ? {} : { freeze }),
    ...(to === undefined ? {} : { to }),
    by: ACTOR,
    ...(message === undefined ? {} : { message }),
    at: clock.now(),
  };
  await store.transaction([
    { op: 'put', kind: 'RolloutIntent', key: plugin, value, expected: before?.revision ?? 'absent' },
    ...more,
  ]);
  return value;
}

/** The newest rollout of the plugin once one of them took the intent in; undefined: not in time. */
export function waitUntilTaken(
  context: ApiContext,
  { plugin, id }: RolloutIntent,
): Promise<Rollout | undefined> {
  return waitUntil(context, ['Rollout'], async () => {
    const rollouts = await listRollouts(context.store, plugin);
    return rollouts.some(({ intent }) => (intent?.id ?? 0) >= id) ? rollouts[0] : undefined;
  });
}
