import { type ModuleSignature, type SignatureProof, toKeyText } from '../../model/module-signature.ts';
import type { SignatureDemand, SignatureDemands } from '../../model/signature-policy.ts';
import { type Candidate, verifyCandidate } from './verify-candidate.ts';

/** What a signature may be of: the digest that the reference named, and the manifest chosen in it. */
export interface SignedDigests {
  readonly referenceDigest?: string | undefined;
  readonly manifestDigest?: string | undefined;
}

/** How many reasons are told. */
const MAX_REASONS = 3;

/**
 * Holds what a registry has against what is asked. A signature of the index counts as one of the manifest does: the
 * index names it by digest. Reads no further than it must.
 */
export async function checkSignature(
  { referenceDigest, manifestDigest }: SignedDigests,
  { demands, hash }: SignatureDemands,
  find: (digest: string) => AsyncIterable<Candidate>,
  now: number,
): Promise<ModuleSignature> {
  const by: SignatureProof[] = [];
  const reasons = new Set<string>();
  const others = new Set<string>();
  let open: readonly SignatureDemand[] = demands;
  for (const digest of new Set([referenceDigest, manifestDigest])) {
    if (digest === undefined || open.length === 0) continue;
    for await (const candidate of find(digest)) {
      const keys = open.flatMap(demand => demand.keys);
      const outcome = verifyCandidate(candidate, digest, keys);
      if (outcome.kind === 'verified') {
        const { key, format } = outcome;
        open = open.filter(demand => !demand.keys.some(one => isSame(one.key, key.key)));
        by.push({
          ...(key.authority === undefined ? {} : { authority: key.authority }),
          fingerprint: key.key.fingerprint,
          signed: digest === manifestDigest ? 'manifest' : 'index',
          digest,
          format,
        });
        if (open.length === 0) break;
      } else if (outcome.kind === 'failed') reasons.add(outcome.why);
      else others.add(outcome.what);
    }
  }
  const common = {
    by,
    refused: open.some(({ mode }) => mode === 'require'),
    policy: hash,
    checkedAt: now,
  };
  if (open.length === 0) return { state: 'verified', ...common };
  const state = reasons.size === 0 && by.length === 0 ? 'unsigned' : 'failed';
  const found = reasons.size === 0 ? [...others].map(what => `there is ${what}`) : [...reasons];
  return { state, ...common, why: [toAskedText(open), ...toShort(found)].join('; ') };
}

function isSame(a: { readonly fingerprint: string }, b: { readonly fingerprint: string }): boolean {
  return a.fingerprint === b.fingerprint;
}

/** `verificationKey asks for release` */
function toAskedText(open: readonly SignatureDemand[]): string {
  return open.map(({ from, keys }) => `${from} asks for ${toSignersText(keys)}`).join(' and ');
}

function toSignersText(keys: SignatureDemand['keys']): string {
  const names = keys.map(({ authority, key }) => authority ?? toKeyText(key.fingerprint));
  return [...new Set(names)].join(' or ');
}

function toShort(reasons: readonly string[]): readonly string[] {
  const shown = reasons.slice(0, MAX_REASONS);
  return reasons.length > MAX_REASONS ? [...shown, `and ${reasons.length - MAX_REASONS} more`] : shown;
}
