import { StoreError } from './store-error.ts';

/** Longest key in UTF-16 code units. */
export const MAX_KEY_LENGTH = 4096;

/**
 * Refuses what cannot be a key on every engine: nothing, too long, or text that has no UTF-8 form (two such keys
 * would become one). Throws StoreError `invalid-operation`.
 */
export function checkKey(key: string): void {
  if (key.length === 0 || key.length > MAX_KEY_LENGTH || !key.isWellFormed())
    throw new StoreError(
      'invalid-operation',
      `${JSON.stringify(key.slice(0, 100))} cannot be a key: 1 to ${MAX_KEY_LENGTH} characters of well-formed text`,
    );
}

/** Orders keys by code point, which is the order of their UTF-8 bytes, so that every engine agrees. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The least text above every key that begins with `prefix`; undefined: there is none. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, character => character.codePointAt(0) ?? 0);
  while (points.length > 0) {
    const last = points.pop() ?? 0;
    // A surrogate alone has no UTF-8 form: the code point after U+D7FF is U+E000.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}
