import { type Kind, OBSERVED_KINDS } from './record-kinds.ts';
import type { SegmentEntry } from './segment.ts';

/** What an entry is about; of a record that is gone kind and key alone. */
export type EntryHead =
  | readonly [kind: Kind, key: string]
  | readonly [kind: Kind, key: string, createdRevision: number, revision: number];

/**
 * JSON: a list for each run of entries that have kind and revision together: `[kind, revision, key, createdRevision, key,
 * createdRevision, …]`, and of records that are gone `[kind, 0, key, key, …]`.
 */
export function toHeadsText(entries: readonly SegmentEntry[]): string {
  const runs: unknown[][] = [];
  let run: unknown[] = [];
  for (const { kind, key, stored } of entries) {
    const revision = stored?.revision ?? 0;
    if (run[0] !== kind || run[1] !== revision) {
      run = [kind, revision];
      runs.push(run);
    }
    run.push(key);
    if (stored !== undefined) run.push(stored.createdRevision);
  }
  return JSON.stringify(runs);
}

/** undefined: it is no such list. */
export function toHeads(runs: readonly unknown[]): readonly EntryHead[] | undefined {
  const heads: EntryHead[] = [];
  for (const run of runs) {
    if (!Array.isArray(run) || !isKind(run[0]) || !Number.isSafeInteger(run[1])) return undefined;
    const [kind, revision] = run;
    const step = revision === 0 ? 1 : 2;
    if (run.length % step !== 0) return undefined;
    for (let i = 2; i < run.length; i += step) {
      const [key, createdRevision]: unknown[] = [run[i], revision === 0 ? 0 : run[i + 1]];
      if (typeof key !== 'string' || !Number.isSafeInteger(createdRevision)) return undefined;
      heads.push(revision === 0 ? [kind, key] : [kind, key, Number(createdRevision), revision]);
    }
  }
  return heads;
}

/** Of form 1, in which each head stands as it is. */
export function isHead(head: unknown): head is EntryHead {
  if (!Array.isArray(head) || (head.length !== 2 && head.length !== 4)) return false;
  return (
    isKind(head[0]) &&
    typeof head[1] === 'string' &&
    (head.length === 2 || (Number.isSafeInteger(head[2]) && Number.isSafeInteger(head[3])))
  );
}

function isKind(kind: unknown): kind is Kind {
  return (OBSERVED_KINDS as readonly unknown[]).includes(kind);
}
