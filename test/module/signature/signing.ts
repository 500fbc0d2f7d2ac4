import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { parseSignatureKey, type SignatureAlgorithm } from '../../../src/model/signature-key.ts';
import type { NamedKey, SignatureDemands } from '../../../src/model/signature-policy.ts';

/** A key pair of a signer. */
export interface Signer {
  readonly pem: string;
  readonly named: NamedKey;
  /** Signs bytes as this kind of key does. */
  sign(bytes: Uint8Array): Buffer;
}

export type KeyKind = 'p256' | 'p384' | 'ed25519' | 'rsa';
export const KEY_KINDS: readonly KeyKind[] = ['p256', 'p384', 'ed25519', 'rsa'];

export function makeSigner(kind: KeyKind = 'p256', authority?: string): Signer {
  const { publicKey, privateKey } = generatePair(kind);
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const key = parseSignatureKey(pem);
  if (typeof key === 'string') throw new Error(key);
  return {
    pem,
    named: { key, ...(authority === undefined ? {} : { authority }) },
    sign: bytes => signBytes(privateKey, key.algorithm, bytes),
  };
}

function generatePair(kind: KeyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (kind) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
  }
}

function signBytes(key: KeyObject, algorithm: SignatureAlgorithm, bytes: Uint8Array): Buffer {
  switch (algorithm) {
    case 'ecdsa-p256-sha256':
      return sign('sha256', bytes, key);
    case 'ecdsa-p384-sha384':
      return sign('sha384', bytes, key);
    case 'ed25519':
      return sign(null, bytes, key);
    case 'rsa-pkcs1-sha256':
      return sign('sha256', bytes, { key, padding: constants.RSA_PKCS1_PADDING });
  }
}

/** Cosign's payload; `critical` replaces fields of it. */
export function makePayload(digest: string, critical: object = {}): Buffer {
  const payload = {
    critical: {
      identity: { 'docker-reference': 'registry.example/auth' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
      ...critical,
    },
    optional: null,
  };
  return Buffer.from(JSON.stringify(payload));
}

/** An in-toto statement about a digest; `over` replaces fields of it. */
export function makeStatement(digest: string, over: object = {}): Buffer {
  const [algorithm = '', hex = ''] = digest.split(':');
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { [algorithm]: hex } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
    ...over,
  };
  return Buffer.from(JSON.stringify(statement));
}

export const IN_TOTO = 'application/vnd.in-toto+json';

/** A sigstore bundle over a payload; `envelope` and `over` replace fields of it after signing. */
export function makeBundle(
  signer: Signer,
  payload: Buffer,
  { envelope = {}, over = {}, type = IN_TOTO }: { envelope?: object; over?: object; type?: string } = {},
): Buffer {
  // By hand, and not by the code under test.
  const pae = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: 'x' } },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: type,
      signatures: [{ sig: signer.sign(pae).toString('base64') }],
      ...envelope,
    },
    ...over,
  };
  return Buffer.from(JSON.stringify(bundle));
}

/** That one of these signed. */
export function demand(signers: readonly Signer[], mode: 'require' | 'warn' = 'require'): SignatureDemands {
  const keys = signers.map(({ named }) => named);
  return { demands: [{ from: 'verificationKey', mode, keys }], hash: 'asked' };
}
