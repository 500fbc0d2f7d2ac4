import { type JsonObject, type JsonValue, toCanonicalJson } from './plugin-spec.ts';
import type { Seal } from './pull-secret.ts';
import type { ResourceSpec } from './resource.ts';
import { REDACTED } from './show-resource.ts';

/*
 * A resource with secrets in it is stored twice: `resource` as everybody may see it, `sealed` as the Envoys get it. What is
 * read from the store holds no secret, so that no answer, plan or log can show one.
 */

/** What of a document is stored; `sensitive` are JSON pointers (RFC 6901) into `resource`. */
export function sealResource(
  seal: Seal,
  key: string,
  resource: JsonObject,
  sensitive: readonly string[],
): Pick<ResourceSpec, 'resource' | 'sealed'> {
  if (sensitive.length === 0) return { resource };
  return {
    resource: redact(resource, sensitive),
    sealed: seal.close(JSON.stringify(resource), toAbout(key)),
  };
}

/** The resource as the Envoys are to get it. undefined: it does not open with this key. */
export function openResource(seal: Pick<Seal, 'open'>, spec: ResourceSpec): JsonObject | undefined {
  if (spec.sealed === undefined) return spec.resource;
  const text = seal.open(spec.sealed, toAbout(`${spec.type}/${spec.namespace}/${spec.name}`));
  return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
}

function toAbout(key: string): string {
  return `ResourceSpec ${key}`;
}

function redact(resource: JsonObject, sensitive: readonly string[]): JsonObject {
  const hidden = new Set(sensitive);
  const visit = (value: JsonValue, at: string): JsonValue => {
    if (hidden.has(at)) return REDACTED;
    if (Array.isArray(value)) return value.map((part: JsonValue, i) => visit(part, `${at}/${i}`));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, visit(part, `${at}/${escapePointer(key)}`)]),
    );
  };
  return visit(resource, '') as JsonObject;
}

const ANOTHER = `${REDACTED}, another one`;

/**
 * `shown` for a comparison with what stood before: a secret that is not what it was is told to be another one. Both
 * sides as they are shown, and as they are (undefined: it could not be opened, so that nobody knows).
 */
export function markOtherSecrets(
  before: { readonly shown: JsonObject; readonly full: JsonObject | undefined },
  after: { readonly shown: JsonObject; readonly full: JsonObject },
): JsonObject {
  const visit = (shown: JsonValue, full: JsonValue | undefined, was: Parts): JsonValue => {
    if (shown === REDACTED && full !== REDACTED && was.shown === REDACTED)
      return toCanonicalJson(full) === toCanonicalJson(was.full) ? REDACTED : ANOTHER;
    if (Array.isArray(shown))
      return shown.map((part: JsonValue, i) => visit(part, partOf(full, i), partsOf(was, i)));
    if (!isObject(shown)) return shown;
    return Object.fromEntries(
      Object.entries(shown).map(([key, part]) => [key, visit(part, partOf(full, key), partsOf(was, key))]),
    );
  };
  return visit(after.shown, after.full, before) as JsonObject;
}

interface Parts {
  readonly shown: JsonValue | undefined;
  readonly full: JsonValue | undefined;
}

function partsOf(of: Parts, key: string | number): Parts {
  return { shown: partOf(of.shown, key), full: partOf(of.full, key) };
}

function partOf(value: JsonValue | undefined, key: string | number): JsonValue | undefined {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string | number, JsonValue>>)[key];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
