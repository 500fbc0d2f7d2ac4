import { createHash } from 'node:crypto';
import { toCanonicalJson } from './plugin-spec.ts';

/** Attaché itself, as the actor of what nobody asked for at that moment. */
export const ATTACHE_ACTOR = 'attache';
/** Whoever it was, as the actor of what was refused: no good token came. */
export const NOBODY = 'unknown';
/** The actors of refusals that were too many to tell apart. */
export const SEVERAL = 'several';

/** done: it was changed. held-back: asked for, and not done, because it failed before. denied: refused with `code`. */
export type AuditResult = 'done' | 'held-back' | 'denied';

/** What a stage says of a change, a refused change or a decision; the store makes an AuditEntry of it. */
export interface AuditDraft {
  /** ISO 8601, UTC, with milliseconds. */
  readonly time: string;
  /** Who: a person or token as history names it, or ATTACHE_ACTOR. */
  readonly actor: string;
  /** Of a decision: the person whose change or verb led to it. */
  readonly behalf?: string;
  /** The peer's IP address; absent: it came from inside. */
  readonly address?: string;
  readonly requestId?: string;
  /** `plugin.configured`, `rollout.pause`, `rollout.rolled-back`; of what was denied the method and route. */
  readonly action: string;
  /** Which: `default/auth`, a rollout's id, a node.id, a path. */
  readonly subject: string;
  readonly result: AuditResult;
  /** Of what was denied: the code of docs/errors.md. */
  readonly code?: string;
  /** The person's own words (`-m`). */
  readonly reason?: string;
  /** One sentence on what happened. */
  readonly text: string;
  /** This stands for so many equal denials; absent: for one. */
  readonly count?: number;
}

/** One line of the audit, as it is stored, answered and exported. Appended, and never changed. */
export interface AuditEntry extends AuditDraft {
  readonly kind: 'AuditEntry';
  /** 1, 2, 3 … without a gap. */
  readonly number: number;
  /** Store revision of the transaction that it is part of: what else it wrote stands in `changes`. */
  readonly revision: number;
  /** The records that the transaction changed; of several entries of one transaction the first has them. */
  readonly changes: readonly AuditChange[];
  /** `hash` of the entry before; of the first one 64 zeros. */
  readonly previous: string;
  /** See hashEntry. */
  readonly hash: string;
}

/** A record before and after. Equal digests of one store: equal records. */
export interface AuditChange {
  readonly record: string;
  readonly key: string;
  /**
   * HMAC-SHA256 of the record's canonical JSON (of the nodes of a rollout: of its JSON as stored), in hex, keyed by
   * the store; null: it was not there.
   */
  readonly before: string | null;
  readonly after: string | null;
  /** What differs, of kinds that hold no secrets: the first MAX_AUDIT_FIELDS. */
  readonly fields?: readonly AuditField[];
  /** How many more differ. */
  readonly moreFields?: number;
}

/** A difference. Without `before` and `after`: it may hold a secret, so that only its place is told. */
export interface AuditField {
  /** JSON pointer (RFC 6901), cut after MAX_AUDIT_POINTER characters. */
  readonly pointer: string;
  /** JSON text, cut after MAX_AUDIT_VALUE characters; absent: it was not there. */
  readonly before?: string;
  readonly after?: string;
}

/** The newest entry, kept apart: with it a tail that was cut off is noticed. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
}

export const MAX_AUDIT_FIELDS = 20;
export const MAX_AUDIT_VALUE = 200;
export const MAX_AUDIT_POINTER = 500;

/** What the first entry has as `previous`. */
export const NO_ENTRY_HASH = '0'.repeat(64);

/** The entry of what Attaché decided by itself; `at` in ms. `behalf`: whose change led to it, where there is one. */
export function toDecision(
  at: number,
  {
    behalf,
    ...of
  }: Pick<AuditDraft, 'action' | 'subject' | 'text'> & {
    readonly behalf: string | undefined;
    readonly result?: AuditResult;
  },
): AuditDraft {
  const time = new Date(at).toISOString();
  return { time, actor: ATTACHE_ACTOR, ...(behalf === undefined ? {} : { behalf }), result: 'done', ...of };
}

/** sha256, in hex, of the entry's canonical JSON (keys sorted, no white space) without `hash`. */
export function hashEntry(entry: Omit<AuditEntry, 'hash'>): string {
  const { hash: _own, ...rest } = entry as AuditEntry;
  return createHash('sha256').update(toCanonicalJson(rest)).digest('hex');
}
