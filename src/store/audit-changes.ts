import { createHmac } from 'node:crypto';
import { type AuditChange, MAX_AUDIT_FIELDS } from '../model/audit.ts';
import { diffFields } from '../model/audit-fields.ts';
import { toCanonicalJson } from '../model/plugin-spec.ts';
import type { Engine, Write } from './engine.ts';
import type { Kind } from './record-kinds.ts';

type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * Kinds of which the audit tells what changed: `all` of it, or these fields. Of every other kind it tells only that
 * something did: records with secrets, and long ones.
 */
const TOLD: Readonly<Partial<Record<Kind, 'all' | readonly string[]>>> = {
  PluginSpec: 'all',
  ResourceSpec: 'all',
  RolloutIntent: 'all',
  Freeze: 'all',
  NodePolicy: 'all',
  NodeGroup: 'all',
  Token: ['id', 'name', 'role', 'scope', 'createdBy', 'expiresAt'],
  Quarantine: 'all',
  Revision: ['number', 'contentHash', 'configHash', 'module', 'message'],
  ModuleProgress: ['state', 'revision', 'code', 'message', 'tag'],
  Assignment: ['base', 'held'],
  Rollout: ['id', 'kind', 'from', 'to', 'by', 'phase', 'reason', 'why', 'code', 'step', 'stage', 'failure'],
};

/** Not changed by anybody: lines of what happened. */
const LOGS: ReadonlySet<Kind> = new Set(['Event', 'AuditEntry', 'AuditHead']);

/**
 * Long, with the id of every node, and always written in one order by the same stage: digested as stored. Reading such a
 * record of 5,000 nodes and sorting its keys first took 12 ms in the commit of a decision; this takes 0.3 ms.
 */
const AS_STORED: ReadonlySet<Kind> = new Set(['RolloutNodes']);

/**
 * The records that a transaction changes, each with its digest before and after. The digests are keyed, because a
 * record may hold what is easily guessed: who sees a plain hash of it can try all guesses.
 */
export function toAuditChanges(writes: readonly Write[], read: Engine['read'], key: string): AuditChange[] {
  return writes
    .filter(({ kind }) => !LOGS.has(kind))
    .map(({ kind, key: name, row }) => {
      const texts = { before: read(kind, name)?.text, after: row?.text };
      if (AS_STORED.has(kind)) {
        const digests = { before: toDigest(texts.before, key), after: toDigest(texts.after, key) };
        return { record: kind, key: name, ...digests };
      }
      const [before, after] = [parse(texts.before), parse(texts.after)];
      return {
        record: kind,
        key: name,
        before: toDigest(before && toCanonicalJson(before), key),
        after: toDigest(after && toCanonicalJson(after), key),
        ...toFields(kind, before, after),
      };
    });
}

function toDigest(text: string | undefined, key: string): string | null {
  return text === undefined ? null : createHmac('sha256', key).update(text).digest('hex');
}

function toFields(
  kind: Kind,
  before: JsonRecord | undefined,
  after: JsonRecord | undefined,
): Pick<AuditChange, 'fields' | 'moreFields'> {
  const told = TOLD[kind];
  // What is shown of a resource with secrets has none; what is not shown is most of the change.
  if (told === undefined || before?.sealed !== undefined || after?.sealed !== undefined) return {};
  const fields = diffFields(pick(before, told), pick(after, told));
  const more = fields.length - MAX_AUDIT_FIELDS;
  return { fields: fields.slice(0, MAX_AUDIT_FIELDS), ...(more > 0 ? { moreFields: more } : {}) };
}

function pick(record: JsonRecord | undefined, told: 'all' | readonly string[]): JsonRecord | undefined {
  if (record === undefined || told === 'all') return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => told.includes(name)));
}

function parse(text: string | undefined): JsonRecord | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as JsonRecord);
}
