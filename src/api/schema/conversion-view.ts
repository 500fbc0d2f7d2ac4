import { JsonObjectSchema, Nullable } from './metadata.ts';
import { type Static, Type } from './type.ts';

/** What could not be carried over as it was. */
export const ConversionNoteView = Type.Object({
  level: Type.Union([Type.Literal('note'), Type.Literal('warning'), Type.Literal('error')], {
    description:
      'note: left out, and nothing changes by that. warning: the plugin may behave differently. error: no plugin is made',
  }),
  code: Nullable(Type.String({ description: 'of errors only; listed in docs/errors.md' })),
  pointer: Type.String({ description: 'RFC 6901 JSON pointer into the source document' }),
  message: Type.String(),
  hint: Nullable(Type.String()),
});

/** What became of one document. */
export const ConversionView = Type.Object({
  source: Type.Integer({ description: 'place in the list of documents that were sent, from 0' }),
  pointer: Type.String({ description: 'empty, or `/items/3` of a List' }),
  title: Type.String({ description: '`EnvoyFilter shop/auth`' }),
  plugins: Type.Array(
    Type.Object({
      document: JsonObjectSchema,
      pointer: Type.String({ description: 'what of the source document it was made of' }),
    }),
    { description: 'documents for PUT /v1/plugins/{namespace}/{name}' },
  ),
  notes: Type.Array(ConversionNoteView),
});
export type ConversionView = Static<typeof ConversionView>;

/** The answer to POST /v1/convert. */
export const ConversionList = Type.Object({
  kind: Type.Literal('ConversionList'),
  items: Type.Array(ConversionView, { description: 'in the order of the documents' }),
});
export type ConversionList = Static<typeof ConversionList>;
