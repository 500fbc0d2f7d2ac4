import type { Conversion } from '../../model/convert/conversion.ts';
import { convertDocuments } from '../../model/convert/convert-documents.ts';
import { ApiError } from '../api-error.ts';
import { isObject } from '../read-document.ts';
import type { ConversionView } from '../schema/conversion-view.ts';
import { Type } from '../schema/type.ts';
import { type ApiServer, answers, refuseWrong } from './route-schema.ts';

const MOST_DOCUMENTS = 500;

const ConvertQuery = Type.Object(
  { namespace: Type.Optional(Type.String({ maxLength: 63, description: 'of documents that name none' })) },
  { additionalProperties: false },
);
const ConvertBody = Type.Union([
  Type.Object({}, { additionalProperties: true, description: 'a document, or {documents: […]}' }),
  Type.Array(Type.Unknown(), { description: 'documents that belong together' }),
]);

/** `/v1/convert`: documents of other control planes as plugins. Nothing is stored. */
export function addConvertRoutes(app: ApiServer): void {
  app.post(
    '/v1/convert',
    {
      schema: {
        tags: ['plans'],
        querystring: ConvertQuery,
        body: ConvertBody,
        response: answers({ 200: 'ConversionList' }),
      },
      attachValidation: true,
    },
    async request => {
      refuseWrong(request.validationError, 'body');
      const { namespace } = request.query;
      const documents = readDocuments(request.body);
      const found = convertDocuments(documents, namespace === undefined ? {} : { namespace });
      return { kind: 'ConversionList', items: found.map(toConversionView) };
    },
  );
}

function readDocuments(body: unknown): readonly unknown[] {
  const documents = isObject(body) && Array.isArray(body.documents) ? body.documents : body;
  const list: readonly unknown[] = Array.isArray(documents) ? documents : [documents];
  if (list.length > MOST_DOCUMENTS)
    throw new ApiError('bad-request', `${list.length} documents, and at most ${MOST_DOCUMENTS} at a time`);
  return list;
}

function toConversionView({ plugins, notes, ...rest }: Conversion): ConversionView {
  return {
    ...rest,
    plugins: plugins.map(({ document, pointer }) => ({ document: { ...document }, pointer })),
    notes: notes.map(({ level, code = null, pointer, message, hint = null }) => ({
      level,
      code,
      pointer,
      message,
      hint,
    })),
  };
}
