import { withMembers } from '../model/node-group.ts';
import type { PluginName, PluginSpec } from '../model/plugin-spec.ts';
import { NOT_COUNTED } from '../model/plugin-status.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import { isLegal, legalActions, type RolloutAction, type RolloutIntent } from '../model/rollout-intent.ts';
import type { Operation, Stored } from '../store/store.ts';
import { requirePlugin, requireRight } from './access/require.ts';
import { toReaches } from './access/subjects.ts';
import { type ApiContext, type CallContext, readNow } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { commit } from './commit.ts';
import { type FoundRollout, findRollout, listRollouts } from './find-rollout.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { readNodeGroups } from './node-groups.ts';
import { statusOf } from './plugin-status-of.ts';
import { requireSigned } from './require-signed.ts';
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
  /** What the stage made of it. `too-late` is thrown as `illegal-action`. */
  readonly outcome: 'done' | 'already-back';
}

/** A dry run: it could be asked, and was not. */
export interface DryAsked {
  readonly before: Rollout | undefined;
  /** What would happen, for a person. */
  readonly planned: string;
}

/** They move nodes on, so that a freeze stops them. */
const STOPPED_BY_FREEZE: readonly RolloutAction[] = ['retry', 'resume', 'promote'];

/**
 * Asks a rollout (`namespace.plugin.number`, `….latest`) for something and waits until the rollout stage took it in; of a
 * dry run only whether it can be asked. Codes: `not-found`, `illegal-action`, `frozen`, `signature-refused`.
 */
export async function askRollout(
  context: CallContext,
  id: string,
  action: Exclude<RolloutAction, 'undo'>,
  request: RolloutRequest,
): Promise<Asked | DryAsked> {
  const asked = await context.exclusive(async () => {
    const found = await findRollout(context.store, id);
    const { rollout } = found;
    await requirePlugin(context, rollout.plugin, toReaches(rollout));
    // It waits for a person, and to resume it is to promote it.
    if (action === 'resume' && rollout.reason === 'Human')
      requireRight(context, 'approver', { kind: 'listed' });
    const meant = await findMeant(context, found, action);
    if (STOPPED_BY_FREEZE.includes(action)) await refuseWhenFrozen(context.store);
    const spec = await context.store.get('PluginSpec', rollout.plugin);
    const again = action === 'retry' && meant === rollout.id && rollout.kind === 'undo';
    const revision = again ? (rollout.to?.revision ?? null) : null;
    if (spec !== undefined && revision !== null) await requireSigned(context, spec.value, revision);
    const groups = await readNodeGroups(context.store);
    const current = spec && { ...spec, value: withMembers(spec.value, groups) };
    const more = current === undefined ? [] : planSpec(context, current, rollout, action, request);
    const intent = await writeIntent(context, rollout.plugin, { ...request, action, rollout: meant }, more);
    return { rollout, intent };
  });
  const { rollout, intent } = asked;
  if (context.dryRun)
    return { before: rollout, planned: `${rollout.id} is ${rollout.phase}: ${action} is possible` };
  return awaitIntent(context, intent, rollout);
}

/**
 * Id of the rollout that is meant: of a retry the one whose content is held back, which after an undo is not the
 * newest. Throws `illegal-action`.
 */
async function findMeant(
  context: ApiContext,
  { rollout, latest }: FoundRollout,
  action: RolloutAction,
): Promise<string> {
  const held = action === 'retry' ? await findHeld(context, rollout) : undefined;
  if (held !== undefined && (latest || held.to?.revision === rollout.to?.revision)) return held.id;
  if (latest && isLegal(action, rollout.phase)) return rollout.id;
  if (latest) throw toIllegal(rollout, action);
  const [newest] = await listRollouts(context.store, rollout.plugin);
  throw new ApiError(
    'illegal-action',
    `${rollout.id} is ${rollout.phase}, and ${newest?.id} came after it: ${action} is for the newest one`,
    newest === undefined ? {} : toHint(newest),
  );
}

/** The rollout whose content the document asks for, and that is not tried again by itself. */
async function findHeld(context: ApiContext, { plugin }: Rollout): Promise<Rollout | undefined> {
  const fleet = await readNow(context);
  const spec = fleet.specs.get(plugin);
  const rollouts = fleet.rollouts.get(plugin) ?? [];
  if (spec === undefined || rollouts.some(isActive)) return undefined;
  const { heldBack } = statusOf(fleet, spec, NOT_COUNTED);
  const held = rollouts.find(({ id }) => id === heldBack?.rollout);
  return held !== undefined && isLegal('retry', held.phase) ? held : undefined;
}

/** What a rollout cannot be asked for in its phase. */
export function toIllegal(rollout: Rollout, action: RolloutAction): ApiError {
  return new ApiError(
    'illegal-action',
    `${rollout.id} is ${rollout.phase}: ${action} is not possible`,
    toHint(rollout),
  );
}

function toHint({ id, phase }: Rollout): { readonly hint: string } {
  const allowed = legalActions(phase);
  return { hint: `${id} is ${phase}. Possible now: ${allowed.join(', ')}.` };
}

/** The document follows: what a person takes back of a delete, and what the module stage is to look at again. */
function planSpec(
  { clock, caller }: CallContext,
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
    const deleted = {
      at: clock.now(),
      by: caller.who,
      now: false,
      ...(message === undefined ? {} : { message }),
    };
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
  context: CallContext,
  plugin: PluginName,
  part: IntentPart,
  more: readonly Operation[],
): Promise<RolloutIntent> {
  const { store, clock, caller } = context;
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
    by: caller.who,
    ...(message === undefined ? {} : { message }),
    at: clock.now(),
  };
  const change = {
    action: `rollout.${action}`,
    subject: rollout ?? plugin,
    reason: message,
    event: undefined,
  };
  await commit(context, change, [
    { op: 'put', kind: 'RolloutIntent', key: plugin, value, expected: before?.revision ?? 'absent' },
    ...more,
  ]);
  return value;
}

/** Waits until the rollout stage took an intent in. Throws `illegal-action` where it came too late. */
export async function awaitIntent(
  context: ApiContext,
  { id, plugin, action }: RolloutIntent,
  before: Rollout | undefined,
): Promise<Asked> {
  const taken = await waitUntil(context, ['Rollout'], async () => {
    const rollouts = await listRollouts(context.store, plugin);
    return rollouts.some(({ intent }) => (intent?.id ?? 0) >= id) ? rollouts[0] : undefined;
  });
  const own = taken?.intent?.id === id ? taken.intent.outcome : 'done';
  if (taken !== undefined && own === 'too-late') throw toIllegal(taken, action);
  return { plugin, before, taken, outcome: own === 'already-back' ? own : 'done' };
}
