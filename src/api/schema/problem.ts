import { type Static, Type } from './type.ts';

/** One fault of the document that was sent. */
export const ProblemFault = Type.Object({
  pointer: Type.String({ description: 'RFC 6901 JSON pointer into the document, e.g. /spec/pluginConf' }),
  message: Type.String(),
  hint: Type.Optional(Type.String()),
});

/** The body of every answer that is not 2xx: `application/problem+json`, RFC 9457. */
export const Problem = Type.Object({
  type: Type.String({ description: 'docs/errors.md#<code>' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
  code: Type.String({ description: 'Stable; listed in docs/errors.md' }),
  hint: Type.Optional(Type.String()),
  requestId: Type.String(),
  errors: Type.Array(ProblemFault),
});
export type Problem = Static<typeof Problem>;
