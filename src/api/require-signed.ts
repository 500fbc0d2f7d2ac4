import { type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import type { ModuleFacts } from '../model/revision.ts';
import { findSignatureRefusal } from '../model/signature-standing.ts';
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
  const revisions = (await store.list('Revision', `${plugin}/`)).records.map(({ value }) => value);
  const module = revisions.find(({ number }) => number === revision)?.module;
  if (module === undefined) return;
  const refuse = (one: ModuleFacts) => findSignatureRefusal(signatures, spec.verificationKey, one);
  const why = refuse(module);
  // A signature is of an artifact: who signed it was perhaps seen for another revision of it.
  const isSame = ({ referenceDigest, manifestDigest }: ModuleFacts) =>
    manifestDigest !== undefined &&
    manifestDigest === module.manifestDigest &&
    referenceDigest === module.referenceDigest;
  const { signature: _own, ...unsigned } = module;
  const isKnown = revisions.some(
    ({ module: { signature, ...other } }) =>
      signature !== undefined && isSame(other) && refuse({ ...unsigned, signature }) === undefined,
  );
  if (why === undefined || isKnown) return;
  throw new ApiError(
    'signature-refused',
    `${plugin}: nothing was changed: revision ${revision} lacks a signature that is required: ${why}`,
    {
      hint: `attache get modules -o wide says what is known of it. Another revision: attache rollout history ${plugin}.`,
    },
  );
}
