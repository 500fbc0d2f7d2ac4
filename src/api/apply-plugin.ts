import { parsePluginDocument } from '../model/plugin-document.ts';
import { type PluginSpec, toCanonicalJson, toPluginName } from '../model/plugin-spec.ts';
import type { ModuleProgress } from '../model/revision.ts';
import { eventKey } from '../store/record-kinds.ts';
import type { Stored } from '../store/store.ts';
import { type ApiContext, readNow } from './api-context.ts';
import { findPluginWarnings } from './apply-warnings.ts';
import { DocumentRejected } from './document-rejected.ts';
import type { Fleet } from './fleet.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { checkPath, withPathNamespace } from './read-document.ts';
import type { ApplyResult } from './schema/metadata.ts';
import type { PluginApplyAnswer } from './schema/plugin-view.ts';
import { toPluginView } from './to-plugin-view.ts';

/** A PUT, apart from its document. */
export interface ApplyRequest extends Preconditions {
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly message: string | undefined;
}

/**
 * Validates a plugin document, stores it unless it says what is stored already, and answers what stands then.
 * Codes: DocumentErrorCode, `name-mismatch`, `revision-mismatch`.
 */
export async function applyPlugin(
  context: ApiContext,
  request: ApplyRequest,
  body: unknown,
): Promise<PluginApplyAnswer> {
  const parsed = parsePluginDocument(withPathNamespace(body, request.namespace));
  if (Array.isArray(parsed)) throw new DocumentRejected(parsed);
  const { namespace, name } = request;
  const pointers = { namespace: '/metadata/namespace', name: '/metadata/name' };
  checkPath({ ...parsed }, { namespace, name }, pointers);
  return context.exclusive(async () => {
    const key = toPluginName(parsed);
    const before = await context.store.get('PluginSpec', key);
    checkPreconditions(request, before?.revision);
    const spec: PluginSpec = {
      ...parsed,
      ...(request.message === undefined ? {} : { message: request.message }),
      createdAt: before?.value.createdAt ?? context.clock.now(),
    };
    const result = compare(before?.value, spec);
    const progress = await context.store.get('ModuleProgress', key);
    const writes = !request.dryRun && (result !== 'unchanged' || asksAgain(spec, progress?.value));
    const stored = writes ? await write(context, key, spec, before, result) : (before ?? draft(key, spec));
    const shown = request.dryRun ? { ...stored, value: spec } : stored;
    const fleet = withSpec(await readNow(context), shown);
    const view = await toPluginView(context.store, fleet, shown);
    return { ...view, result, warnings: findPluginWarnings(fleet, spec), dryRun: request.dryRun };
  });
}

function compare(before: PluginSpec | undefined, after: PluginSpec): ApplyResult {
  if (before === undefined) return 'created';
  return toComparable(before) === toComparable(after) ? 'unchanged' : 'configured';
}

/** A message tells why; it is no change by itself. */
function toComparable({ message: _message, createdAt: _createdAt, ...content }: PluginSpec): string {
  return toCanonicalJson(content);
}

/** Applying the same document again asks for the module again where it failed, or where its tag may have moved. */
function asksAgain(spec: PluginSpec, progress: ModuleProgress | undefined): boolean {
  const latest = spec.imagePullPolicy === undefined && /:latest$/.test(spec.url);
  return (
    spec.imagePullPolicy === 'Always' ||
    latest ||
    progress?.state === 'failed' ||
    progress?.state === 'retrying'
  );
}

async function write(
  { store, clock, random }: ApiContext,
  key: string,
  spec: PluginSpec,
  before: Stored<PluginSpec> | undefined,
  result: ApplyResult,
): Promise<Stored<PluginSpec>> {
  const at = clock.now();
  const reason = spec.message === undefined ? '' : `: ${spec.message}`;
  const event = { type: `plugin.${result}`, at, plugin: key, message: `${key} ${result}${reason}` };
  const revision = await store.transaction([
    { op: 'put', kind: 'PluginSpec', key, value: spec, expected: before?.revision ?? 'absent' },
    ...(result === 'unchanged'
      ? []
      : [{ op: 'put' as const, kind: 'Event' as const, key: eventKey(at, random(4)), value: event }]),
  ]);
  return { key, value: spec, revision, createdRevision: before?.createdRevision ?? revision };
}

/** What a dry run of a new plugin shows: stored nowhere, so at no revision. */
function draft(key: string, value: PluginSpec): Stored<PluginSpec> {
  return { key, value, revision: 0, createdRevision: 0 };
}

function withSpec(fleet: Fleet, stored: Stored<PluginSpec>): Fleet {
  return { ...fleet, specs: new Map([...fleet.specs, [stored.key, stored]]) };
}
