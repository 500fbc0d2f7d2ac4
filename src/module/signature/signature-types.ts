/** The names that cosign, sigstore and in-toto write, letter for letter. */

/** https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
export const SIMPLE_SIGNING_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const SIMPLE_SIGNING_TYPE = 'cosign container image signature';
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';

/** https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
export const BUNDLE_LAYER_PREFIX = 'application/vnd.dev.sigstore.bundle';
/** Both spellings of version 0.3. */
export const BUNDLE_TYPES: readonly string[] = [
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
];
export const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';
/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const STATEMENT_TYPES: readonly string[] = [
  'https://in-toto.io/Statement/v1',
  'https://in-toto.io/Statement/v0.1',
];
/** What a statement that is a signature of an image says of it; any other one is an attestation. */
export const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Whether a layer may hold a signature: an artifact's own type is not to be relied on. */
export function isSignatureLayer(mediaType: string): boolean {
  return mediaType === SIMPLE_SIGNING_LAYER || mediaType.startsWith(BUNDLE_LAYER_PREFIX);
}
