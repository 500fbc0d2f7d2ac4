import type { JsonObject, JsonValue } from '../../model/plugin-spec.ts';
import { asList, asObject, badMatcher, type Predicate, toStringPredicate } from './string-match.ts';

/** undefined: there is nothing at the path. */
type Value = JsonValue | undefined;

const MAX_DEPTH = 16;

/**
 * envoy.type.matcher.v3.StructMatcher: what stands at a path of keys. Throws XdsError `bad-node-matcher`.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/struct.proto
 */
export function toStructPredicate(matcher: JsonObject, path: string): Predicate<JsonObject> {
  const keys = asList(matcher.path).map(({ key }) => String(key ?? ''));
  if (keys.length === 0) throw badMatcher(`${path}.path`, 'is empty');
  const test = toValuePredicate(asObject(matcher.value), `${path}.value`, 0);
  return struct => test(keys.reduce<Value>(step, struct));
}

function step(value: Value, key: string): Value {
  const struct = asObject(value);
  return Object.hasOwn(struct, key) ? struct[key] : undefined;
}

/** envoy.type.matcher.v3.ValueMatcher. */
function toValuePredicate(matcher: JsonObject, path: string, depth: number): Predicate<Value> {
  if (depth > MAX_DEPTH) throw badMatcher(path, `is nested more than ${MAX_DEPTH} deep`);
  const inner = (part: JsonObject, name: string) => toValuePredicate(part, `${path}.${name}`, depth + 1);
  if ('null_match' in matcher) return value => value === null;
  if ('double_match' in matcher) return toNumberPredicate(asObject(matcher.double_match));
  if ('bool_match' in matcher) return value => value === matcher.bool_match;
  // Absence matches nothing: what Envoy does as well.
  if ('present_match' in matcher) return value => matcher.present_match === true && value !== undefined;
  if ('string_match' in matcher) {
    const test = toStringPredicate(asObject(matcher.string_match), `${path}.string_match`);
    return value => typeof value === 'string' && test(value);
  }
  if ('list_match' in matcher) {
    const test = inner(asObject(asObject(matcher.list_match).one_of), 'list_match.one_of');
    return value => Array.isArray(value) && value.some(test);
  }
  if ('or_match' in matcher) {
    const tests = asList(asObject(matcher.or_match).value_matchers).map((part, i) =>
      inner(part, `or_match.value_matchers[${i}]`),
    );
    return value => tests.some(test => test(value));
  }
  throw badMatcher(path, 'says nothing to match');
}

/** A range holds its start and not its end. */
function toNumberPredicate(matcher: JsonObject): Predicate<Value> {
  if ('exact' in matcher) return value => value === matcher.exact;
  const { start = 0, end = 0 } = asObject(matcher.range);
  return value => typeof value === 'number' && value >= Number(start) && value < Number(end);
}
