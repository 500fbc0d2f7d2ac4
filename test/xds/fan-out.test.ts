import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Log, silentLog } from '../../src/model/ports.ts';
import { FanOut, type Served } from '../../src/xds/fan-out.ts';

/** Serving a node takes `costMs`; turns come when they are asked for. */
function setUp(costMs: number, options: { serve?: (nodeId: string) => void; log?: Log } = {}) {
  const served: string[] = [];
  const turns = new Set<() => void>();
  let now = 1000;
  const fanOut = new FanOut({
    clock: { now: () => now, after: () => assert.fail('it needs no timer') },
    log: options.log ?? silentLog,
    nextTurn(callback) {
      turns.add(callback);
      return () => turns.delete(callback);
    },
    serve({ nodeId }) {
      now += costMs;
      options.serve?.(nodeId);
      served.push(nodeId);
    },
  });
  const turn = (): readonly string[] => {
    assert.ok(turns.size <= 1, 'one turn is planned at most');
    for (const callback of [...turns]) {
      turns.delete(callback);
      callback();
    }
    return served.splice(0);
  };
  const take = (): readonly string[] => served.splice(0);
  const nodes = new Map<string, Served>();
  const of = (nodeId: string): Served => {
    const node = nodes.get(nodeId) ?? { nodeId, isDue: false };
    nodes.set(nodeId, node);
    return node;
  };
  const mark = (...ids: readonly string[]): void => {
    for (const nodeId of ids) fanOut.mark(of(nodeId));
  };
  const serveNow = (nodeId: string): void => fanOut.serveNow(of(nodeId));
  return { fanOut, mark, serveNow, turn, take, turns };
}

test('nodes are served in the order in which they were marked, a quarter of a second of them in each turn', () => {
  const { mark, turn, take, turns } = setUp(4);
  const nodes = Array.from({ length: 200 }, (_, i) => `n${i}`);
  for (let round = 0; round < 2; round++) {
    mark(...nodes);
    assert.deepEqual(take(), [], 'nobody in the turn of the change');
    const slices: (readonly string[])[] = [];
    while (turns.size > 0) slices.push(turn());
    assert.deepEqual(slices.flat(), nodes);
    assert.deepEqual(
      slices.map(slice => slice.length),
      [64, 64, 72],
      'the few that are left go along',
    );
  }
});

test('16. a node that is marked again keeps its turn, and is served once', () => {
  const { mark, turn } = setUp(128);
  mark('a', 'b', 'c', 'd', 'e');
  assert.deepEqual(turn(), ['a', 'b']);
  mark('a', 'd');
  assert.deepEqual(
    [turn(), turn()],
    [
      ['c', 'd'],
      ['e', 'a'],
    ],
  );
});

test('a node that asks is served before its turn, and not again then', () => {
  const { mark, serveNow, turn, take } = setUp(1);
  mark('a', 'b', 'c');
  serveNow('c');
  assert.deepEqual(take(), ['c']);
  serveNow('c');
  serveNow('x');
  assert.deepEqual(take(), [], 'nothing is new for these');
  assert.deepEqual(turn(), ['a', 'b']);
});

test('a node that cannot be served keeps nobody else waiting', () => {
  const logged: object[] = [];
  const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
  const fault = new Error('no');
  const serve = (nodeId: string): void => {
    if (nodeId === 'a') throw fault;
  };
  const { mark, turn } = setUp(0, { serve, log });
  mark('a', 'b');
  assert.deepEqual(turn(), ['b']);
  assert.deepEqual(logged, [{ err: fault, node: 'a' }]);
});

test('a node that was served before its turn and is marked again is served once more', () => {
  const { mark, serveNow, turn, take } = setUp(1);
  mark('a', 'b');
  serveNow('b');
  mark('b');
  assert.deepEqual(take(), ['b']);
  assert.deepEqual(turn(), ['a', 'b']);
  mark('b');
  assert.deepEqual(turn(), ['b']);
});

test('after its end nobody is served', () => {
  const { fanOut, mark, turns } = setUp(0);
  mark('a');
  fanOut.stop();
  assert.equal(turns.size, 0);
});

test('a clock that is set back does not make a turn longer', () => {
  const { mark, turn } = setUp(-3_600_000);
  mark('a', 'b');
  assert.deepEqual([turn(), turn()], [['a'], ['b']]);
});
