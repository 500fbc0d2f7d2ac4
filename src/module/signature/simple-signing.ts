import { isDigest } from '../verify-digest.ts';
import { parseJsonObject, quote, toFields } from './json-object.ts';
import { SIMPLE_SIGNING_TYPE } from './signature-types.ts';

/**
 * The digest that cosign's own payload is about; `{critical: {type, image: {docker-manifest-digest}}}`. A fault is what
 * is wrong with it. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#payload
 */
export function parseSimpleSigning(
  payload: Uint8Array,
): { readonly digest: string } | { readonly fault: string } {
  const critical = toFields(parseJsonObject(payload)?.critical);
  if (critical === undefined) return { fault: 'its payload is not one of cosign' };
  if (critical.type !== SIMPLE_SIGNING_TYPE)
    return { fault: `its payload is of type ${quote(critical.type)}, not ${quote(SIMPLE_SIGNING_TYPE)}` };
  const digest = toFields(critical.image)?.['docker-manifest-digest'];
  if (typeof digest !== 'string' || !isDigest(digest)) return { fault: 'its payload names no digest' };
  return { digest };
}
