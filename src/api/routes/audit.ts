import { Readable } from 'node:stream';
import type { AuditEntry, AuditHead } from '../../model/audit.ts';
import type { ApiContext } from '../api-context.ts';
import { parseMoment } from '../event-since.ts';
import { type ListOrder, PAGE_QUERY, readPageStart, takePage } from '../page.ts';
import { type AuditFilter, readNewest, readOldest, verifyAudit } from '../read-audit.ts';
import { Type } from '../schema/type.ts';
import { type ApiServer, answers } from './route-schema.ts';

const AuditQuery = Type.Object(
  {
    since: Type.Optional(Type.String({ description: 'from then on: 2h, or an RFC 3339 time' })),
    until: Type.Optional(Type.String({ description: 'up to then: 2h (ago), or an RFC 3339 time' })),
    actor: Type.Optional(Type.String({ description: 'who did it, or on whose behalf it was done' })),
    subject: Type.Optional(
      Type.String({ description: 'what it is about; of a plugin its rollouts as well' }),
    ),
    action: Type.Optional(Type.String({ description: 'what the action begins with, e.g. rollout' })),
    result: Type.Optional(
      Type.Union([Type.Literal('done'), Type.Literal('held-back'), Type.Literal('denied')]),
    ),
    format: Type.Optional(
      Type.Literal('jsonl', { description: 'all of it as JSON lines, oldest first, without pages' }),
    ),
    ...PAGE_QUERY,
  },
  { additionalProperties: false },
);

const VerifyQuery = Type.Object(
  {
    known: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,11}:[0-9a-f]{64}$',
        description: '`NUMBER:HASH` of an entry, kept elsewhere',
      }),
    ),
  },
  { additionalProperties: false },
);

const DEFAULT_LIMIT = 100;
const JSON_LINES = 'application/jsonl';
const LINES = /^application\/(jsonl|x-ndjson|jsonlines)$/;
const NEWEST_FIRST: ListOrder<AuditEntry> = {
  keyOf: ({ number }) => String(number).padStart(12, '0'),
  order: 'falling',
};

/** `/v1/audit`: every change, every change that was refused, and every decision; and whether the chain of them holds. */
export function addAuditRoutes(app: ApiServer, { store, clock }: ApiContext): void {
  const { default: problem } = answers({});
  const response = {
    200: {
      description: 'a list, newest first; or JSON lines, oldest first',
      content: {
        'application/json': { schema: Type.Ref('AuditList#') },
        [JSON_LINES]: { schema: Type.String({ description: 'one AuditEntry a line' }) },
      },
    },
    default: problem,
  };
  app.get(
    '/v1/audit',
    { schema: { tags: ['audit'], querystring: AuditQuery, response } },
    async (request, reply) => {
      const { limit = DEFAULT_LIMIT, format, cursor: _page, since, until, ...rest } = request.query;
      const now = clock.now();
      const filter: AuditFilter = {
        ...rest,
        ...(since === undefined ? {} : { since: parseMoment('since', since, now) }),
        ...(until === undefined ? {} : { until: parseMoment('until', until, now) }),
      };
      reply.header('vary', 'accept');
      if (format === 'jsonl' || wantsLines(request.headers.accept)) {
        reply.header('cache-control', 'no-store');
        return reply.type(JSON_LINES).send(Readable.from(toLines(readOldest(store, filter))));
      }
      const start = readPageStart(request, clock);
      const before = start === undefined ? undefined : Number(start);
      const found = await readNewest(store, filter, { before, count: limit + 1 });
      return { kind: 'AuditList', ...takePage(request, reply, clock, found, NEWEST_FIRST) };
    },
  );
  app.get(
    '/v1/audit/verification',
    {
      schema: {
        tags: ['audit'],
        querystring: VerifyQuery,
        response: answers({ 200: 'AuditVerification' }),
      },
    },
    async request => {
      const { head, broken = null } = await verifyAudit(store, parseKnown(request.query.known));
      return { kind: 'AuditVerification', intact: broken === null, head, broken };
    },
  );
}

function wantsLines(accept = ''): boolean {
  return accept.split(',').some(part => LINES.test(part.split(';')[0]?.trim() ?? ''));
}

async function* toLines(entries: AsyncIterable<AuditEntry>): AsyncGenerator<string> {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}

/** The schema let it through: it has both parts. */
function parseKnown(text: string | undefined): AuditHead | undefined {
  const [number, hash] = text?.split(':') ?? [];
  return number === undefined || hash === undefined ? undefined : { number: Number(number), hash };
}
