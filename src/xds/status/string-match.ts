import type { JsonObject, JsonValue } from '../../model/plugin-spec.ts';
import { XdsError } from '../xds-error.ts';

export type Predicate<T> = (value: T) => boolean;

/** A pattern of this length is enough for any name, and compiles at once. */
const MAX_PATTERN = 1000;

/**
 * envoy.type.matcher.v3.StringMatcher in its JSON form. `safe_regex` has to match the whole text and is run by JavaScript's engine, which
 * may backtrack: whoever matches bounds the time (match-nodes.ts). Throws XdsError `bad-node-matcher`.
 */
export function toStringPredicate(matcher: JsonObject, path: string): Predicate<string> {
  const ignoreCase = matcher.ignore_case === true;
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const compare = (wanted: JsonValue | undefined, test: (text: string, part: string) => boolean) => {
    const part = fold(String(wanted));
    return (text: string) => test(fold(text), part);
  };
  if ('exact' in matcher) return compare(matcher.exact, (text, part) => text === part);
  if ('prefix' in matcher) return compare(matcher.prefix, (text, part) => text.startsWith(part));
  if ('suffix' in matcher) return compare(matcher.suffix, (text, part) => text.endsWith(part));
  if ('contains' in matcher) return compare(matcher.contains, (text, part) => text.includes(part));
  if ('safe_regex' in matcher) return toRegexPredicate(asObject(matcher.safe_regex), `${path}.safe_regex`);
  throw badMatcher(path, 'has none of exact, prefix, suffix, contains and safe_regex');
}

/** `ignore_case` is not for it: Envoy's proto says so. */
function toRegexPredicate({ regex }: JsonObject, path: string): Predicate<string> {
  const text = String(regex ?? '');
  if (text.length > MAX_PATTERN) throw badMatcher(path, `is longer than ${MAX_PATTERN} characters`);
  try {
    const pattern = new RegExp(`^(?:${text})$`, 'su');
    return value => pattern.test(value);
  } catch (cause) {
    throw badMatcher(path, 'is not a regular expression', cause);
  }
}

export function asObject(value: JsonValue | undefined): JsonObject {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : {};
}

export function asList(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

export function badMatcher(path: string, what: string, cause?: unknown): XdsError {
  return new XdsError('bad-node-matcher', `${path} ${what}`, cause === undefined ? {} : { cause });
}
