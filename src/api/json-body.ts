import { toMessage } from '../model/error.ts';
import { ApiError } from './api-error.ts';

/** Deeper than documents and what Envoys take; what goes through them calls itself for each level. */
const MOST_LEVELS = 200;
const REFUSED_KEYS: readonly string[] = ['__proto__', 'constructor'];
/** A text that may have such a key, or a number of that size; to look at each part of any other one is most of what reading it costs. */
const MAY_HAVE_REFUSED = /__proto__|constructor|\\u|\d{16}|\de\+?\d{3}/i;

/**
 * The value of a JSON body. Throws ApiError `bad-json` with the parser's own words, which quote the body, unless it is
 * `secret`; also for keys that no document has a use for, and that a careless reader of it would take for its own, and for
 * numbers that would be stored as other ones.
 */
export function parseJsonBody(text: string, secret = false): unknown {
  const value = parse(text, secret);
  if (isDeeper(value, MOST_LEVELS)) throw tooDeep();
  return value;
}

function parse(text: string, secret: boolean): unknown {
  try {
    return JSON.parse(text, MAY_HAVE_REFUSED.test(text) ? refusePart : undefined);
  } catch (cause) {
    // It calls itself for each level, too.
    if (cause instanceof RangeError) throw tooDeep();
    if (secret) throw new ApiError('bad-json', 'the body is not JSON');
    throw new ApiError('bad-json', `the body is not JSON: ${toMessage(cause)}`, { cause });
  }
}

function refusePart(
  key: string,
  value: unknown,
  { source = '' }: { readonly source?: string } = {},
): unknown {
  if (REFUSED_KEYS.includes(key)) throw new SyntaxError(`the key "${key}" is not taken`);
  if (typeof value === 'number' && isRounded(value, source))
    throw new SyntaxError(`${source} of "${key}" is more than a number can hold: write it as a string`);
  return value;
}

function isRounded(value: number, source: string): boolean {
  return !Number.isFinite(value) || (/^-?\d+$/.test(source) && !Number.isSafeInteger(value));
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some(part => isDeeper(part, levels - 1));
}

function tooDeep(): ApiError {
  return new ApiError('bad-json', `the body is nested more than ${MOST_LEVELS} levels deep`);
}
