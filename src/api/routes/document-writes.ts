import { type ApiContext, type CallContext, withCaller } from '../api-context.ts';
import type { ApplyRequest } from '../apply-plugin.ts';
import { toETag } from '../preconditions.ts';
import type { ApplyResult } from '../schema/metadata.ts';
import type { DeleteAnswer } from '../schema/plugin-view.ts';
import type { SchemaName } from '../schema/schemas.ts';
import type { Static } from '../schema/type.ts';
import {
  type ApiServer,
  answers,
  DocumentBody,
  NamespacedParams,
  refuseWrong,
  toAppliedStatus,
  toPreconditions,
  WriteHeaders,
  WriteQuery,
} from './route-schema.ts';

/** What is written of documents that are named by namespace and name, and take effect as soon as they are stored. */
export interface DocumentWrites {
  /** With `:namespace` and `:name`. */
  readonly path: string;
  readonly tags: readonly string[];
  readonly answer: SchemaName;
  apply(
    context: CallContext,
    request: ApplyRequest,
    body: Static<typeof DocumentBody>,
  ): Promise<{ readonly result: ApplyResult; readonly metadata: { readonly resourceVersion: string } }>;
  remove(context: CallContext, request: ApplyRequest): Promise<DeleteAnswer>;
}

/** PUT and DELETE of such documents. */
export function addDocumentWrites(
  app: ApiServer,
  context: ApiContext,
  { path, tags, answer: named, apply, remove }: DocumentWrites,
): void {
  const write = { tags, params: NamespacedParams, querystring: WriteQuery, headers: WriteHeaders };
  app.put(
    path,
    {
      schema: { ...write, body: DocumentBody, response: answers({ 200: named, 201: named }) },
      attachValidation: true,
    },
    async (request, reply) => {
      refuseWrong(request.validationError, 'body');
      const caller = withCaller(context, request);
      const { message } = request.query;
      const target = { ...request.params, ...toPreconditions(request.headers), message };
      const answer = await apply(caller, target, request.body);
      if (!caller.dryRun) reply.header('etag', toETag(Number(answer.metadata.resourceVersion)));
      return reply.code(toAppliedStatus(answer, caller.dryRun)).send(answer);
    },
  );
  app.delete(path, { schema: { ...write, response: answers({ 200: 'Deleted' }) } }, request => {
    const { message } = request.query;
    return remove(withCaller(context, request), {
      ...request.params,
      ...toPreconditions(request.headers),
      message,
    });
  });
}
