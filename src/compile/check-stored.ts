import type { Seal } from '../model/pull-secret.ts';
import { resourceKey } from '../model/resource.ts';
import { openResource } from '../model/resource-secret.ts';
import type { Store } from '../store/store.ts';
import { CompileError } from './compile-error.ts';
import type { ProtoRegistry } from './proto-registry.ts';

/**
 * Throws `unknown-type` or `unknown-field` where a stored resource was applied with descriptors that this start was not
 * given: it would be left out, and so taken from the Envoys that have it.
 */
export async function refuseUnknownTypes(
  store: Store,
  registry: ProtoRegistry,
  seal: Pick<Seal, 'open'>,
): Promise<void> {
  for (const { value: spec } of (await store.list('ResourceSpec')).records) {
    const resource = openResource(seal, spec);
    if (resource === undefined) continue;
    try {
      registry.encodeAny(resource);
    } catch (thrown) {
      if (!(thrown instanceof CompileError)) throw thrown;
      if (thrown.code !== 'unknown-type' && thrown.code !== 'unknown-field') continue;
      throw new CompileError(thrown.code, `the stored resource ${resourceKey(spec)} has ${thrown.message}`, {
        hint: 'Start with every --protoset FILE that it was applied with. Without it the Envoys that have the resource would lose it.',
      });
    }
  }
}
