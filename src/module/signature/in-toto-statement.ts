import { parseJsonObject, quote, toFields } from './json-object.ts';
import { STATEMENT_TYPES } from './signature-types.ts';

export interface Statement {
  readonly predicateType: string;
  /** `<algorithm>:<hex>` of everything that it is about. */
  readonly digests: ReadonlySet<string>;
}

export const MAX_SUBJECTS = 1024;
const MAX_DIGESTS_EACH = 16;

/**
 * What an in-toto statement says, and of what. A text is what is wrong with it.
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function parseStatement(payload: Uint8Array): Statement | string {
  const value = parseJsonObject(payload);
  if (value === undefined) return 'its payload is not JSON';
  const { _type, predicateType, subject } = value;
  if (typeof _type !== 'string' || !STATEMENT_TYPES.includes(_type))
    return `its payload is of type ${quote(_type)}, no in-toto statement of version 1 or 0.1`;
  if (typeof predicateType !== 'string' || predicateType === '') return 'its statement has no predicate type';
  if (!Array.isArray(subject) || subject.length === 0) return 'its statement is about nothing';
  if (subject.length > MAX_SUBJECTS)
    return `its statement has ${subject.length} subjects, more than ${MAX_SUBJECTS}`;
  const digests = new Set<string>();
  for (const one of subject) {
    const entries = Object.entries(toFields(toFields(one)?.digest) ?? {});
    if (entries.length === 0 || entries.length > MAX_DIGESTS_EACH)
      return 'a subject of its statement has no digest, or too many';
    for (const [algorithm, hex] of entries) {
      if (typeof hex !== 'string') return 'a subject of its statement has a digest that is no text';
      digests.add(`${algorithm}:${hex}`);
    }
  }
  return { predicateType, digests };
}
