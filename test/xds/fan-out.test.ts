import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Log, silentLog } from '../../src/model/ports.ts';
import { FanOut } from '../../src/xds/fan-out.ts';

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
    serve(nodeId) {
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
  return { fanOut, turn, take, turns };
}

test('nodes are served in the order in which they were marked, a quarter of a second of them in each turn', () => {
  const { fanOut, turn, take, turns } = setUp(4);
  const nodes = Array.from({ length: 200 }, (_, i) => `n${i}`);
  for (let round = 0; round < 2; round++) {
    for (const nodeId of nodes) fanOut.mark(nodeId);
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
  const { fanOut, turn } = setUp(128);
  for (const nodeId of ['a', 'b', 'c', 'd', 'e']) fanOut.mark(nodeId);
  assert.deepEqual(turn(), ['a', 'b']);
  for (const nodeId of ['a', 'd']) fanOut.mark(nodeId);
  assert.deepEqual(
    [turn(), turn()],
    [
      ['c', 'd'],
      ['e', 'a'],
    ],
  );
});

test('a node that asks is served before its turn, and not again then', () => {
  const { fanOut, turn, take } = setUp(1);
  for (const nodeId of ['a', 'b', 'c']) fanOut.mark(nodeId);
  fanOut.serveNow('c');
  assert.deepEqual(take(), ['c']);
  fanOut.serveNow('c');
  fanOut.serveNow('x');
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
  const { fanOut, turn } = setUp(0, { serve, log });
  for (const nodeId of ['a', 'b']) fanOut.mark(nodeId);
  assert.deepEqual(turn(), ['b']);
  assert.deepEqual(logged, [{ err: fault, node: 'a' }]);
});

test('after its end nobody is served', () => {
  const { fanOut, turns } = setUp(0);
  fanOut.mark('a');
  fanOut.stop();
  assert.equal(turns.size, 0);
});

test('a clock that is set back does not make a turn longer', () => {
  const { fanOut, turn } = setUp(-3_600_000);
  for (const nodeId of ['a', 'b']) fanOut.mark(nodeId);
  assert.deepEqual([turn(), turn()], [['a'], ['b']]);
});
