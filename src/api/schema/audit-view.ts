import { Next, Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });

const AuditFieldView = Type.Object({
  pointer: Type.String({ description: 'RFC 6901; without before and after: it may hold a secret' }),
  before: Type.Optional(Type.String({ description: 'JSON text, cut after 200 characters' })),
  after: Type.Optional(Type.String()),
});

const AuditChangeView = Type.Object({
  record: Type.String(),
  key: Type.String(),
  before: Nullable(Type.String({ description: 'keyed digest of the record; null: it was not there' })),
  after: Nullable(Type.String()),
  fields: Type.Optional(Type.Array(AuditFieldView)),
  moreFields: Type.Optional(Type.Integer()),
});

/** One line of the audit, exactly as it is hashed: docs/audit.md. */
export const AuditEntryView = Type.Object({
  kind: Type.Literal('AuditEntry'),
  number: Type.Integer({ minimum: 1 }),
  time: Time,
  actor: Type.String({ description: 'a person or token; attache: decided by itself' }),
  behalf: Type.Optional(Type.String({ description: 'of a decision: whose change led to it' })),
  address: Type.Optional(Type.String()),
  requestId: Type.Optional(Type.String()),
  action: Type.String(),
  subject: Type.String(),
  result: Type.Union([Type.Literal('done'), Type.Literal('held-back'), Type.Literal('denied')]),
  code: Type.Optional(Type.String({ description: 'of what was denied: see docs/errors.md' })),
  reason: Type.Optional(Type.String({ description: "the person's own words" })),
  text: Type.String(),
  count: Type.Optional(Type.Integer({ description: 'stands for so many equal ones' })),
  revision: Type.Integer(),
  changes: Type.Array(AuditChangeView),
  previous: Hash,
  hash: Hash,
});
export type AuditEntryView = Static<typeof AuditEntryView>;

export const AuditList = Type.Object({
  kind: Type.Literal('AuditList'),
  items: Type.Array(AuditEntryView, { description: 'newest first' }),
  next: Next,
});
export type AuditList = Static<typeof AuditList>;

/** Whether the chain is as it was appended. */
export const AuditVerification = Type.Object({
  kind: Type.Literal('AuditVerification'),
  intact: Type.Boolean(),
  /** The last entry; its hash stands for all before it. number 0: there is none yet. */
  head: Type.Object({ number: Type.Integer(), hash: Hash }),
  /** The first entry that is not as it was appended. */
  broken: Nullable(
    Type.Object({
      number: Type.Integer(),
      fault: Type.Union([
        Type.Literal('changed'),
        Type.Literal('missing'),
        Type.Literal('unlinked'),
        Type.Literal('cut'),
      ]),
      text: Type.String(),
    }),
  ),
});
export type AuditVerification = Static<typeof AuditVerification>;
