import type { InspectedSignatures } from '../model/module-inspection.ts';
import type { OciReference } from '../model/module-reference.ts';
import { toSignatureText } from '../model/module-signature.ts';
import { NO_SIGNATURE_POLICY } from '../model/signature-policy.ts';
import { ModuleError } from './module-error.ts';
import type { RegistryClient } from './registry-client.ts';
import type { SignedDigests } from './signature/check-signature.ts';
import { findSignatures } from './signature/find-signatures.ts';
import { createSignatureChecker } from './signature/signature-checker.ts';

/**
 * What is attached to a reference in the way of signatures, and with a key (PEM) whether one of it holds. A registry
 * that does not tell is no error. Throws ModuleError `signature-key-unknown`.
 */
export async function inspectSignatures(
  client: RegistryClient,
  reference: OciReference,
  digests: SignedDigests,
  verificationKey: string | undefined,
): Promise<InspectedSignatures> {
  const { signal } = new AbortController();
  try {
    if (verificationKey === undefined) return await countSignatures(client, reference, digests, signal);
    const checker = createSignatureChecker(NO_SIGNATURE_POLICY, client, { now: () => 0 });
    const url = `oci://${reference.host}/${reference.repository}`;
    const signature = await checker.check({ url, verificationKey }, digests, signal);
    return { state: signature?.state ?? 'unchecked', text: toSignatureText(signature) };
  } catch (error) {
    if (!(error instanceof ModuleError) || error.code === 'signature-key-unknown') throw error;
    return { state: 'unchecked', text: `not known: ${error.message}` };
  }
}

async function countSignatures(
  client: RegistryClient,
  reference: OciReference,
  { referenceDigest, manifestDigest }: SignedDigests,
  signal: AbortSignal,
): Promise<InspectedSignatures> {
  let attached = 0;
  for (const digest of new Set([referenceDigest, manifestDigest])) {
    if (digest === undefined) continue;
    for await (const candidate of findSignatures(client, reference, digest, signal))
      if (candidate.kind !== 'broken') attached++;
  }
  if (attached === 0) return { state: 'unsigned', text: 'not signed' };
  return { state: 'unchecked', text: `${attached} attached, not checked: give --key FILE` };
}
