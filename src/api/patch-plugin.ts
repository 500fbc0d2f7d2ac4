import { mergePatch } from '../model/merge-patch.ts';
import { type JsonValue, type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import type { Stored } from '../store/store.ts';
import { type CallContext, readNow } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { applyPlugin, type PluginApplyRequest } from './apply-plugin.ts';
import { type Fleet, findPlugin } from './fleet.ts';
import { toUnknownPlugin } from './not-found.ts';
import { statusOf } from './plugin-status-of.ts';
import { checkPreconditions, toETag } from './preconditions.ts';
import type { PluginApplyAnswer } from './schema/plugin-view.ts';
import { toShownSpec } from './to-plugin-view.ts';

/** More often than this nobody else writes between reading and writing. */
const MAX_TRIES = 5;

/** What a patch made of the document that is stored. */
export interface Patched {
  readonly document: JsonValue;
  readonly answer: PluginApplyAnswer;
}

/**
 * Lays a merge patch over the stored document and applies what comes of it, as a PUT would. Without If-Match it is laid
 * anew over what somebody else wrote meanwhile. Codes: those of applyPlugin, `not-found`.
 */
export async function patchPlugin(
  context: CallContext,
  request: PluginApplyRequest,
  patch: JsonValue,
): Promise<Patched> {
  for (let tries = 1; ; tries++) {
    const plugin = toPluginName(request);
    const fleet = await readNow(context);
    const stored = findPlugin(fleet, plugin);
    checkPreconditions(request, stored?.revision);
    if (stored === undefined) throw toUnknownPlugin(plugin);
    const document = mergePatch(toDocument(fleet, stored), patch);
    const conditions = { ifMatch: toETag(stored.revision), ifNoneMatch: undefined };
    try {
      return { document, answer: await applyPlugin(context, { ...request, ...conditions }, document) };
    } catch (error) {
      const isOvertaken = error instanceof ApiError && error.code === 'revision-mismatch';
      if (!isOvertaken || request.ifMatch !== undefined || tries === MAX_TRIES) throw error;
    }
  }
}

/** As a GET shows it, without what no document has: who patches has seen that. */
function toDocument(fleet: Fleet, stored: Stored<PluginSpec>): JsonValue {
  const { namespace, name } = stored.value;
  return {
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { namespace, name },
    spec: toShownSpec(fleet, stored, statusOf(fleet, stored)),
  };
}
