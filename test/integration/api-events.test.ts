import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Value } from 'typebox/value';
import { SCHEMAS } from '../../src/api/schema/schemas.ts';
import { EventStreamParser, type ServerSentEvent } from '../../src/cli/event-stream.ts';
import type { Clock } from '../../src/model/ports.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { eventKey, rolloutKey } from '../../src/store/record-kinds.ts';
import type { Operation } from '../../src/store/store.ts';
import { KEPT_EVENTS } from '../../src/store/trim-events.ts';
import { startApi, systemClock } from '../api/api-client.ts';
import { until } from '../harness/wait.ts';

const SCHEMA_OF = {
  event: SCHEMAS.Event,
  rollout: SCHEMAS.RolloutUpdated,
  bookmark: SCHEMAS.EventBookmark,
  reset: SCHEMAS.EventReset,
  end: SCHEMAS.EventEnd,
} as const;

/** Time goes on, but timers wait to be let go. */
function createHeldClock(): Clock & { fire(): void } {
  const timers = new Set<() => void>();
  return {
    now: () => Date.now(),
    after(_delayMs, callback) {
      timers.add(callback);
      return () => timers.delete(callback);
    },
    fire() {
      const due = [...timers];
      timers.clear();
      for (const callback of due) callback();
    },
  };
}

async function start(t: TestContext, clock: Clock = systemClock) {
  const store = createMemoryStore();
  const api = await startApi(store, { clock });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  let count = 0;
  const write = (type: string, more: { plugin?: string; node?: string; at?: number } = {}) => {
    const at = more.at ?? ++count;
    return store.put('Event', eventKey(at, String(count)), { type, message: `it is ${type}`, ...more, at });
  };
  const writeRollout = (over: Partial<Rollout>) => {
    const rollout = makeRollout(over);
    return store.put('Rollout', rolloutKey(rollout.plugin, rollout.number), rollout);
  };
  return { ...api, store, write, writeRollout };
}

function makeRollout(over: Partial<Rollout>): Rollout {
  const side = { revision: 1, placement: {}, format: 1 };
  return {
    id: 'default.auth.1',
    plugin: 'default/auth',
    number: 1,
    kind: 'update',
    from: side,
    to: { ...side, revision: 2 },
    specRevision: 1,
    strategy: {
      preset: 'fast',
      waves: [],
      bakeMs: 0,
      ackTimeoutMs: 1,
      progressDeadlineMs: 1,
      maxDisconnected: 0.2,
      gates: [],
      onFailure: 'rollback',
    },
    by: 'admin',
    phase: 'Progressing',
    since: 5,
    startedAt: 5,
    targets: 1,
    steps: [],
    step: 0,
    stage: 'Applying',
    timer: null,
    gates: [],
    ...over,
  };
}

interface Reader {
  readonly response: Response;
  readonly events: readonly ServerSentEvent[];
  /** Lines that are comments. */
  readonly comments: () => number;
  readonly ended: () => boolean;
  /** The data of everything of this name. */
  data(name: string): { readonly [field: string]: unknown }[];
  reach(name: string, count?: number): Promise<void>;
  leave(): void;
}

async function read(t: TestContext, url: string, headers: Record<string, string> = {}): Promise<Reader> {
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: leaving.signal,
  });
  const events: ServerSentEvent[] = [];
  let text = '';
  let ended = false;
  const parser = new EventStreamParser(headers['last-event-id']);
  const run = async (): Promise<void> => {
    for await (const chunk of response.body ?? []) {
      const part = new TextDecoder().decode(chunk);
      text += part;
      for (const event of parser.push(part)) {
        const schema = SCHEMA_OF[event.type as keyof typeof SCHEMA_OF];
        const faults = [...Value.Errors(schema, JSON.parse(event.data))];
        assert.deepEqual(faults, [], event.data);
        events.push(event);
      }
    }
  };
  const done = run()
    .catch(error => {
      if (!leaving.signal.aborted) throw error;
    })
    .finally(() => {
      ended = true;
    });
  t.after(() => done);
  const data = (name: string) =>
    events.filter(event => event.type === name).map(event => JSON.parse(event.data));
  return {
    response,
    events,
    comments: () => text.split('\n').filter(line => line.startsWith(':')).length,
    ended: () => ended,
    data,
    async reach(name, count = 1) {
      await until(() => data(name).length >= count, { what: `${count} ${name} of ${text}` });
    },
    leave: () => leaving.abort(),
  };
}

