import { toCanonicalJson } from '../model/plugin-spec.ts';
import { type ResourceSpec, resourceKey } from '../model/resource.ts';
import { openResource } from '../model/resource-secret.ts';
import type { Stored } from '../store/store.ts';
import { requireResource } from './access/require.ts';
import { readVisible } from './access/visible.ts';
import type { ApiContext, CallContext } from './api-context.ts';
import type { ApplyRequest } from './apply-plugin.ts';
import { findMatchWarning, findMissingWarnings, findPortWarnings } from './apply-warnings.ts';
import { type CheckedDocument, checkDocument } from './check-document.ts';
import { commit } from './commit.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { checkPreconditions } from './preconditions.ts';
import { refuseConflicts } from './refuse-conflicts.ts';
import type { ApplyResult } from './schema/metadata.ts';
import type { ResourceApplyAnswer } from './schema/resource-view.ts';
import { toResourceView } from './to-resource-view.ts';

/**
 * Validates a resource document down to Envoy's own API, stores it unless it says what is stored already, and
 * answers what stands then. Secrets in it are stored encrypted, and answered no more. Codes: those of checkDocument,
 * `name-conflict`, `address-conflict`, `revision-mismatch`, `frozen`.
 */
export async function applyResource(
  context: CallContext,
  request: ApplyRequest & { readonly type: string },
  body: unknown,
): Promise<ResourceApplyAnswer> {
  const checked = await checkDocument(context, request, body);
  const key = resourceKey(checked.spec);
  return context.exclusive(async () => {
    const { records } = await context.store.list('ResourceSpec');
    const before = records.find(record => record.key === key);
    checkPreconditions(request, before?.revision);
    const spec = { ...checked.spec, createdAt: before?.value.createdAt ?? checked.spec.createdAt };
    await requireResource(context, key, [spec]);
    const fleet = await readVisible(context);
    const resources = records.map(record => record.value);
    refuseConflicts(context, fleet, spec, resources, checked.pointer);
    const result = compare(context, before?.value, checked);
    if (!context.dryRun) await refuseWhenFrozen(context.store);
    const stored =
      context.dryRun || result === 'unchanged'
        ? { ...(before ?? { key, revision: 0, createdRevision: 0 }), value: spec }
        : await write(context, key, spec, before, result);
    const view = toResourceView(stored, fleet.nodes, context.rootNamespace);
    const warnings = [
      ...checked.warnings,
      ...findMatchWarning(fleet, `${spec.namespace}/${spec.name}`, spec),
      ...findPortWarnings(context, fleet, spec),
      ...findMissingWarnings(context, fleet, spec, resources),
    ];
    return { ...view, result, warnings, dryRun: context.dryRun };
  });
}

/** What is closed is compared as it is when open; what does not open is written anew. */
function compare(
  { seal }: ApiContext,
  before: ResourceSpec | undefined,
  after: Pick<CheckedDocument, 'spec' | 'resource'>,
): ApplyResult {
  if (before === undefined) return 'created';
  const toText = (
    { message: _m, createdAt: _c, sealed: _s, ...spec }: ResourceSpec,
    resource: ResourceSpec['resource'] | undefined,
  ) => toCanonicalJson({ ...spec, resource });
  const was = openResource(seal, before);
  // Written before its secrets were sealed: this is the occasion.
  const isSealed = (before.sealed === undefined) === (after.spec.sealed === undefined);
  return was !== undefined && isSealed && toText(before, was) === toText(after.spec, after.resource)
    ? 'unchanged'
    : 'configured';
}

async function write(
  context: CallContext,
  key: string,
  spec: ResourceSpec,
  before: Stored<ResourceSpec> | undefined,
  result: ApplyResult,
): Promise<Stored<ResourceSpec>> {
  const reason = spec.message === undefined ? '' : `: ${spec.message}`;
  const change = {
    action: `resource.${result}`,
    subject: key,
    reason: spec.message,
    event: { message: `${key} ${result} by ${context.caller.who}${reason}` },
  };
  const revision = await commit(context, change, [
    { op: 'put', kind: 'ResourceSpec', key, value: spec, expected: before?.revision ?? 'absent' },
  ]);
  return { key, value: spec, revision, createdRevision: before?.createdRevision ?? revision };
}
