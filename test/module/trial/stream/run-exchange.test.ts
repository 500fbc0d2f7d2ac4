import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advance, deliverCall } from '../../../../src/module/trial/stream/await-resume.ts';
import { runExchange } from '../../../../src/module/trial/stream/run-exchange.ts';
import { PluginTrapped } from '../../../../src/module/trial/stream/stream-guest.ts';
import { ANSWER, type Callbacks, createWorld, makeStep, type StreamWorld } from './stream-world.ts';

const PROCEED = 0;
const PAUSE = 1;
const REQUEST = 0;
const RESPONSE = 1;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const proceed = () => PROCEED;
/** Every callback of a request, each letting all pass. */
const ALL: Callbacks = {
  proxy_on_context_create: proceed,
  proxy_on_request_headers: proceed,
  proxy_on_request_body: proceed,
  proxy_on_request_trailers: proceed,
  proxy_on_response_headers: proceed,
  proxy_on_response_body: proceed,
  proxy_on_response_trailers: proceed,
  proxy_on_log: proceed,
  proxy_on_done: () => 1,
  proxy_on_delete: proceed,
};

test('callbacks come in the order of Envoy, and the last part says that it is', () => {
  const world = createWorld(() => ALL);
  const trailers = [['x', 'y']] as const;
  runExchange(
    world.guest,
    2,
    makeStep({ body: ['one', 'two'], answer: ['three'], answerTrailers: trailers }),
  );
  assert.deepEqual(world.calls, [
    'context_create 1',
    'request_headers 3 0',
    'request_body 3 0',
    'request_body 3 1',
    'response_headers 1 0',
    'response_body 5 0',
    'response_trailers 1',
    'log',
    'done',
    'delete',
  ]);
  const short = createWorld(() => ALL);
  runExchange(short.guest, 2, makeStep());
  assert.deepEqual(short.calls.slice(1, 3), ['request_headers 3 1', 'response_headers 1 1']);
});

test('a body that is held back comes again with what follows, and goes on with the last part', () => {
  const world = createWorld(() => ({
    proxy_on_request_body: (_id, _size, isEnd) => (isEnd ? PROCEED : PAUSE),
  }));
  const { request } = runExchange(world.guest, 2, makeStep({ body: ['one', 'two', ''] }));
  assert.deepEqual(world.calls, ['request_body 3 0', 'request_body 6 0', 'request_body 6 1']);
  assert.equal(request.after.body, 'onetwo');
  const dropping = createWorld(() => ({
    proxy_on_request_body: (_id, _size, isEnd) => (isEnd ? PROCEED : 3),
  }));
  assert.equal(runExchange(dropping.guest, 2, makeStep({ body: ['one', 'two'] })).request.after.body, 'two');
});

test('trailers that go on take a body along that was held back', () => {
  const world = createWorld(() => ({
    proxy_on_request_body: () => PAUSE,
    proxy_on_request_trailers: proceed,
  }));
  const { request, stuck } = runExchange(world.guest, 2, makeStep({ body: ['one'], trailers: [['x', 'y']] }));
  assert.deepEqual([request.after.body, stuck], ['one', undefined]);
});

