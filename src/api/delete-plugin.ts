import { toPluginName } from '../model/plugin-spec.ts';
import { toCountText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Operation } from '../store/store.ts';
import { requirePlugin } from './access/require.ts';
import { type ApiContext, type CallContext, readNow } from './api-context.ts';
import { commit } from './commit.ts';
import { listRollouts } from './find-rollout.ts';
import { findPlugin, stateOnNode } from './fleet.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { toUnknownPlugin } from './not-found.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { readRolloutFacts } from './rollout-facts.ts';
import { toPlanText } from './rollout-words.ts';
import type { DeleteAnswer } from './schema/plugin-view.ts';
import { waitUntil } from './wait-until.ts';

export interface DeletePluginRequest extends Preconditions {
  readonly namespace: string;
  readonly name: string;
  readonly message: string | undefined;
  /** All nodes at once. */
  readonly now: boolean;
}

interface Deleted {
  readonly nodes: number;
  /** Store revision of the document as deleted; undefined: nothing is left to do, and nothing to wait for. */
  readonly specRevision: number | undefined;
}

/**
 * Deletes a plugin: it leaves its nodes in the steps of a rollout, and can be had back by undo. One that never came to
 * any node is `removed` at once. Codes: `not-found`, `revision-mismatch`, `frozen`.
 */
export async function deletePlugin(
  context: CallContext,
  request: DeletePluginRequest,
): Promise<{ readonly answer: DeleteAnswer; readonly removed: boolean }> {
  const { namespace, name } = request;
  const { dryRun } = context;
  const plugin = toPluginName(request);
  const { nodes, specRevision } = await context.exclusive(() => markDeleted(context, plugin, request));
  const answer = { kind: 'Deleted' as const, deleted: { kind: 'Plugin', namespace, name }, nodes, dryRun };
  if (specRevision === undefined) {
    const text = `plugin ${plugin}: removed; no node had it`;
    return { removed: true, answer: { ...answer, rollout: null, text } };
  }
  const where = `plugin ${plugin}: removing from ${toCountText(nodes, 'node')}`;
  const toAnswer = (rollout: string | null, text: string) => ({
    removed: false,
    answer: { ...answer, rollout, text },
  });
  if (dryRun) return toAnswer(null, where);
  const rollout = await waitUntil(context, ['Rollout'], async () =>
    (await listRollouts(context.store, plugin)).find(one => one.specRevision >= specRevision),
  );
  if (rollout === undefined) return toAnswer(null, `${where}, in a moment`);
  return toAnswer(rollout.id, `${where}, ${await toPlan(context, rollout)}`);
}

async function toPlan(context: ApiContext, rollout: Rollout): Promise<string> {
  return toPlanText(await readRolloutFacts(context.store, await readNow(context), rollout, false));
}

async function markDeleted(
  context: CallContext,
  plugin: string,
  request: DeletePluginRequest,
): Promise<Deleted> {
  const { store, clock, caller } = context;
  const fleet = await readNow(context);
  const stored = findPlugin(fleet, plugin);
  checkPreconditions(request, stored?.revision);
  if (stored === undefined) throw toUnknownPlugin(plugin);
  await requirePlugin(context, plugin);
  const { value: spec } = stored;
  const nodes = fleet.nodes.filter(
    presence => presence.connected && stateOnNode(fleet, spec, presence).revision !== null,
  ).length;
  const assignment = fleet.assignments.get(plugin);
  const never = nodes === 0 && assignment === undefined;
  // What was rolled back or undone to none has a history, but nothing to leave.
  const nowhere = nodes === 0 && assignment?.base.revision == null && (assignment?.moved.length ?? 0) === 0;
  const known = { nodes, specRevision: nowhere ? undefined : stored.revision };
  if (context.dryRun) return known;
  await refuseWhenFrozen(store);
  // Asked for again, it goes on as it is; asked to hurry, it hurries.
  if (spec.deleted !== undefined && (spec.deleted.now || !request.now)) return known;
  const { message, now } = request;
  const at = clock.now();
  const deleted = { at, by: caller.who, now, ...(message === undefined ? {} : { message }) };
  const reason = message === undefined ? '' : `: ${message}`;
  const change = {
    action: 'plugin.deleted',
    subject: plugin,
    reason: message,
    event: { plugin, message: `${plugin} deleted by ${caller.who}${reason}` },
  };
  const write: Operation = never
    ? { op: 'delete', kind: 'PluginSpec', key: plugin, expected: stored.revision }
    : {
        op: 'put',
        kind: 'PluginSpec',
        key: plugin,
        value: { ...spec, deleted },
        expected: stored.revision,
      };
  const revision = await commit(context, change, [write]);
  return { nodes, specRevision: nowhere ? undefined : revision };
}
