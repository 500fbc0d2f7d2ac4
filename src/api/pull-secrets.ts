import { type PluginSpec, toCanonicalJson, toPluginName } from '../model/plugin-spec.ts';
import { openPullSecret, type PullSecret, pullSecretKey, sealPullSecret } from '../model/pull-secret.ts';
import { type PullSecretDocument, parsePullSecretDocument } from '../model/pull-secret-document.ts';
import type { Stored } from '../store/store.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import type { ApplyRequest } from './apply-plugin.ts';
import { type Change, commit } from './commit.ts';
import { DocumentRejected } from './document-rejected.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { toUnknownPullSecret } from './not-found.ts';
import { checkPreconditions } from './preconditions.ts';
import { checkPath, withPathNamespace } from './read-document.ts';
import type { ApplyResult } from './schema/metadata.ts';
import type { DeleteAnswer } from './schema/plugin-view.ts';
import type { PullSecretApplyAnswer, PullSecretView } from './schema/pull-secret-view.ts';
import { toMetadata } from './to-plugin-view.ts';

type Name = Pick<PullSecret, 'namespace' | 'name'>;

/**
 * Validates and stores a document with registry credentials. Nothing that it answers, and no event, has any of them.
 * Codes: DocumentErrorCode, `name-mismatch`, `revision-mismatch`, `frozen`.
 */
export async function applyPullSecret(
  context: CallContext,
  request: ApplyRequest,
  body: unknown,
): Promise<PullSecretApplyAnswer> {
  const parsed = parsePullSecretDocument(withPathNamespace(body, request.namespace));
  if (Array.isArray(parsed)) throw new DocumentRejected(parsed);
  const { namespace, name, message } = request;
  const { dryRun } = context;
  const pointers = { namespace: '/metadata/namespace', name: '/metadata/name' };
  checkPath({ ...parsed }, { namespace, name }, pointers);
  const key = pullSecretKey(request);
  return context.exclusive(async () => {
    const before = await context.store.get('PullSecret', key);
    checkPreconditions(request, before?.revision);
    const result = compare(context, before?.value, parsed);
    if (!dryRun) await refuseWhenFrozen(context.store);
    const value: PullSecret = {
      namespace,
      name,
      registries: Object.keys(parsed.config.auths),
      sealed: sealPullSecret(context.seal, key, parsed.config),
      by: context.caller.who,
      createdAt: before?.value.createdAt ?? context.clock.now(),
    };
    const isWritten = !dryRun && result !== 'unchanged';
    const revision = isWritten
      ? await commit(context, toChange(context, key, result, message), [
          { op: 'put', kind: 'PullSecret', key, value, expected: before?.revision ?? 'absent' },
        ])
      : (before?.revision ?? 0);
    const stored = { key, value, revision, createdRevision: before?.createdRevision ?? revision };
    return { ...toPullSecretView(stored, await listPlugins(context)), result, warnings: [], dryRun };
  });
}

/** Codes: `not-found`, `revision-mismatch`, `frozen`. What runs needs no credentials any more. */
export function deletePullSecret(context: CallContext, request: ApplyRequest): Promise<DeleteAnswer> {
  const key = pullSecretKey(request);
  return context.exclusive(async () => {
    const stored = await findPullSecret(context, request);
    checkPreconditions(request, stored.revision);
    if (!context.dryRun) {
      await refuseWhenFrozen(context.store);
      await commit(context, toChange(context, key, 'deleted', request.message), [
        { op: 'delete', kind: 'PullSecret', key, expected: stored.revision },
      ]);
    }
    const { usedBy } = toPullSecretView(stored, await listPlugins(context)).status;
    const users =
      usedBy.length === 0 ? '' : `; still named by ${usedBy.join(', ')}: new revisions will miss it`;
    const { namespace, name } = request;
    const deleted = { kind: 'PullSecret', namespace, name };
    return {
      kind: 'Deleted',
      deleted,
      dryRun: context.dryRun,
      nodes: 0,
      rollout: null,
      text: `pull secret ${key}: deleted${users}`,
    };
  });
}

/** Throws ApiError `not-found`. */
export async function findPullSecret({ store }: ApiContext, of: Name): Promise<Stored<PullSecret>> {
  const stored = await store.get('PullSecret', pullSecretKey(of));
  if (stored !== undefined) return stored;
  throw toUnknownPullSecret(pullSecretKey(of));
}

export async function listPlugins({ store }: ApiContext): Promise<readonly PluginSpec[]> {
  return (await store.list('PluginSpec')).records.map(({ value }) => value);
}

export function toPullSecretView(stored: Stored<PullSecret>, plugins: readonly PluginSpec[]): PullSecretView {
  const { namespace, name, registries } = stored.value;
  const usedBy = plugins
    .filter(plugin => plugin.namespace === namespace && plugin.imagePullSecret === name)
    .filter(plugin => plugin.deleted === undefined)
    .map(toPluginName);
  return {
    kind: 'PullSecret',
    apiVersion: 'attache/v1',
    metadata: toMetadata(stored),
    status: { registries: [...registries], usedBy },
  };
}

/** One that does not open any more is written anew. */
function compare(
  { seal }: ApiContext,
  before: PullSecret | undefined,
  { config }: PullSecretDocument,
): ApplyResult {
  if (before === undefined) return 'created';
  const known = openPullSecret(seal, before);
  return known !== undefined && toCanonicalJson(known) === toCanonicalJson(config)
    ? 'unchanged'
    : 'configured';
}

function toChange({ caller }: CallContext, key: string, what: string, reason: string | undefined): Change {
  const why = reason === undefined ? '' : `: ${reason}`;
  return {
    action: `pullsecret.${what}`,
    subject: key,
    reason,
    event: { message: `pull secret ${key} ${what} by ${caller.who}${why}` },
  };
}