test('headers can be read and written until they have gone on, and read again in the log', () => {
  const seen: (string | number)[] = [];
  const change = (world: StreamWorld, map: number) => {
    world.host('add_header_map_value', map, ...world.put('X-Added'), ...world.put('1'));
    world.host('add_header_map_value', map, ...world.put('x-added'), ...world.put('2'));
    world.host('replace_header_map_value', map, ...world.put(':path'), ...world.put('/other'));
    world.host('remove_header_map_value', map, ...world.put(':authority'));
    return PROCEED;
  };
  const world = createWorld(made => ({
    proxy_on_request_headers: () => change(made, 0),
    proxy_on_request_body: () => {
      seen.push(made.header(0, 'x-added'), made.header(2, ':status'));
      seen.push(made.host('add_header_map_value', 0, ...made.put('a'), ...made.put('b')));
      return PROCEED;
    },
    proxy_on_response_headers: () => {
      seen.push(made.header(2, ':status'), made.header(2, 'x-none'));
      return PROCEED;
    },
    proxy_on_log: () => {
      seen.push(made.header(0, 'x-added'), made.header(2, ':status'));
      return seen.push(made.host('remove_header_map_value', 0, ...made.put('x-added')));
    },
  }));
  const { request } = runExchange(world.guest, 2, makeStep({ body: ['b'] }));
  assert.deepEqual(seen, [
    BAD_ARGUMENT,
    BAD_ARGUMENT,
    BAD_ARGUMENT,
    '200',
    NOT_FOUND,
    '1',
    '200',
    BAD_ARGUMENT,
  ]);
  assert.deepEqual(request.after.headers, [
    [':method', 'GET'],
    [':path', '/other'],
    ['x-added', '1'],
    ['x-added', '2'],
  ]);
});

test('ABI 0.1.0 gives an empty text for a header that is not there', () => {
  let seen: string | number = -1;
  const callbacks = (made: StreamWorld): Callbacks => ({
    proxy_on_request_headers: () => {
      seen = made.header(0, 'x-none');
      return PROCEED;
    },
  });
  runExchange(createWorld(callbacks, {}, '0_1_0').guest, 2, makeStep());
  assert.equal(seen, '');
});

test('all pairs can be taken and set at once', () => {
  const world = createWorld(made => ({
    proxy_on_response_headers: () => {
      assert.equal(made.host('get_header_map_pairs', 2, ...ANSWER), 0);
      made.host(
        'set_header_map_pairs',
        2,
        ...made.pairs([
          [':status', '201'],
          ['X-A', 'b'],
        ]),
      );
      return PROCEED;
    },
  }));
  const { response } = runExchange(world.guest, 2, makeStep());
  assert.deepEqual(response?.after.headers, [
    [':status', '201'],
    ['x-a', 'b'],
  ]);
});

test('a body is replaced as a whole, or put before or behind; a part of it is not', () => {
  const results: number[] = [];
  const world = createWorld(made => ({
    proxy_on_response_body: () => {
      const set = (start: number, length: number, text: string) =>
        results.push(made.host('set_buffer_bytes', 1, start, length, ...made.put(text)));
      set(0, 3, 'BODY');
      set(0, 0, '<');
      set(5, 0, '>');
      set(0, 2, 'x');
      set(2, 1, 'x');
      return PROCEED;
    },
  }));
  const { response } = runExchange(world.guest, 2, makeStep({ answer: ['abc'] }));
  assert.deepEqual([response?.after.body, results], ['<BODY>', [0, 0, 0, BAD_ARGUMENT, BAD_ARGUMENT]]);
});

const answer = (world: StreamWorld) => {
  world.host(
    'send_local_response',
    418,
    ...world.put('why'),
    ...world.put('no'),
    ...world.pairs([['X-A', 'b']]),
    -1,
  );
  return PROCEED;
};

test('a local response stops everything, whatever the callback answers, and passes as a response', () => {
  const world = createWorld(made => ({ ...ALL, proxy_on_request_headers: () => answer(made) }));
  const { response, local, isForwarded } = runExchange(world.guest, 2, makeStep({ body: ['x'] }));
  assert.deepEqual(world.calls.slice(1, 5), [
    'request_headers 3 0',
    'response_headers 4 0',
    'response_body 2 1',
    'log',
  ]);
  assert.deepEqual([isForwarded, local], [false, { status: 418, details: 'why' }]);
  assert.deepEqual(response?.after, {
    headers: [
      [':status', '418'],
      ['x-a', 'b'],
      ['content-length', '2'],
      ['content-type', 'text/plain'],
    ],
    body: 'no',
    trailers: [],
  });
});

