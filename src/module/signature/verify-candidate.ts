import type { SignatureFormat } from '../../model/module-signature.ts';
import type { NamedKey } from '../../model/signature-policy.ts';
import { type DsseBundle, encodePae, parseBundle } from './dsse-bundle.ts';
import { parseStatement } from './in-toto-statement.ts';
import { parseBase64, quote } from './json-object.ts';
import { IN_TOTO_PAYLOAD, SIGN_PREDICATE } from './signature-types.ts';
import { parseSimpleSigning } from './simple-signing.ts';
import { verifyBytes } from './verify-bytes.ts';

/** Something that a registry holds beside an artifact, and that may be a signature of it. */
export type Candidate =
  | { readonly kind: 'simple-signing'; readonly payload: Uint8Array; readonly signature: string | undefined }
  | { readonly kind: 'bundle'; readonly bytes: Uint8Array }
  /** It could not be had. */
  | { readonly kind: 'broken'; readonly why: string };

export type Outcome =
  | { readonly kind: 'verified'; readonly key: NamedKey; readonly format: SignatureFormat }
  /** It is no signature of the artifact, and does not say it is: an attestation. */
  | { readonly kind: 'other'; readonly what: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Which of the keys made this signature of this digest (`sha256:<hex>`). Pure. */
export function verifyCandidate(candidate: Candidate, digest: string, keys: readonly NamedKey[]): Outcome {
  switch (candidate.kind) {
    case 'simple-signing':
      return verifySimpleSigning(candidate, digest, keys);
    case 'bundle':
      return verifyBundle(candidate.bytes, digest, keys);
    case 'broken':
      return failed(candidate.why);
    default:
      return candidate satisfies never;
  }
}

function verifySimpleSigning(
  { payload, signature }: { readonly payload: Uint8Array; readonly signature: string | undefined },
  digest: string,
  keys: readonly NamedKey[],
): Outcome {
  const bytes = parseBase64(signature);
  if (bytes === undefined) return failed('a cosign signature without its annotation, or not in base64');
  const parsed = parseSimpleSigning(payload);
  if ('fault' in parsed) return failed(`a cosign signature: ${parsed.fault}`);
  if (parsed.digest !== digest) return failed(`a cosign signature is about ${parsed.digest}`);
  const key = keys.find(({ key }) => verifyBytes(key, payload, bytes));
  return key === undefined ? failed(NOT_BY_THESE) : { kind: 'verified', key, format: 'simple-signing' };
}

function verifyBundle(bytes: Uint8Array, digest: string, keys: readonly NamedKey[]): Outcome {
  const bundle = parseBundle(bytes);
  if (typeof bundle === 'string') return failed(`a sigstore bundle: ${bundle}`);
  const statement = parseStatement(bundle.payload);
  if (typeof statement === 'string') return failed(`a sigstore bundle: ${statement}`);
  if (statement.predicateType !== SIGN_PREDICATE)
    return { kind: 'other', what: `an attestation, ${quote(statement.predicateType)}` };
  if (!statement.digests.has(digest)) return failed('a sigstore bundle is about other digests');
  return verifyEnvelope(bundle, keys);
}

function verifyEnvelope({ payload, signature, isKeyless }: DsseBundle, keys: readonly NamedKey[]): Outcome {
  const signed = encodePae(IN_TOTO_PAYLOAD, payload);
  const key = keys.find(({ key }) => verifyBytes(key, signed, signature));
  if (key !== undefined) return { kind: 'verified', key, format: 'bundle' };
  return failed(isKeyless ? 'a signature was made without a key, and only keys are verified' : NOT_BY_THESE);
}

const NOT_BY_THESE = 'a signature was made by another key, or changed since';

function failed(why: string): Outcome {
  return { kind: 'failed', why };
}
