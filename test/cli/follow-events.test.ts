import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../../src/cli/cli-error.ts';
import type { ServerSentEvent } from '../../src/cli/event-stream.ts';
import { followEvents } from '../../src/cli/follow-events.ts';

type Connection = readonly (ServerSentEvent | Error)[];

function event(id: string): ServerSentEvent {
  return { id, type: 'event', data: JSON.stringify({ kind: 'Event', id, message: id }) };
}

/** A server that gives each connection its part; ends the follower after the last one. */
async function follow(connections: readonly Connection[]): Promise<{
  readonly seen: readonly string[];
  readonly asked: readonly string[];
}> {
  const stop = new AbortController();
  const asked: string[] = [];
  const client = {
    async *events(_path: string, lastId: string): AsyncGenerator<ServerSentEvent> {
      asked.push(lastId);
      const items = connections[asked.length - 1];
      if (items === undefined) return stop.abort();
      for (const item of items) {
        if (item instanceof Error) throw item;
        yield item;
      }
    },
  };
  const seen: string[] = [];
  for await (const moment of followEvents(client, '/v1/events', stop.signal, 0))
    seen.push(moment.kind === 'event' ? moment.event.id : moment.kind);
  return { seen, asked };
}

test('a stream that ends or breaks is taken up behind the last event that came', async () => {
  const gone = new CliError('unreachable', 'gone');
  const bookmark = { id: '3', type: 'bookmark', data: '{}' };
  const { seen, asked } = await follow([[event('1'), event('2'), gone], [gone], [bookmark], [event('4')]]);
  assert.deepEqual(seen, ['1', '2', 'lost', 'connected', 'moved', 'lost', 'connected', '4', 'lost']);
  assert.deepEqual(asked, ['', '2', '2', '3', '4']);
});

test('a part of history that is gone is said; a rollout that changed is no event, but news', async () => {
  const reset = { id: '1', type: 'reset', data: '{"message":"a part is gone"}' };
  const rollout = { id: '2', type: 'rollout', data: '{}' };
  assert.deepEqual((await follow([[reset, rollout, event('3')]])).seen, ['gap', 'moved', '3', 'lost']);
});

test('a server that is not there at first, or does not know the path, is an error', async () => {
  await assert.rejects(follow([[new CliError('unreachable', 'gone')]]), { code: 'unreachable' });
  await assert.rejects(follow([[event('1'), new TypeError('bad')]]), TypeError);
});
