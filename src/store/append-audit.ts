import {
  type AuditDraft,
  type AuditEntry,
  type AuditHead,
  hashEntry,
  NO_ENTRY_HASH,
} from '../model/audit.ts';
import { toAuditChanges } from './audit-changes.ts';
import type { Engine, Row, Write } from './engine.ts';
import { AUDIT_HEAD_KEY, auditKey } from './record-kinds.ts';

/**
 * The entries that a transaction appends to the audit, as of what `read` shows now: each is given the number after
 * the last one, the hash of that one, and what the transaction changes. Pure; `key` is that of the store's digests.
 */
export function planAppends(
  drafts: readonly AuditDraft[],
  writes: readonly Write[],
  read: Engine['read'],
  revision: number,
  key: string,
): readonly Write[] {
  if (drafts.length === 0) return [];
  const headRow = read('AuditHead', AUDIT_HEAD_KEY);
  let head: AuditHead = headRow ? JSON.parse(headRow.text) : { number: 0, hash: NO_ENTRY_HASH };
  const changes = toAuditChanges(writes, read, key);
  const entries = drafts.map((draft, index) => {
    const number = head.number + 1;
    const entry = toEntry(draft, {
      number,
      previous: head.hash,
      revision,
      changes: index === 0 ? changes : [],
    });
    head = { number, hash: entry.hash };
    return entry;
  });
  const newHead = toRow(AUDIT_HEAD_KEY, head, revision, headRow?.createdRevision);
  return [
    ...entries.map(entry => {
      const name = auditKey(entry.number);
      return { kind: 'AuditEntry', key: name, row: toRow(name, entry, revision) } as const;
    }),
    { kind: 'AuditHead', key: AUDIT_HEAD_KEY, row: newHead },
  ];
}

type Filled = Pick<AuditEntry, 'number' | 'previous' | 'revision' | 'changes'>;

/** As it is when it is read: what JSON does not keep is not hashed either. */
function toEntry(draft: AuditDraft, filled: Filled): AuditEntry {
  const entry = JSON.parse(JSON.stringify({ ...draft, ...filled, kind: 'AuditEntry' })) as AuditEntry;
  return { ...entry, hash: hashEntry(entry) };
}

function toRow(
  key: string,
  value: AuditEntry | AuditHead,
  revision: number,
  createdRevision = revision,
): Row {
  return { key, text: JSON.stringify(value), revision, createdRevision };
}
