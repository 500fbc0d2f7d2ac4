import type { PluginSpec } from '../model/plugin-spec.ts';
import { toPluginName } from '../model/plugin-spec.ts';
import { findSignatureRefusal } from '../model/signature-standing.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { ApiContext } from './api-context.ts';
import { ApiError } from './api-error.ts';

/**
 * Going back must not be a way around what is asked of signatures. It asks no registry: what was found is stored with
 * the revision. Throws `signature-refused`.
 */
export async function requireSigned(
  { store, signatures }: Pick<ApiContext, 'store' | 'signatures'>,
  spec: PluginSpec,
  revision: number,
): Promise<void> {
  const plugin = toPluginName(spec);
  const module = (await store.get('Revision', revisionKey(plugin, revision)))?.value.module;
  const why = module && findSignatureRefusal(signatures, spec.verificationKey, module);
  if (why === undefined) return;
  throw new ApiError(
    'signature-refused',
    `${plugin}: nothing was changed: revision ${revision} lacks a signature that is required: ${why}`,
    {
      hint: `attache get modules -o wide says what is known of it. Another revision: attache rollout history ${plugin}.`,
    },
  );
}
