import { type ModuleSignature, type SignatureProof, toSignatureText } from './module-signature.ts';
import type { ModuleFacts } from './revision.ts';
import { findDemands, type SignatureDemands, type SignaturePolicy } from './signature-policy.ts';

/** A module as it was resolved, with what was found out of its signatures. */
type Recorded = Pick<ModuleFacts, 'url' | 'referenceDigest' | 'manifestDigest' | 'signature'>;

/**
 * What was verified before, held against what is asked now; undefined: that is not enough, its registry has to be
 * asked. Another key in a policy, or another name for one, needs no registry.
 */
export function judgeRecorded(
  { demands, hash }: SignatureDemands,
  { referenceDigest, manifestDigest, signature }: Recorded,
): ModuleSignature | undefined {
  if (signature === undefined || demands.length === 0) return undefined;
  const proofs = signature.by.filter(({ digest }) => digest === referenceDigest || digest === manifestDigest);
  const by = new Set<SignatureProof>();
  for (const { keys } of demands) {
    const found = keys.flatMap(({ authority, key }) =>
      proofs
        .filter(({ fingerprint }) => fingerprint === key.fingerprint)
        .map(({ authority: _before, ...proof }) => ({
          ...(authority === undefined ? {} : { authority }),
          ...proof,
        })),
    )[0];
    if (found === undefined) return undefined;
    by.add(found);
  }
  const { why: _why, ...kept } = signature;
  return { ...kept, state: 'verified', by: [...by], refused: false, policy: hash };
}

/**
 * Why a module that was resolved before must not be brought to nodes as things stand, asking no registry; undefined:
 * nothing that is required is missing. `verificationKey`: of the plugin's document as it is now.
 */
export function findSignatureRefusal(
  policy: SignaturePolicy,
  verificationKey: string | undefined,
  module: Recorded,
): string | undefined {
  const asked = findDemands(policy, { url: module.url, verificationKey });
  if (typeof asked === 'string') return asked;
  if (asked.demands.every(({ mode }) => mode !== 'require')) return undefined;
  const { signature } = module;
  if (signature?.policy === asked.hash) return signature.refused ? toSignatureText(signature) : undefined;
  if (judgeRecorded(asked, module) !== undefined) return undefined;
  return signature?.state === 'unchecked'
    ? toSignatureText(signature)
    : 'not checked yet for what is asked now';
}
