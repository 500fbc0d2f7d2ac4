import { setImmediate } from 'node:timers/promises';
import { withMembers } from '../model/node-group.ts';
import { type PluginDocument, parsePluginDocument } from '../model/plugin-document.ts';
import { type PluginSpec, toCanonicalJson, toPluginName, toPullPolicy } from '../model/plugin-spec.ts';
import { NOT_COUNTED } from '../model/plugin-status.ts';
import type { Operation, Stored } from '../store/store.ts';
import { requirePlugin } from './access/require.ts';
import { toVisibleFleet } from './access/visible.ts';
import { type CallContext, readNow } from './api-context.ts';
import { findPluginWarnings } from './apply-warnings.ts';
import { commit, commitHeldBack } from './commit.ts';
import { DocumentRejected } from './document-rejected.ts';
import { type Fleet, isGone } from './fleet.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { statusOf } from './plugin-status-of.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { checkPath, withPathNamespace } from './read-document.ts';
import type { PluginApplyAnswer, PluginApplyResult } from './schema/plugin-view.ts';
import { toPluginView } from './to-plugin-view.ts';

/** What is named, and on what conditions it is changed: a PUT apart from its document, or a DELETE. */
export interface ApplyRequest extends Preconditions {
  readonly namespace: string;
  readonly name: string;
  readonly message: string | undefined;
}

/** `preset`: for the rollout that this document starts, and no later one. */
export type PluginApplyRequest = ApplyRequest & { readonly preset: string | undefined };

/**
 * Validates a plugin document, stores it unless it says what is stored already or what is held back, and answers what
 * stands then. Codes: DocumentErrorCode, `name-mismatch`, `revision-mismatch`, `frozen`, `forbidden`.
 */
export async function applyPlugin(
  context: CallContext,
  request: PluginApplyRequest,
  body: unknown,
): Promise<PluginApplyAnswer> {
  const parsed = parsePluginDocument(withPathNamespace(body, request.namespace));
  if (Array.isArray(parsed)) throw new DocumentRejected(parsed);
  const { namespace, name } = request;
  const { dryRun } = context;
  const pointers = { namespace: '/metadata/namespace', name: '/metadata/name' };
  checkPath({ ...parsed }, { namespace, name }, pointers);
  const { fleet, shown, spec, result } = await context.exclusive(async () => {
    const fleet = await readNow(context);
    const before = fleet.specs.get(toPluginName(parsed));
    const visible = before === undefined || isGone(fleet, before) ? undefined : before;
    checkPreconditions(request, visible?.revision);
    if (!dryRun) await refuseWhenFrozen(context.store);
    const createdAt = visible?.value.createdAt ?? context.clock.now();
    const spec = withMembers(toSpec(context, parsed, request, createdAt), fleet.groups);
    await requirePlugin(context, toPluginName(spec), [spec]);
    const result = decideResult(fleet, visible, spec);
    const stored = await store(context, fleet, { before, spec, result });
    const shown = dryRun && result !== 'held-back' ? { ...stored, value: spec } : stored;
    return { fleet, shown, spec, result };
  });
  // It is stored: the stages begin with it before the answer is derived.
  await setImmediate();
  const after = toVisibleFleet(withSpec(fleet, shown), context.caller);
  const view = await toPluginView(context.store, after, shown);
  return { ...view, result, warnings: findPluginWarnings(after, spec), dryRun };
}

function toSpec(
  { caller }: CallContext,
  parsed: PluginDocument,
  { message, preset }: PluginApplyRequest,
  createdAt: number,
): PluginSpec {
  return {
    ...parsed,
    ...(message === undefined ? {} : { message }),
    ...(preset === undefined ? {} : { preset }),
    by: caller.who,
    createdAt,
  };
}

/** What is held back is said so, and not stored again; a document that asks for its tag anew may find another module. */
function decideResult(
  fleet: Fleet,
  before: Stored<PluginSpec> | undefined,
  spec: PluginSpec,
): PluginApplyResult {
  if (before === undefined) return 'created';
  if (before.value.deleted !== undefined || toComparable(before.value) !== toComparable(spec))
    return 'configured';
  return !resolvesAgain(spec) && statusOf(fleet, before, NOT_COUNTED).heldBack !== null
    ? 'held-back'
    : 'unchanged';
}

/** Who and why, when and for once how: no change by themselves. */
function toComparable({
  message: _message,
  by: _by,
  preset: _preset,
  createdAt: _at,
  ...content
}: PluginSpec): string {
  return toCanonicalJson(content);
}

/** Its tag may have moved since. */
function resolvesAgain(spec: PluginSpec): boolean {
  return toPullPolicy(spec) === 'Always';
}

interface Plan {
  readonly before: Stored<PluginSpec> | undefined;
  readonly spec: PluginSpec;
  readonly result: PluginApplyResult;
}

/** What is stored then; of a dry run what would be. Applying again asks again for a module that failed. */
async function store(context: CallContext, fleet: Fleet, plan: Plan): Promise<Stored<PluginSpec>> {
  const { before, spec, result } = plan;
  const key = toPluginName(spec);
  const progress = fleet.progress.get(key)?.state;
  const again = resolvesAgain(spec) || progress === 'failed' || progress === 'retrying';
  if (context.dryRun || (result === 'unchanged' && !again)) return before ?? draft(key, spec);
  const reason = spec.message === undefined ? '' : `: ${spec.message}`;
  const said = result === 'held-back' ? 'applied again, and held back' : `${result} by ${context.caller.who}`;
  const put: Operation = {
    op: 'put',
    kind: 'PluginSpec',
    key,
    value: spec,
    expected: before?.revision ?? 'absent',
  };
  const change = {
    action: `plugin.${result}`,
    subject: key,
    reason: spec.message,
    event: result === 'unchanged' ? undefined : { plugin: key, message: `${key} ${said}${reason}` },
  };
  if (result === 'held-back') {
    await commitHeldBack(context, change);
    return before ?? draft(key, spec);
  }
  const revision = await commit(context, change, [put]);
  return { key, value: spec, revision, createdRevision: before?.createdRevision ?? revision };
}

/** What a dry run of a new plugin shows: stored nowhere, so at no revision. */
function draft(key: string, value: PluginSpec): Stored<PluginSpec> {
  return { key, value, revision: 0, createdRevision: 0 };
}

function withSpec(fleet: Fleet, stored: Stored<PluginSpec>): Fleet {
  return { ...fleet, specs: new Map([...fleet.specs, [stored.key, stored]]) };
}