test('a local response in the middle of a response goes straight to the client', () => {
  const world = createWorld(made => ({ ...ALL, proxy_on_response_headers: () => answer(made) }));
  const { response, isForwarded } = runExchange(world.guest, 2, makeStep({ answer: ['x'] }));
  assert.deepEqual(world.calls.slice(2), ['response_headers 1 0', 'log', 'done', 'delete']);
  assert.deepEqual([isForwarded, response?.after.body], [true, 'no']);
});

const CALL = [
  [':method', 'GET'],
  [':path', '/x'],
  [':authority', 'h'],
] as const;
const ask = (world: StreamWorld, cluster: string, headers: readonly (readonly [string, string])[] = CALL) =>
  world.host('http_call', ...world.put(cluster), ...world.pairs(headers), 0, 0, 0, 0, 1000, 128);
const CALLS = [
  { cluster: 'good', message: { headers: [[':status', '204']], body: ['yes'], trailers: [] } },
  { cluster: 'broken' },
] as const;

test('a request waits for the answer to a call, which names its cluster; without one in the file there is no cluster', () => {
  const seen: unknown[] = [];
  const world = createWorld(
    made => ({
      proxy_on_request_headers: () => {
        seen.push(ask(made, 'none'), ask(made, 'good', [[':path', '/']]), ask(made, 'good'));
        return PAUSE;
      },
      proxy_on_http_call_response: (root, token, headers, body) => {
        seen.push([root, token, headers, body], made.header(6, ':status'));
        made.host('get_buffer_bytes', 4, 0, 99, ...ANSWER);
        seen.push(made.answer, made.host('set_effective_context', 9), made.host('set_effective_context', 2));
        seen.push(made.header(0, ':path'));
        return made.host('continue_stream', REQUEST);
      },
    }),
    { calls: CALLS },
  );
  const { calls, stuck } = runExchange(world.guest, 2, makeStep());
  assert.deepEqual(seen, [
    BAD_ARGUMENT,
    BAD_ARGUMENT,
    0,
    [1, 4, 1, 3],
    '204',
    'yes',
    BAD_ARGUMENT,
    0,
    '/a?b=c',
  ]);
  assert.deepEqual(
    calls.map(({ cluster, answer: how }) => [cluster, how]),
    [
      ['none', 'no-answer'],
      ['good', 'answered'],
      ['good', 'answered'],
    ],
  );
  assert.equal(stuck, undefined);
});

test('a call whose connection breaks comes back empty, and get_status says so', () => {
  const seen: unknown[] = [];
  const world = createWorld(
    made => ({
      proxy_on_request_headers: () => ask(made, 'broken'),
      proxy_on_http_call_response: (_root, _token, headers, body) => {
        made.host('get_status', 128, ...ANSWER);
        return seen.push(
          headers,
          body,
          made.header(6, ':status'),
          made.guest.memory.readWord(128),
          made.answer,
        );
      },
    }),
    { calls: CALLS },
  );
  runExchange(world.guest, 2, makeStep());
  assert.deepEqual(seen, [0, 0, BAD_ARGUMENT, 11, 'reset']);
});

test('a pause that nothing ends is told as such; ticks can end one', () => {
  const stuck = createWorld(() => ({ proxy_on_response_headers: () => PAUSE }));
  const exchange = runExchange(stuck.guest, 2, makeStep());
  assert.deepEqual(
    [exchange.stuck, exchange.response, exchange.isForwarded],
    ['response headers', undefined, true],
  );

  let ticks = 0;
  const world = createWorld(made => ({
    proxy_on_response_headers: () => {
      made.host('set_tick_period_milliseconds', 200);
      return PAUSE;
    },
    proxy_on_tick: () => {
      if (++ticks < 3) return 0;
      made.host('set_effective_context', 2);
      return made.host('continue_stream', RESPONSE);
    },
  }));
  assert.equal(runExchange(world.guest, 2, makeStep()).stuck, undefined);
  assert.deepEqual([ticks, world.guest.clockMs], [3, 600]);
});

