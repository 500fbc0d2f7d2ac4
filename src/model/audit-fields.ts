import { type AuditField, MAX_AUDIT_POINTER, MAX_AUDIT_VALUE } from './audit.ts';
import { cutText } from './cut-text.ts';
import { toCanonicalJson } from './plugin-spec.ts';
import { redact } from './redact.ts';
import { REDACTED } from './show-resource.ts';

type Json = unknown;
type JsonRecord = Readonly<Record<string, Json>>;

/** What is below is somebody else's, or encrypted: nobody knows which part of it is secret, names included. */
const OPAQUE = new Set(['pluginConfig', 'env', 'environmentVariables', 'configuration', 'sealed']);

/**
 * What differs between two states of a record, without secrets; undefined: it was not there, or is not any more. A
 * record that comes or goes is told by its top fields.
 */
export function diffFields(before: JsonRecord | undefined, after: JsonRecord | undefined): AuditField[] {
  const sides = {
    before: before && { raw: before, shown: redact(before).value },
    after: after && { raw: after, shown: redact(after).value },
  };
  const deep = before !== undefined && after !== undefined;
  return [...compareRecords(sides.before, sides.after, '', deep)].map(({ pointer, ...values }) => ({
    pointer: cutText(pointer, MAX_AUDIT_POINTER),
    ...values,
  }));
}

/** A value as it is, to compare, and as it may be shown. */
interface Side {
  readonly raw: Json;
  readonly shown: Json;
}

function* compareRecords(
  before: Side | undefined,
  after: Side | undefined,
  at: string,
  deep: boolean,
): Generator<AuditField> {
  const names = new Set([...namesOf(before), ...namesOf(after)]);
  for (const name of [...names].sort()) {
    const [was, is] = [partOf(before, name), partOf(after, name)];
    if (was !== undefined && is !== undefined && toCanonicalJson(was.raw) === toCanonicalJson(is.raw))
      continue;
    const pointer = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (OPAQUE.has(name)) yield { pointer };
    else if (deep && isRecord(was?.raw) && isRecord(is?.raw)) yield* compareRecords(was, is, pointer, deep);
    else yield toField(pointer, was, is);
  }
}

function toField(pointer: string, was: Side | undefined, is: Side | undefined): AuditField {
  const [before, after] = [toText(was), toText(is)];
  // Two secrets look the same: that they differ is told by the place alone.
  if (before === after || hidesAll(before) || hidesAll(after)) return { pointer };
  return {
    pointer,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
}

function hidesAll(text: string | undefined): boolean {
  return text === JSON.stringify(REDACTED);
}

/** What is opaque is left out at any depth: a part that comes as a whole is not looked into. */
function toText(side: Side | undefined): string | undefined {
  if (side === undefined) return undefined;
  const text = JSON.stringify(side.shown, (key, part) => (OPAQUE.has(key) ? REDACTED : part));
  return cutText(text, MAX_AUDIT_VALUE);
}

function namesOf(side: Side | undefined): readonly string[] {
  return isRecord(side?.raw) ? Object.keys(side.raw) : [];
}

function partOf(side: Side | undefined, name: string): Side | undefined {
  if (side === undefined || !isRecord(side.raw) || !Object.hasOwn(side.raw, name)) return undefined;
  return { raw: side.raw[name], shown: (side.shown as JsonRecord)[name] };
}

function isRecord(value: Json): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
