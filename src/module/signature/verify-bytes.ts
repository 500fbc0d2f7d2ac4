import { constants, createPublicKey, verify } from 'node:crypto';
import type { SignatureKey } from '../../model/signature-key.ts';

/** Whether a key made a signature over these bytes; what cannot be a signature was made by none. */
export function verifyBytes(
  { pem, algorithm }: SignatureKey,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = createPublicKey(pem);
  try {
    switch (algorithm) {
      case 'ecdsa-p256-sha256':
        return verify('sha256', bytes, { key, dsaEncoding: 'der' }, signature);
      case 'ecdsa-p384-sha384':
        return verify('sha384', bytes, { key, dsaEncoding: 'der' }, signature);
      case 'ed25519':
        return verify(null, bytes, key, signature);
      case 'rsa-pkcs1-sha256':
        return verify('sha256', bytes, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
      default:
        return algorithm satisfies never;
    }
  } catch {
    return false;
  }
}
