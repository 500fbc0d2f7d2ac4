import type { Assignment } from '../model/assignment.ts';
import { withMembers } from '../model/node-group.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import { findUndoTarget, type UndoTarget } from '../model/undo-target.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Operation, Stored } from '../store/store.ts';
import { requirePlugin } from './access/require.ts';
import type { CallContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import {
  type Asked,
  awaitIntent,
  type DryAsked,
  type RolloutRequest,
  withoutDeletion,
  writeIntent,
} from './ask-rollout.ts';
import { listRollouts } from './find-rollout.ts';
import { type NodeGroups, readNodeGroups } from './node-groups.ts';
import { toUnknownPlugin } from './not-found.ts';
import { requireSigned } from './require-signed.ts';

export type Undone =
  | Asked
  | DryAsked
  | { readonly alreadyBack: string; readonly newest: Rollout | undefined };

/**
 * Takes a plugin back: an active rollout ends, otherwise one to the good revision before (or to `to`) begins. It waits
 * until the rollout stage took it in. A freeze does not stop it. Codes: `not-found`, `illegal-action`, `signature-refused`.
 */
export async function undoPlugin(
  context: CallContext,
  plugin: string,
  request: Pick<RolloutRequest, 'to' | 'message'>,
): Promise<Undone> {
  const { store } = context;
  const asked = await context.exclusive(async () => {
    const spec = await store.get('PluginSpec', plugin);
    if (spec === undefined) throw toUnknownPlugin(plugin);
    const rollouts = await listRollouts(store, plugin);
    const [newest] = rollouts;
    const { to } = request;
    if (to !== undefined && (await store.get('Revision', revisionKey(plugin, to))) === undefined)
      throw new ApiError('not-found', `${plugin}: there is no revision ${to}, or it is not kept any more`, {
        hint: `attache rollout history ${plugin} lists what there is.`,
      });
    await requirePlugin(context, plugin);
    const assignment = (await store.get('Assignment', plugin))?.value;
    const alreadyBack = findAlreadyBack(spec.value, assignment, newest, to);
    if (alreadyBack !== undefined) return { alreadyBack: `${plugin}: ${alreadyBack}`, newest };
    const active = newest !== undefined && isActive(newest);
    if (active && to !== undefined && to !== assignment?.base.revision) throw toUnderWay(newest, to);
    const target =
      active || assignment === undefined ? undefined : findUndoTarget(assignment, rollouts.toReversed(), to);
    if (target !== undefined && target.revision !== null)
      await requirePlugin(context, plugin, [target.placement]);
    // What nodes run already, they go on running.
    if (target !== undefined && target.revision !== null && target.revision !== assignment?.base.revision)
      await requireSigned(context, spec.value, target.revision);
    const intent = await writeIntent(
      context,
      plugin,
      { ...request, action: 'undo', rollout: active ? newest.id : null },
      planSpec(spec, await readNodeGroups(store)),
    );
    if (context.dryRun) return { before: newest, planned: toPlanned(plugin, active, newest, target) };
    return { intent, newest };
  });
  if (!('intent' in asked)) return asked;
  const undone = await awaitIntent(context, asked.intent, asked.newest);
  const { taken, outcome } = undone;
  if (outcome === 'done' || taken === undefined) return undone;
  return { alreadyBack: `${taken.id} is ${taken.phase}: it goes back already`, newest: taken };
}

/** An undo of what is under way leads to where it began, and nowhere else. */
function toUnderWay({ id, phase, from }: Rollout, to: number): ApiError {
  const back = from.revision === null ? 'none' : `revision ${from.revision}`;
  return new ApiError(
    'illegal-action',
    `${id} is ${phase}: an undo takes it back to ${back}, not to revision ${to}`,
    {
      hint: `attache rollout abort ${id}, and then the undo.`,
    },
  );
}

function toPlanned(
  plugin: string,
  active: boolean,
  newest: Rollout | undefined,
  target: UndoTarget | undefined,
): string {
  if (active) return `${newest?.id} would end, and its nodes go back`;
  if (target === undefined) return `${plugin} would go back to what its nodes ran before`;
  return `${plugin} would go back to ${target.revision === null ? 'none' : `revision ${target.revision}`}`;
}

/** A delete that is undone: the document is there again. */
function planSpec(spec: Stored<PluginSpec>, groups: NodeGroups): Operation[] {
  if (spec.value.deleted === undefined) return [];
  const value = withMembers(withoutDeletion(spec.value), groups);
  return [{ op: 'put', kind: 'PluginSpec', key: spec.key, value, expected: spec.revision }];
}

/** A sentence where there is nothing to take back. */
function findAlreadyBack(
  spec: PluginSpec,
  assignment: Assignment | undefined,
  newest: Rollout | undefined,
  to: number | undefined,
): string | undefined {
  if (newest === undefined || assignment === undefined)
    return newest !== undefined && isActive(newest)
      ? undefined
      : 'nothing was rolled out yet; nothing to undo';
  if (isActive(newest) || assignment.moved.length > 0) return undefined;
  const { revision } = assignment.base;
  const runs = revision === null ? 'no node is to run it' : `the nodes run revision ${revision}`;
  if (to !== undefined) return revision === to ? `${runs} already; nothing to undo` : undefined;
  // An undo that failed leaves what was to be undone.
  const failedUndo = newest.kind === 'undo' && newest.phase !== 'Succeeded';
  if (spec.deleted !== undefined || failedUndo) return undefined;
  switch (newest.phase) {
    case 'RolledBack':
    case 'Aborted':
    case 'RollbackIncomplete':
    case 'Reverted':
    case 'NotStarted':
      return `${newest.id} is ${newest.phase}, and ${runs} already; nothing to undo`;
    default:
      return newest.kind === 'undo'
        ? `it was undone already (${newest.id}), and ${runs}; to another one: --to NUMBER`
        : undefined;
  }
}
