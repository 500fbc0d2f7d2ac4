import { ApplyResult, Next, Nullable, Time } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** See WEBHOOK_EVENTS. */
const EventWord = Type.Union([
  Type.Literal('started'),
  Type.Literal('paused'),
  Type.Literal('succeeded'),
  Type.Literal('rolled-back'),
  Type.Literal('rollback-incomplete'),
  Type.Literal('aborted'),
  Type.Literal('not-started'),
]);
const PREFIX_TEXT = 'only plugins whose namespace/name begins so, e.g. edge/ or edge/auth';

/** Who is told what rollouts come to. Its key and the path of its URL are answered nowhere. */
export const WebhookView = Type.Object({
  kind: Type.Literal('Webhook'),
  name: Type.String(),
  resourceVersion: Type.String({ description: 'also the ETag; send it back in If-Match' }),
  url: Type.String({ description: 'without its path, which is a password with many receivers' }),
  events: Type.Array(EventWord),
  plugins: Nullable(Type.String({ description: PREFIX_TEXT })),
  createdBy: Type.String(),
  createdAt: Time,
  status: Type.Object({
    lastSuccess: Nullable(Type.Object({ at: Time, status: Type.Integer(), about: Type.String() })),
    lastFailure: Nullable(Type.Object({ at: Time, text: Type.String(), about: Type.String() })),
    tries: Type.Integer({ description: 'of the message under way, all failed; 0: none is' }),
    lost: Type.Integer({ description: 'messages that were given up' }),
  }),
});
export type WebhookView = Static<typeof WebhookView>;

export const WebhookList = Type.Object({
  kind: Type.Literal('WebhookList'),
  items: Type.Array(WebhookView, { description: 'by name' }),
  next: Next,
});
export type WebhookList = Static<typeof WebhookList>;

/** The answer to a PUT. */
export const WebhookApplyAnswer = Type.Intersect([
  WebhookView,
  Type.Object({
    result: ApplyResult,
    secret: Nullable(
      Type.String({
        description:
          'What messages are signed with: of a new webhook, this once; null: it stays as it is, or it is a dry run',
      }),
    ),
    dryRun: Type.Boolean(),
  }),
]);
export type WebhookApplyAnswer = Static<typeof WebhookApplyAnswer>;

export const WebhookRemoved = Type.Object({
  kind: Type.Literal('WebhookRemoved'),
  name: Type.String(),
  dryRun: Type.Boolean(),
  text: Type.String({ description: 'One sentence for a person' }),
});
export type WebhookRemoved = Static<typeof WebhookRemoved>;

/** What became of one message that was sent as a test. */
export const WebhookTested = Type.Object({
  kind: Type.Literal('WebhookTested'),
  name: Type.String(),
  delivered: Type.Boolean(),
  dryRun: Type.Boolean(),
  text: Type.String(),
});
export type WebhookTested = Static<typeof WebhookTested>;

/** The body of a PUT. */
export const WebhookBody = Type.Object(
  {
    url: Type.String({ maxLength: 2048, description: 'https://…; where messages are posted' }),
    events: Type.Optional(
      Type.Array(EventWord, { minItems: 1, uniqueItems: true, description: 'default: all' }),
    ),
    plugins: Type.Optional(Type.String({ maxLength: 320, description: PREFIX_TEXT })),
  },
  { additionalProperties: false },
);
export type WebhookBody = Static<typeof WebhookBody>;
