import { Readable } from 'node:stream';
import type { ApiContext } from '../api-context.ts';
import { type CallContext, withCaller } from '../api-context.ts';
import { commit } from '../commit.ts';
import { Type } from '../schema/type.ts';
import { type ApiServer, answers } from './route-schema.ts';

const BackupQuery = Type.Object(
  {
    keys: Type.Optional(
      Type.Boolean({
        description: 'whether files of the data directory that hold keys are in it',
        default: true,
      }),
    ),
  },
  { additionalProperties: false },
);
const TAR = 'application/x-tar';
const TEXT =
  'a tar archive of the data directory as of one moment; attache restore reads it. It holds secrets.';

/** `/v1/backup`: all that the server keeps, for whoever may do everything. */
export function addBackupRoute(app: ApiServer, context: ApiContext): void {
  const response = {
    200: { description: TEXT, content: { [TAR]: { schema: Type.String({ format: 'binary' }) } } },
    default: answers({}).default,
  };
  app.get(
    '/v1/backup',
    // A HEAD would make a copy of everything, and throw it away.
    { exposeHeadRoute: false, schema: { tags: ['server'], querystring: BackupQuery, response } },
    async (request, reply) => {
      const withoutKeys = request.query.keys === false;
      const backup = await context.takeBackup({ withoutKeys });
      const stream = Readable.from(backup.bytes, { objectMode: false });
      stream.once('close', () => void backup.close());
      try {
        await tell(withCaller(context, request), backup.manifest.revision, withoutKeys);
      } catch (error) {
        stream.destroy();
        throw error;
      }
      reply.headers({ 'content-length': backup.sizeBytes, 'cache-control': 'no-store' });
      return reply.type(TAR).send(stream);
    },
  );
}

function tell(context: CallContext, revision: number, withoutKeys: boolean): Promise<number> {
  const what = withoutKeys ? 'without keys' : 'with all secrets';
  return commit(
    context,
    {
      action: 'backup.taken',
      subject: `revision ${revision}`,
      reason: undefined,
      event: { message: `${context.caller.who} took a backup of revision ${revision}, ${what}` },
    },
    [],
  );
}
