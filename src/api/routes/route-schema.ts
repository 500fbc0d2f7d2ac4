import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import { PAGE_QUERY } from '../page.ts';
import type { Preconditions } from '../preconditions.ts';
import type { SchemaName } from '../schema/schemas.ts';
import { type TSchema, Type } from '../schema/type.ts';

/** Fastify with request types taken from the schemas. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export const NamespacedParams = Type.Object({ namespace: Type.String(), name: Type.String() });

/** The query of a write. */
export const WriteQuery = Type.Object(
  {
    dryRun: Type.Optional(Type.Boolean({ description: 'validate and answer as if, and store nothing' })),
    message: Type.Optional(Type.String({ maxLength: 1024, description: 'why; kept in the history' })),
  },
  { additionalProperties: false },
);

/** The conditions of a change. https://www.rfc-editor.org/rfc/rfc9110#section-13.1 */
export const WriteHeaders = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'only while it is at this version: an ETag, or *' })),
  'if-none-match': Type.Optional(Type.String({ description: '*: only if it does not exist' })),
});

/** The query of a change that says why in its body. */
export const DryRunQuery = Type.Object(
  { dryRun: WriteQuery.properties.dryRun },
  { additionalProperties: false },
);

/** Text that is looked for in names. */
export const Q = Type.Optional(
  Type.String({ maxLength: 256, description: 'only those whose name holds this' }),
);

/** The query of a list of things with a namespace. */
export const NamedListQuery = Type.Object(
  { namespace: Type.Optional(Type.String({ description: 'only this one' })), q: Q, ...PAGE_QUERY },
  { additionalProperties: false },
);

/** The query of a list without filters. */
export const ListQuery = Type.Object(PAGE_QUERY, { additionalProperties: false });

/** A body that is checked by its own parser, which says where and why. */
export const DocumentBody = Type.Object({}, { additionalProperties: true });

/** The body of a verb, which needs none. */
export function orNothing<T extends TSchema>(schema: T) {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

/** The answers of a route: named schemas by status; whatever else is answered is a Problem. */
export function answers(by: Readonly<Record<number, SchemaName>>): Record<string, TSchema> {
  const named = Object.entries(by).map(([status, name]) => [status, Type.Ref(`${name}#`)] as const);
  return { ...Object.fromEntries(named), default: Type.Ref('Problem#') };
}

/** Throws what was found wrong with a request, but for the part that is checked elsewhere, which says where and why. */
export function refuseWrong(
  error: { readonly validationContext?: string } | undefined,
  elsewhere: 'body',
): void {
  if (error !== undefined && error.validationContext !== elsewhere) throw error;
}

/** The conditional headers of a request. */
export function toPreconditions(headers: IncomingMessage['headers']): Preconditions {
  return { ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] };
}

/** 201 for a document that is stored for the first time. */
export function toAppliedStatus({ result }: { readonly result: string }, dryRun: boolean): 200 | 201 {
  return result === 'created' && !dryRun ? 201 : 200;
}

/** 202 while nodes still have to let go of what was deleted. */
export function toDeletedStatus({
  nodes,
  dryRun,
}: {
  readonly nodes: number;
  readonly dryRun: boolean;
}): 200 | 202 {
  return nodes > 0 && !dryRun ? 202 : 200;
}
