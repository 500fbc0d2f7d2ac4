import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { toMessage } from './error.ts';

/** How a key signs: the hash goes with the kind of key, and is nobody's choice. */
export type SignatureAlgorithm = 'ecdsa-p256-sha256' | 'ecdsa-p384-sha384' | 'ed25519' | 'rsa-pkcs1-sha256';

/** A public key that signatures are verified with. Text alone, so that it can be stored, hashed and compared. */
export interface SignatureKey {
  /** SubjectPublicKeyInfo, one block of PEM. */
  readonly pem: string;
  readonly algorithm: SignatureAlgorithm;
  /** `sha256:<hex>` of the DER: the same key has the same one, however it was written. */
  readonly fingerprint: string;
}

/** Below it RSA is not safe; above, one verification takes too long. */
const RSA_BITS = { min: 2048, max: 8192 };
/** What is used is 3, 17 and 65537; a large one makes every verification slow. */
const MAX_RSA_EXPONENT = 0xffffffffn;
const PEM = /^\s*-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*$/;

/** Whether a text means to be PEM, rather than a name. */
export function isPem(text: string): boolean {
  return text.trimStart().startsWith('-----');
}

/**
 * Reads one public key as `cosign generate-key-pair` and `openssl pkey -pubout` write it: PEM, SubjectPublicKeyInfo.
 * ECDSA P-256 and P-384, Ed25519, RSA of 2048 to 8192 bits. A text is what is wrong with it.
 */
export function parseSignatureKey(text: string): SignatureKey | string {
  if (/PRIVATE KEY/.test(text)) return 'it is a private key, and no secret any more: make a new pair';
  const [, label, body = ''] = PEM.exec(text) ?? [];
  if (label === undefined) return 'it is not one block of PEM: -----BEGIN PUBLIC KEY-----';
  if (label !== 'PUBLIC KEY')
    return `it is a ${label}, not a PUBLIC KEY. Convert it: openssl pkey -pubin -in FILE -pubout`;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(body, 'base64'), format: 'der', type: 'spki' });
  } catch (error) {
    return `it does not decode (${toMessage(error)})`;
  }
  const algorithm = toAlgorithm(key);
  if (!ALGORITHMS.some(known => known === algorithm)) return algorithm;
  return {
    pem: key.export({ format: 'pem', type: 'spki' }).toString(),
    algorithm: algorithm as SignatureAlgorithm,
    fingerprint: `sha256:${createHash('sha256')
      .update(key.export({ format: 'der', type: 'spki' }))
      .digest('hex')}`,
  };
}

const ALGORITHMS: readonly SignatureAlgorithm[] = [
  'ecdsa-p256-sha256',
  'ecdsa-p384-sha384',
  'ed25519',
  'rsa-pkcs1-sha256',
];
const KNOWN = 'ECDSA P-256 and P-384, Ed25519, and RSA of 2048 bits or more are known';

/** Any other text is why the key is not taken. */
function toAlgorithm(key: KeyObject): SignatureAlgorithm | string {
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'ed25519';
    case 'ec':
      if (namedCurve === 'prime256v1') return 'ecdsa-p256-sha256';
      if (namedCurve === 'secp384r1') return 'ecdsa-p384-sha384';
      return `its curve is ${namedCurve ?? 'not named'}; ${KNOWN}`;
    case 'rsa':
      if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max)
        return `its RSA modulus has ${modulusLength} bits; ${RSA_BITS.min} to ${RSA_BITS.max} are taken`;
      if (publicExponent > MAX_RSA_EXPONENT) return 'its RSA exponent is larger than any that is in use';
      return 'rsa-pkcs1-sha256';
    default:
      return `its type is ${key.asymmetricKeyType}; ${KNOWN}`;
  }
}