test('time goes on by the file alone, and ticks fall due on the way', () => {
  const times: bigint[] = [];
  const world = createWorld(made => ({ proxy_on_tick: () => times.push(made.guest.now() / 1_000_000n) }));
  world.host('set_tick_period_milliseconds', 400);
  advance(world.guest, 1_000);
  assert.deepEqual([times, world.guest.now()], [[1_400n, 1_800n], 2_000_000_000n]);
});

test('properties: of the file, of the request, set by the plugin, and the plugin itself', () => {
  const seen: (string | number)[] = [];
  const get = (world: StreamWorld, ...path: string[]) => {
    const status = world.host('get_property', ...world.put(path.join('\0')), ...ANSWER);
    seen.push(status === 0 ? world.answer : status);
  };
  const world = createWorld(
    made => ({
      proxy_on_response_headers: () => {
        made.host('set_property', ...made.put('mine'), ...made.put('set'));
        get(made, 'source', 'address');
        get(made, 'request', 'url_path');
        get(made, 'request', 'headers', ':method');
        get(made, 'mine');
        get(made, 'plugin_name');
        get(made, 'xds', 'node', 'id');
        get(made, 'wrong');
        made.host('get_property', ...made.put('response\0code'), ...ANSWER);
        seen.push(Buffer.from(made.answer).readUInt8(0));
        return PROCEED;
      },
    }),
    { properties: { 'source.address': '10.0.0.1:1', 'xds.node.id': 'edge' } },
  );
  const step = makeStep({ properties: { 'source.address': '10.0.0.2:2' } });
  const { unknownProperties } = runExchange(world.guest, 2, {
    ...step,
    response: { ...step.response, headers: [[':status', '65']] },
  });
  assert.deepEqual(seen, ['10.0.0.2:2', '/a', 'GET', 'set', 'default/it', 'edge', NOT_FOUND, 65]);
  assert.deepEqual(unknownProperties, ['wrong']);
});

test('what is put into a queue wakes the plugin up, after the callback', () => {
  const world = createWorld(made => ({
    proxy_on_request_headers: () => {
      made.host('register_shared_queue', ...made.put('q'), 128);
      made.host('enqueue_shared_queue', 1, ...made.put('text'));
      return PROCEED;
    },
    proxy_on_queue_ready: proceed,
    proxy_on_response_headers: proceed,
  }));
  runExchange(world.guest, 2, makeStep());
  assert.deepEqual(world.calls, ['request_headers 3 1', 'queue_ready 1', 'response_headers 1 1']);
});

test('metrics are counted under their names', () => {
  const world = createWorld(() => ({}));
  for (const [type, name] of [
    [0, 'count'],
    [1, 'gauge'],
    [2, 'histogram'],
  ] as const)
    assert.equal(world.host('define_metric', type, ...world.put(name), 128), 0);
  world.host('increment_metric', 4, 2n);
  world.host('increment_metric', 4, -1n);
  world.host('record_metric', 5, 7n);
  world.host('increment_metric', 5, -3n);
  world.host('record_metric', 6, 9n);
  assert.deepEqual(world.guest.metrics, { count: 2, gauge: 4, histogram: 9 });
});

test('a trap ends it, and a stream can be reset', () => {
  const trap = createWorld(() => ({
    proxy_on_request_headers: () => {
      throw new Error('unreachable');
    },
  }));
  assert.throws(() => runExchange(trap.guest, 2, makeStep()), PluginTrapped);
  const world = createWorld(made => ({ proxy_on_request_headers: () => made.host('close_stream', REQUEST) }));
  const { isReset, response } = runExchange(world.guest, 2, makeStep());
  assert.deepEqual([isReset, response], [true, undefined]);
  assert.equal(deliverCall(world.guest), false);
});
