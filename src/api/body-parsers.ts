import { ApiError } from './api-error.ts';
import { parseJsonBody } from './json-body.ts';
import type { ApiServer } from './routes/route-schema.ts';

const JSON_TYPE = 'application/json';
/** https://www.rfc-editor.org/rfc/rfc7396#section-4 */
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** The one type of body that a method takes, so that nobody takes a patch for a document. */
export function addBodyParsers(app: ApiServer): void {
  app.removeAllContentTypeParsers();
  for (const type of [JSON_TYPE, MERGE_PATCH_TYPE])
    app.addContentTypeParser(
      type,
      { parseAs: 'string' },
      async (request: { readonly url: string; readonly method: string }, body: string) => {
        const wanted = request.method === 'PATCH' ? MERGE_PATCH_TYPE : JSON_TYPE;
        if (type !== wanted)
          throw new ApiError('media-type', `${request.method} takes no ${type}`, {
            hint: `Send Content-Type: ${wanted}.`,
          });
        return parseJsonBody(body, request.url.startsWith('/v1/pullsecrets'));
      },
    );
}