test('a stream begins with a bookmark and tells what happens from then on, rollouts too', async t => {
  const { url, write, writeRollout } = await start(t);
  await write('node.connected', { node: 'edge-1' });
  const reader = await read(t, `${url}/v1/events`);
  assert.equal(reader.response.status, 200);
  assert.match(reader.response.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(reader.response.headers.get('cache-control'), 'no-store');
  assert.ok(reader.response.headers.get('x-request-id'));
  await reader.reach('bookmark');
  assert.equal(reader.events.length, 1, 'what was before is not told unasked');
  await write('plugin.refused', { plugin: 'default/auth', node: 'edge-1' });
  await reader.reach('event');
  await writeRollout({ phase: 'RollingBack', reason: 'Refused', stage: 'Returning' });
  await reader.reach('rollout');
  assert.deepEqual(reader.data('event')[0]?.type, 'plugin.refused');
  const { id: _id, ...rollout } = reader.data('rollout')[0] ?? {};
  assert.deepEqual(rollout, {
    kind: 'RolloutUpdated',
    type: 'rollout.updated',
    rollout: 'default.auth.1',
    plugin: 'default/auth',
    phase: 'RollingBack',
    reason: 'Refused',
    since: '1970-01-01T00:00:00.005Z',
    step: 1,
    steps: 0,
    stage: 'Returning',
  });
  const ids = reader.events.map(event => event.id);
  assert.deepEqual(ids, ids.toSorted(), 'ids increase');
  assert.equal(new Set(ids).size, ids.length);
});

test('whoever comes back with the last id misses nothing and gets nothing twice', async t => {
  const { url, store, write, writeRollout } = await start(t);
  await write('a');
  // One transaction, several events: a reader may be cut off between them.
  const operations = ['b', 'c', 'd'].map(
    (type, i): Operation => ({
      op: 'put',
      kind: 'Event',
      key: eventKey(100 + i, 'x'),
      value: { type, at: 100 + i, message: type },
    }),
  );
  await store.transaction(operations);
  const first = await read(t, `${url}/v1/events?since=1h`);
  await first.reach('bookmark');
  assert.deepEqual(first.data('event'), [], 'all of it is older than an hour');
  const all = await read(t, `${url}/v1/events?since=1970-01-01`);
  await all.reach('bookmark');
  const types = all.data('event').map(event => event.type);
  assert.deepEqual(types, ['a', 'b', 'c', 'd']);
  await writeRollout({ step: 0 });
  await write('e');
  await writeRollout({ step: 1 });
  for (const [i, event] of all.events.slice(0, 4).entries())
    for (const again of [
      await read(t, `${url}/v1/events`, { 'last-event-id': event.id }),
      await read(t, `${url}/v1/events?since=${event.id}`),
      await read(t, `${url}/v1/events?since=0s`, { 'last-event-id': event.id }),
    ]) {
      await again.reach('bookmark');
      assert.deepEqual(
        again.data('event').map(one => one.type),
        ['a', 'b', 'c', 'd', 'e'].slice(i + 1),
      );
      assert.deepEqual(
        again.data('rollout').map(one => one.step),
        [2],
        'of a rollout the newest state',
      );
      assert.deepEqual(again.data('reset'), []);
      again.leave();
    }
});

test('filters choose by plugin, node and the beginning of the type', async t => {
  const { url, write, writeRollout } = await start(t);
  await write('plugin.refused', { plugin: 'default/auth', node: 'edge-1' });
  await write('plugin.configured', { plugin: 'default/other' });
  await write('node.connected', { node: 'edge-1' });
  await writeRollout({});
  const typesOf = async (query: string): Promise<unknown[]> => {
    const reader = await read(t, `${url}/v1/events?since=1970-01-01&${query}`);
    await reader.reach('bookmark');
    reader.leave();
    return [...reader.data('event'), ...reader.data('rollout')].map(event => event.type);
  };
  assert.deepEqual(await typesOf('plugin=default/auth'), ['plugin.refused', 'rollout.updated']);
  assert.deepEqual(await typesOf('node=edge-1'), ['plugin.refused', 'node.connected']);
  assert.deepEqual(await typesOf('type=plugin.'), ['plugin.refused', 'plugin.configured']);
  assert.deepEqual(await typesOf('type=rollout'), ['rollout.updated']);
});

test('silence is a comment every 15 s; a bookmark where a filter left something out', async t => {
  const clock = createHeldClock();
  const { url, write } = await start(t, clock);
  const reader = await read(t, `${url}/v1/events?type=plugin.`);
  await reader.reach('bookmark');
  await until(
    () => {
      clock.fire();
      return reader.comments() > 0;
    },
    { what: 'a heartbeat' },
  );
  const revision = await write('node.connected');
  await until(
    () => {
      clock.fire();
      return reader.data('bookmark').length > 1;
    },
    { what: 'a bookmark' },
  );
  assert.ok(reader.events.at(-1)?.id.startsWith(String(revision).padStart(12, '0')));
});

test('when the history asked for is gone, a reset comes first and then what is left', async t => {
  const { url, store } = await start(t);
  const event = (at: number): Operation => ({
    op: 'put',
    kind: 'Event',
    key: eventKey(at, 'x'),
    value: { type: 'n', at, message: '' },
  });
  await store.transaction([event(1)]);
  const early = await read(t, `${url}/v1/events?since=1970-01-01`);
  await early.reach('event');
  const { id } = early.events[0] ?? { id: '' };
  await store.transaction(Array.from({ length: KEPT_EVENTS - 1 }, (_, i) => event(i + 2)));
  const whole = await read(t, `${url}/v1/events?type=none`, { 'last-event-id': id });
  await whole.reach('bookmark');
  assert.deepEqual(whole.data('reset'), [], 'nothing is gone yet');
  await store.transaction([event(KEPT_EVENTS + 1)]);
  await store.delete('Event', eventKey(1, 'x'));
  const late = await read(t, `${url}/v1/events`, { 'last-event-id': id.replace(/^\d{12}/, '000000000000') });
  await late.reach('bookmark');
  assert.equal(late.events[0]?.type, 'reset');
  assert.equal(late.data('event').length, KEPT_EVENTS);
  const foreign = await read(t, `${url}/v1/events?type=none`, { 'last-event-id': '999999999999-~' });
  await foreign.reach('bookmark');
  assert.equal(foreign.events[0]?.type, 'reset');
});

test('a reader who does not read is cut off with an end after what it was sent, and resumes', async t => {
  const { url, store, write } = await start(t);
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  socket.write(`GET /v1/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\naccept: text/event-stream\r\n\r\n`);
  let text = '';
  const onData = (part: Buffer): void => {
    text += part.toString();
  };
  socket.on('data', onData);
  await until(() => text.includes('bookmark'), { what: 'the stream' });
  socket.off('data', onData);
  socket.pause();
  // Far more than buffers between the two can hold.
  const message = 'x'.repeat(4_000);
  for (let i = 0; i < 120; i++)
    await store.transaction(
      Array.from({ length: 100 }, (_, k): Operation => {
        const at = 1_000 + i * 100 + k;
        return { op: 'put', kind: 'Event', key: eventKey(at, 'x'), value: { type: 'n', at, message } };
      }),
    );
  socket.on('data', onData);
  socket.resume();
  await until(() => text.includes('event: end'), { what: 'the end' });
  assert.match(text, /"reason":"slow"/);
  const ids = [...text.matchAll(/^id: (.*)$/gm)].map(match => match[1] ?? '');
  assert.deepEqual(ids, ids.toSorted());
  await write('last', { at: 100_000 });
  const again = await read(t, `${url}/v1/events`, { 'last-event-id': ids.at(-1) ?? '' });
  await again.reach('bookmark');
  const told = ids.length - 1;
  assert.equal(again.data('event').length, 12_000 - told + 1);
});

test('streams end when the server stops, and tell so', async t => {
  const { url, stop } = await start(t);
  const reader = await read(t, `${url}/v1/events`);
  await reader.reach('bookmark');
  await stop();
  await until(reader.ended, { what: 'the end of the stream' });
  assert.deepEqual(
    reader.data('end').map(end => end.reason),
    ['stopping'],
  );
});

test('the list has the newest first, pages, and knows since', async t => {
  const { call, write, url } = await start(t);
  for (const type of ['a', 'b', 'c', 'd', 'e']) await write(type);
  await write('recent', { at: Date.now() });
  const page = await call('GET', '/v1/events?limit=4');
  assert.deepEqual(
    page.body.items.map((event: { type: string }) => event.type),
    ['recent', 'e', 'd', 'c'],
  );
  const rest = await call('GET', `/v1/events?limit=4&cursor=${page.body.next}`);
  assert.deepEqual(
    rest.body.items.map((event: { type: string }) => event.type),
    ['b', 'a'],
  );
  assert.equal(rest.body.next, null);
  assert.equal((await call('GET', '/v1/events?since=1h')).body.items.length, 1);
  assert.equal((await call('GET', `/v1/events?since=${rest.body.items[0].id}`)).body.items.length, 4);
  assert.equal((await call('GET', '/v1/events?since=soon')).body.code, 'bad-query');
  assert.equal((await call('GET', '/v1/events?cursor=5')).body.code, 'bad-query');
  const head = await fetch(`${url}/v1/events`, { method: 'HEAD', headers: { accept: 'text/event-stream' } });
  assert.equal(head.status, 200);
});

test('what a stream holds is in the OpenAPI document', async t => {
  const { call } = await start(t);
  const { body } = await call('GET', '/openapi.json');
  const { content } = body.paths['/v1/events'].get.responses['200'];
  assert.equal(content['application/json'].schema.$ref, '#/components/schemas/EventList');
  assert.ok(content['text/event-stream']);
  for (const name of ['Event', 'RolloutUpdated', 'EventBookmark', 'EventReset', 'EventEnd'])
    assert.ok(body.components.schemas[name], name);
});
