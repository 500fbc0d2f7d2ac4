import { parseModuleReference } from '../../model/module-reference.ts';
import { type ModuleSignature, toSignatureText } from '../../model/module-signature.ts';
import type { Clock } from '../../model/ports.ts';
import type { ModuleFacts } from '../../model/revision.ts';
import { findDemands, type SignatureDemands, type SignaturePolicy } from '../../model/signature-policy.ts';
import { judgeRecorded } from '../../model/signature-standing.ts';
import { ModuleError } from '../module-error.ts';
import type { RegistryClient } from '../registry-client.ts';
import type { PullCredentials } from '../registry-credentials.ts';
import { checkSignature, type SignedDigests } from './check-signature.ts';
import { findSignatures } from './find-signatures.ts';

/** A source, and the key that a plugin's own document asks for. */
export interface SignedSource {
  readonly url: string;
  readonly verificationKey?: string | undefined;
  /** Of the plugin's pull secret. */
  readonly credentials?: PullCredentials | undefined;
}

export interface SignatureChecker {
  /**
   * What is known of the signatures of what was resolved; undefined: nothing is asked. Where only a warning is at
   * stake, a registry that does not answer is no error. Throws ModuleError: `signature-key-unknown`, and what a
   * registry can answer.
   */
  check(
    source: SignedSource,
    digests: SignedDigests,
    signal: AbortSignal,
  ): Promise<ModuleSignature | undefined>;
  /** The same as it stands for a module resolved before: a registry is asked unless what was verified is enough. */
  renew(source: SignedSource, module: ModuleFacts, signal: AbortSignal): Promise<ModuleSignature | undefined>;
  /** Whether what is recorded is about what is asked now. */
  isCurrent(source: SignedSource, signature: ModuleSignature | undefined): boolean;
}

/** Whether nothing is to be looked for: what is recorded is about what is asked now, and nothing that is required is missing. */
export function isSettled(
  { isCurrent }: Pick<SignatureChecker, 'isCurrent'>,
  source: SignedSource,
  signature: ModuleSignature | undefined,
): boolean {
  return isCurrent(source, signature) && signature?.refused !== true;
}

/** Joins policy, registry and verification. */
export function createSignatureChecker(
  policy: SignaturePolicy,
  client: RegistryClient,
  clock: Pick<Clock, 'now'>,
): SignatureChecker {
  const check: SignatureChecker['check'] = async (source, digests, signal) => {
    const asked = toDemands(policy, source);
    if (asked.demands.length === 0) return undefined;
    const reference = parseModuleReference(source.url);
    if (reference.scheme !== 'oci') return toUnsigned(asked, clock.now());
    const as = client.as(source.credentials);
    const find = (digest: string) => findSignatures(as, reference, digest, signal);
    try {
      return await checkSignature(digests, asked, find, clock.now());
    } catch (error) {
      const isRequired = asked.demands.some(({ mode }) => mode === 'require');
      if (isRequired || !(error instanceof ModuleError)) throw error;
      return toUnchecked(error.message, clock.now());
    }
  };
  const isCurrent: SignatureChecker['isCurrent'] = (source, signature) =>
    (signature?.policy ?? '') === toDemands(policy, source).hash;
  return {
    check,
    isCurrent,
    async renew(source, module, signal) {
      const { signature } = module;
      if (signature === undefined ? isCurrent(source, signature) : isVerified(source, signature))
        return signature;
      return judgeRecorded(toDemands(policy, source), module) ?? check(source, module, signal);
    },
  };

  function isVerified(source: SignedSource, signature: ModuleSignature): boolean {
    return signature.state === 'verified' && isCurrent(source, signature);
  }
}

/** Throws `signature-missing` or `signature-invalid` where something that is required is not there. */
export function requireSignature(
  url: string,
  signature: ModuleSignature | undefined,
  { referenceDigest }: SignedDigests,
): void {
  if (signature === undefined || !signature.refused) return;
  const { state, why } = signature;
  const text = `${url}: ${toSignatureText(signature)}`;
  if (state === 'unsigned' && /^(https?|file):/.test(url))
    throw new ModuleError('signature-missing', text, {
      hint: 'Push the module to a registry, sign it there, and use oci://. A sha256 is no signature.',
    });
  if (state === 'unsigned')
    throw new ModuleError('signature-missing', text, {
      hint: `Sign it, and apply again: cosign sign --key KEY ${toArtifact(url)}@${referenceDigest}`,
    });
  throw new ModuleError(
    'signature-invalid',
    why === undefined ? `${url}: its signature does not hold` : text,
    {
      hint: 'Compare the key with the one that signed. If the key is right, do not use this module.',
    },
  );
}

export function withSignature(
  { signature: _before, ...module }: ModuleFacts,
  signature: ModuleSignature | undefined,
): ModuleFacts {
  return signature === undefined ? module : { ...module, signature };
}

/** `HOST/REPOSITORY`, as other tools take it. */
function toArtifact(url: string): string {
  const reference = parseModuleReference(url);
  return reference.scheme === 'oci' ? `${reference.host}/${reference.repository}` : url;
}

/**
 * A mark for what other things are asked of now, and that was not looked at again yet. It is never current. `by`: what
 * was verified before, which may be enough for what is asked later.
 */
export function toUnchecked(why: string, now: number, by: ModuleSignature['by'] = []): ModuleSignature {
  return { state: 'unchecked', by, why, refused: false, policy: 'unchecked', checkedAt: now };
}

/** Files of web servers and disks have no place for signatures. */
function toUnsigned({ demands, hash }: SignatureDemands, now: number): ModuleSignature {
  const refused = demands.some(({ mode }) => mode === 'require');
  const why = `${demands.map(({ from }) => from).join(' and ')} asks for one, and only oci:// modules carry signatures`;
  return { state: 'unsigned', by: [], why, refused, policy: hash, checkedAt: now };
}

function toDemands(policy: SignaturePolicy, source: SignedSource): SignatureDemands {
  const asked = findDemands(policy, source);
  if (typeof asked !== 'string') return asked;
  throw new ModuleError('signature-key-unknown', `${source.url}: ${asked}`, {
    hint: 'Write a PEM public key, or the name of an authority of the server’s setting signatures.',
  });
}
