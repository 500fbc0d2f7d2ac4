import { AttacheError } from '../model/error.ts';
import { toCanonicalJson } from '../model/plugin-spec.ts';
import type { CheckedResource, ResourceSpec } from '../model/resource.ts';
import { isBareResource, parseResourceDocument, type ResourceDocument } from '../model/resource-document.ts';
import { eventKey } from '../store/record-kinds.ts';
import type { Stored } from '../store/store.ts';
import { type ApiContext, readNow } from './api-context.ts';
import { ApiError } from './api-error.ts';
import type { ApplyRequest } from './apply-plugin.ts';
import { findMatchWarning } from './apply-warnings.ts';
import { DocumentRejected } from './document-rejected.ts';
import type { Fleet } from './fleet.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { checkPreconditions } from './preconditions.ts';
import { checkPath, isObject, withPathNamespace } from './read-document.ts';
import type { ApplyResult } from './schema/metadata.ts';
import type { ResourceApplyAnswer } from './schema/resource-view.ts';
import { toResourceView } from './to-resource-view.ts';

/**
 * Validates a resource document down to Envoy's own API, stores it unless it says what is stored already, and
 * answers what stands then. Codes: DocumentErrorCode, those of CheckResource, `name-conflict`, `name-mismatch`,
 * `revision-mismatch`.
 */
export async function applyResource(
  context: ApiContext,
  request: ApplyRequest & { readonly type: string },
  body: unknown,
): Promise<ResourceApplyAnswer> {
  const parsed = readResource(request, body);
  const key = `${parsed.type}/${parsed.namespace}/${parsed.name}`;
  return context.exclusive(async () => {
    const before = await context.store.get('ResourceSpec', key);
    checkPreconditions(request, before?.revision);
    const spec: ResourceSpec = {
      ...parsed,
      ...(request.message === undefined ? {} : { message: request.message }),
      createdAt: before?.value.createdAt ?? context.clock.now(),
    };
    const checked = await check(context, spec, toResourcePointer(body));
    const fleet = await readNow(context);
    await refuseConflicts(context, spec, fleet);
    const result = compare(before?.value, spec);
    if (!request.dryRun) await refuseWhenFrozen(context.store);
    const stored =
      request.dryRun || result === 'unchanged'
        ? { ...(before ?? { key, revision: 0, createdRevision: 0 }), value: spec }
        : await write(context, key, spec, before, result);
    const view = toResourceView(stored, fleet.nodes, context.rootNamespace);
    const warnings = [
      ...checked.warnings,
      ...findMatchWarning(fleet, `${spec.namespace}/${spec.name}`, spec),
    ];
    return { ...view, result, warnings, dryRun: request.dryRun };
  });
}

/** The document; a bare Envoy resource is called what the path says. */
function readResource(
  { type, namespace, name }: ApplyRequest & { readonly type: string },
  body: unknown,
): ResourceDocument {
  const parsed = parseResourceDocument(withPathNamespace(body, namespace));
  if (Array.isArray(parsed)) throw new DocumentRejected(parsed);
  const named = isBareResource(body) ? { ...parsed, namespace, name } : parsed;
  const pointers = {
    type: `${toResourcePointer(body)}/@type`,
    namespace: '/metadata/namespace',
    name: '/metadata/name',
  };
  checkPath({ ...named }, { type, namespace, name }, pointers);
  return named;
}

/** Where the Envoy resource stands in the document. */
function toResourcePointer(document: unknown): string {
  if (!isObject(document) || isBareResource(document)) return '';
  return isObject(document.spec) && document.resource === undefined ? '/spec/resource' : '/resource';
}

/** CheckResource, with its faults pointing into the whole document. */
async function check(context: ApiContext, spec: ResourceSpec, pointer: string): Promise<CheckedResource> {
  try {
    return await context.checkResource(spec);
  } catch (thrown) {
    if (!(thrown instanceof AttacheError)) throw thrown;
    const faults = thrown.faults.map(fault => ({ ...fault, pointer: pointer + fault.pointer }));
    const hint = thrown.hint === undefined ? {} : { hint: thrown.hint };
    throw new AttacheError(thrown.code, thrown.message, { cause: thrown, faults, ...hint });
  }
}

/** Whichever of two documents would be served: the one that is there stays, and this one is refused. */
async function refuseConflicts(context: ApiContext, spec: ResourceSpec, fleet: Fleet): Promise<void> {
  const { records } = await context.store.list('ResourceSpec', `${spec.type}/`);
  const others = records.map(record => record.value).filter(other => !isSameDocument(other, spec));
  const conflict = context
    .findNameConflicts(
      [...others, spec],
      fleet.nodes.map(presence => presence.node),
      context.rootNamespace,
    )
    .find(({ kept, dropped }) => kept === spec || dropped === spec);
  if (conflict === undefined) return;
  const other = conflict.kept === spec ? conflict.dropped : conflict.kept;
  const name = `${other.namespace}/${other.name}`;
  throw new ApiError(
    'name-conflict',
    `${name} already gives nodes that this document selects the name ${conflict.envoyName} in ${spec.type}`,
    { hint: `Give it another Envoy name, or delete ${name}, or let the two select different nodes.` },
  );
}

function isSameDocument(a: ResourceSpec, b: ResourceSpec): boolean {
  return a.type === b.type && a.namespace === b.namespace && a.name === b.name;
}

function compare(before: ResourceSpec | undefined, after: ResourceSpec): ApplyResult {
  if (before === undefined) return 'created';
  const { message: _old, createdAt: _then, ...was } = before;
  const { message: _new, createdAt: _now, ...is } = after;
  return toCanonicalJson(was) === toCanonicalJson(is) ? 'unchanged' : 'configured';
}

async function write(
  { store, clock, random }: ApiContext,
  key: string,
  spec: ResourceSpec,
  before: Stored<ResourceSpec> | undefined,
  result: ApplyResult,
): Promise<Stored<ResourceSpec>> {
  const at = clock.now();
  const reason = spec.message === undefined ? '' : `: ${spec.message}`;
  const event = { type: `resource.${result}`, at, message: `${key} ${result}${reason}` };
  const revision = await store.transaction([
    { op: 'put', kind: 'ResourceSpec', key, value: spec, expected: before?.revision ?? 'absent' },
    { op: 'put', kind: 'Event', key: eventKey(at, random(4)), value: event },
  ]);
  return { key, value: spec, revision, createdRevision: before?.createdRevision ?? revision };
}
