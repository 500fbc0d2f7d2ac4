import { toEventSight, toSeeEvents } from '../access/event-sight.ts';
import { type ApiContext, readNow, withCaller } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { EventFeed } from '../event-feed.ts';
import { readEventHistory } from '../event-history.ts';
import { matchesFilter } from '../event-item.ts';
import { parseSince } from '../event-since.ts';
import { openEventStream } from '../event-stream.ts';
import { type ListOrder, PAGE_QUERY, takePage } from '../page.ts';
import type { EventView } from '../schema/event-view.ts';
import { Type } from '../schema/type.ts';
import { type ApiServer, answers } from './route-schema.ts';

const EventQuery = Type.Object(
  {
    ...PAGE_QUERY,
    since: Type.Optional(
      Type.String({ description: 'from then on: 2h, an RFC 3339 time, or after the event with this id' }),
    ),
    plugin: Type.Optional(Type.String({ description: '<namespace>/<name>' })),
    node: Type.Optional(Type.String()),
    type: Type.Optional(Type.String({ description: 'what the type begins with, e.g. rollout' })),
  },
  { additionalProperties: false },
);

const NEWEST_FIRST: ListOrder<EventView> = { keyOf: ({ id }) => id, order: 'falling' };

/** Streams that may be open at once; each holds a connection. */
const MAX_STREAMS = 500;
const EVENT_STREAM = 'text/event-stream';
const STREAM_TEXT =
  'Server-sent events: `event` (an Event), `rollout` (a RolloutUpdated), `bookmark`, `reset`, `end` ' +
  '(EventBookmark, EventReset, EventEnd). Resumed by Last-Event-ID or ?since=.';

/** `/v1/events`: what happened, as a list, or as a stream where `Accept` asks for one. */
export function addEventRoutes(app: ApiServer, context: ApiContext): void {
  const { store, clock, log } = context;
  const feed = new EventFeed(store, log);
  // Open streams would keep the server from closing.
  app.addHook('preClose', () => feed.stop());
  const { default: problem } = answers({});
  const response = {
    200: {
      description: 'a list, newest first; or a stream',
      content: {
        'application/json': { schema: Type.Ref('EventList#') },
        [EVENT_STREAM]: { schema: Type.String({ description: STREAM_TEXT }) },
      },
    },
    default: problem,
  };
  app.get(
    '/v1/events',
    { schema: { tags: ['events'], querystring: EventQuery, response } },
    async (request, reply) => {
      const { limit: _limit, cursor: _cursor, since, ...filter } = request.query;
      const asked = since === undefined ? undefined : parseSince(since, clock.now());
      reply.header('vary', 'accept');
      // A HEAD would leave a stream that nobody reads.
      if (request.method === 'GET' && wantsStream(request.headers.accept)) {
        if (feed.readers >= MAX_STREAMS)
          throw new ApiError('too-many-requests', `${MAX_STREAMS} streams of events are open already`);
        const last = request.headers['last-event-id'];
        const position = typeof last === 'string' && last !== '' ? { after: last } : asked;
        const see = toSeeEvents(withCaller(context, request));
        const stream = await openEventStream({ store, feed, clock }, { filter, position, see });
        reply.headers({ 'cache-control': 'no-store', connection: 'close', 'x-accel-buffering': 'no' });
        return reply.type(`${EVENT_STREAM}; charset=utf-8`).send(stream);
      }
      const { items } = await readEventHistory(store, asked ?? { from: 0 });
      const sees = toEventSight(await readNow(context), request.caller);
      const matching = items
        .filter(item => matchesFilter(item, filter))
        .filter(sees)
        .map(({ view }) => view)
        .filter((view): view is EventView => view.kind === 'Event');
      return { kind: 'EventList', ...takePage(request, reply, clock, matching, NEWEST_FIRST) };
    },
  );
}

/** Whether the header names the type of streams, and does not refuse it. */
function wantsStream(accept: string | undefined): boolean {
  const parts = (accept ?? '').split(',').map(part => part.split(';').map(word => word.trim()));
  return parts.some(
    ([type, ...more]) =>
      type?.toLowerCase() === EVENT_STREAM && !more.some(word => /^q=0(\.0*)?$/.test(word)),
  );
}
