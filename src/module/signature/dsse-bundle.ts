import { parseBase64, parseJsonObject, quote, toFields } from './json-object.ts';
import { BUNDLE_TYPES, IN_TOTO_PAYLOAD } from './signature-types.ts';

/** What of a sigstore bundle a key can prove. */
export interface DsseBundle {
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** Made with a certificate; then hardly any key of ours fits. */
  readonly isKeyless: boolean;
}

/**
 * Reads a sigstore bundle of version 0.3 that holds a DSSE envelope with an in-toto statement. Entries of a log and
 * times are left alone: a key proves without them. A text is what is wrong with it.
 * https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
 */
export function parseBundle(bytes: Uint8Array): DsseBundle | string {
  const value = parseJsonObject(bytes);
  if (value === undefined) return 'it is not JSON';
  const { mediaType, verificationMaterial, dsseEnvelope } = value;
  if (typeof mediaType !== 'string' || !BUNDLE_TYPES.includes(mediaType))
    return `it is of type ${quote(mediaType)}; bundles of version 0.3 are read`;
  const envelope = toFields(dsseEnvelope);
  if (envelope === undefined) return 'it holds no DSSE envelope, so it is about bytes and not about an image';
  const { payload, payloadType, signatures } = envelope;
  if (payloadType !== IN_TOTO_PAYLOAD)
    return `its payload is announced as ${quote(payloadType)}, not as ${quote(IN_TOTO_PAYLOAD)}`;
  if (!Array.isArray(signatures) || signatures.length !== 1) return 'it does not hold exactly one signature';
  const decoded = { payload: parseBase64(payload), signature: parseBase64(toFields(signatures[0])?.sig) };
  if (decoded.payload === undefined || decoded.signature === undefined)
    return 'its payload or its signature is not base64';
  return {
    payload: decoded.payload,
    signature: decoded.signature,
    isKeyless: toFields(verificationMaterial)?.publicKey === undefined,
  };
}

/**
 * The bytes that a DSSE signature is over.
 * https://github.com/secure-systems-lab/dsse/blob/master/protocol.md#signature-definition
 */
export function encodePae(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}
