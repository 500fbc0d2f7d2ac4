import { Next, Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

export const RoleWord = Type.Union([
  Type.Literal('viewer'),
  Type.Literal('deployer'),
  Type.Literal('approver'),
  Type.Literal('admin'),
]);

const Labels = Type.Record(Type.String(), Type.String());
const PREFIX_TEXT = 'only plugins whose namespace/name begins so, e.g. edge/ or edge/auth';
const NODES_TEXT = 'only what reaches no node without these labels';

const shown = {
  name: Type.String(),
  prefix: Type.String({ description: 'what the token begins with, to tell tokens apart' }),
  role: RoleWord,
  plugins: Nullable(Type.String({ description: PREFIX_TEXT })),
  nodes: Nullable(Labels),
  createdBy: Type.String(),
  createdAt: Time,
  expiresAt: Nullable(Time),
  expired: Type.Boolean(),
  lastUsedAt: Nullable(Time),
};

/** A token of the API, without the token. */
export const TokenView = Type.Object({ kind: Type.Literal('Token'), ...shown });
export type TokenView = Static<typeof TokenView>;

export const TokenList = Type.Object({
  kind: Type.Literal('TokenList'),
  items: Type.Array(TokenView, { description: 'by name' }),
  next: Next,
});
export type TokenList = Static<typeof TokenList>;

/** The only answer with the token itself. */
export const TokenCreated = Type.Object({
  kind: Type.Literal('TokenCreated'),
  ...shown,
  token: Nullable(Type.String({ description: 'shown this once; null: of a dry run there is none' })),
  dryRun: Type.Boolean(),
});
export type TokenCreated = Static<typeof TokenCreated>;

export const TokenRevoked = Type.Object({
  kind: Type.Literal('TokenRevoked'),
  name: Type.String(),
  dryRun: Type.Boolean(),
  text: Type.String({ description: 'One sentence for a person' }),
});
export type TokenRevoked = Static<typeof TokenRevoked>;

/** The body of POST /v1/tokens. */
export const NewToken = Type.Object(
  {
    name: Type.String({ maxLength: 63, description: 'whom history names' }),
    role: RoleWord,
    plugins: Type.Optional(Type.String({ maxLength: 320, description: PREFIX_TEXT })),
    nodes: Type.Optional(
      Type.Record(Type.String({ maxLength: 253 }), Type.String({ maxLength: 253 }), {
        maxProperties: 16,
        description: NODES_TEXT,
      }),
    ),
    expires: Type.Optional(
      Type.String({ maxLength: 16, description: 'from now on, e.g. 90d; absent: never' }),
    ),
    message: Type.Optional(Type.String({ maxLength: 1024, description: 'why' })),
  },
  { additionalProperties: false },
);
export type NewToken = Static<typeof NewToken>;
