import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import { ANY_NODE } from '../../src/xds/identity/node-right.ts';
import { Client, SLOT, setUp, toSnapshot } from './ads-story.ts';
import { readSlot } from './model/content.ts';
import { encodeRequest } from './model/envoy-model.ts';
import { refusalOf, toPart } from './push/slot-story.ts';

/** What was pushed to places since the last call: `a@1`. */
function placesOf(client: Client): readonly string[] {
  const places = client.take().filter(({ typeUrl }) => typeUrl === EXTENSION_CONFIG_TYPE);
  return places.flatMap(({ resources }) =>
    resources.flatMap(({ any }) =>
      readSlot(any).parts.map(it => `${it.plugin.replace('default/', '')}@${it.revision}`),
    ),
  );
}

test('2. a first request without a node, or without its id, is refused', async () => {
  const { ads } = await setUp();
  for (const node of [undefined, '']) {
    const stream = ads.open({ form: 'delta', right: ANY_NODE }, () => {});
    const whole = encodeRequest({ typeUrl: CLUSTER_TYPE }, '');
    // The empty node message is the first four bytes.
    const bytes = node === undefined ? whole.subarray(4) : whole;
    assert.throws(() => stream.onMessage(bytes), { code: 'node-id-missing' });
    stream.close();
  }
});

test('1. a repeated node is fine, a missing one means the first, another one ends the stream', async () => {
  const { ads } = await setUp();
  const client = new Client(ads).ask(CLUSTER_TYPE).ask(LISTENER_TYPE);
  client.stream.onMessage(encodeRequest({ typeUrl: EXTENSION_CONFIG_TYPE }, '').subarray(4));
  assert.throws(() => client.send({ typeUrl: CLUSTER_TYPE }, 'edge-2'), { code: 'node-changed' });
});

test('a message that is no protobuf is refused', async () => {
  const { ads } = await setUp();
  assert.throws(
    () => ads.open({ form: 'delta', right: ANY_NODE }, () => {}).onMessage(Buffer.from('ff', 'hex')),
    {
      code: 'malformed-message',
    },
  );
});

test('nothing is sent to a new process before its name is durable', async () => {
  const { ads, snapshots, flush } = await setUp();
  snapshots.set('edge-1', toSnapshot('a@1'));
  const client = new Client(ads).ask(CLUSTER_TYPE);
  assert.equal(client.take().length, 0);
  flush();
  assert.equal(client.take().length, 1);
});

test('a store that does not answer keeps no Envoy from starting', async () => {
  const { ads, snapshots, clock } = await setUp();
  snapshots.set('edge-1', toSnapshot('a@1'));
  const client = new Client(ads).ask(CLUSTER_TYPE);
  clock.run(999);
  assert.equal(client.take().length, 0);
  clock.run(1);
  assert.equal(client.take().length, 1);
});

test('a process that was named before is answered at once', async () => {
  const { ads, snapshots, flush } = await setUp();
  snapshots.set('edge-1', toSnapshot('a@1'));
  const first = new Client(ads).ask(CLUSTER_TYPE);
  flush();
  first.stream.close();
  const again = new Client(ads).ask(CLUSTER_TYPE, [], { attache_modules: 'old' });
  assert.equal(again.take().length, 1);
});

test('what changed waits for its turn, but a node that asks meanwhile is never answered from before the change', async () => {
  const turns: (() => void)[] = [];
  const { ads, snapshots, flush } = await setUp({
    nextTurn(callback) {
      turns.push(callback);
      return () => {};
    },
  });
  const turn = (): void => {
    for (const callback of turns.splice(0)) callback();
  };
  const [one, two] = [new Client(ads, 'edge-1'), new Client(ads, 'edge-2')];
  for (const client of [one, two]) client.ask(EXTENSION_CONFIG_TYPE, [SLOT]);
  flush();
  turn();
  for (const nodeId of ['edge-1', 'edge-2']) snapshots.set(nodeId, toSnapshot('a@1'));
  for (const nodeId of ['edge-1', 'edge-2']) snapshots.set(nodeId, toSnapshot('a@2'));
  assert.deepEqual([...one.take(), ...two.take()], []);
  one.ask(CLUSTER_TYPE);
  assert.deepEqual(placesOf(one), ['a@2']);
  turn();
  assert.deepEqual([placesOf(one), placesOf(two)], [[], ['a@2']], 'the newest, and once');
});

test('a snapshot reaches the node it is for, when it comes, and no other', async () => {
  const { ads, snapshots, flush } = await setUp();
  const [one, two] = [new Client(ads, 'edge-1'), new Client(ads, 'edge-2')];
  for (const client of [one, two]) client.ask(CLUSTER_TYPE);
  flush();
  snapshots.set('edge-1', toSnapshot('a@1'));
  assert.deepEqual([one.take().length, two.take().length], [1, 0]);
});

test('a snapshot that was compiled for what the node said before its restart is not sent', async () => {
  const { ads, snapshots, flush } = await setUp();
  snapshots.set('edge-1', { ...toSnapshot('a@1'), serves: node => node.envoyVersion === '1.36.2' });
  const client = new Client(ads).ask(CLUSTER_TYPE);
  flush();
  assert.equal(client.take().length, 0);
  snapshots.set('edge-1', toSnapshot('a@1'));
  assert.equal(client.take().length, 1);
});

test('a snapshot that was made for what an Envoy says is its own, and no other Envoy of its name has it for that', async () => {
  const { ads, snapshots, store, flush } = await setUp();
  snapshots.set('edge-1', toSnapshot('a@1'));
  const [one, other] = [new Client(ads).ask(CLUSTER_TYPE), new Client(ads).ask(CLUSTER_TYPE)];
  flush();
  for (const client of [one, other]) for (const push of client.take()) client.answer(push);
  const [presence] = (await store.list('NodePresence')).records;
  const asked: unknown[] = [];
  const serves = (node: unknown): boolean => asked.push(node) === 0;
  snapshots.set('edge-1', { ...toSnapshot('a@2'), serves }, presence?.value.node);
  assert.equal(asked.length, 1);
  assert.notEqual(asked[0], presence?.value.node);
});

test('a GET reaches the process that it is of, also while that has no stream', async () => {
  const { ads, snapshots, flush, fetch } = await setUp();
  snapshots.set('edge-1', toSnapshot('a@1'));
  const client = new Client(ads).ask(EXTENSION_CONFIG_TYPE, [SLOT]);
  flush();
  const [push] = client.take();
  const process = readSlot(push!.resources[0]!.any).capability.slice(16, 32);
  const get = { process, moduleSha256: toPart('a@1').module, tag: '', id: 1, at: 1_000_000 };
  fetch({ ...get, state: 'started' });
  client.answer(push!, refusalOf('a'));
  assert.equal(client.take().length, 0, 'a miss waits');
  fetch({ ...get, process: 'somebody else', state: 'sent' });
  assert.equal(client.take().length, 0);
  client.stream.close();
  fetch({ ...get, state: 'sent' });
  const again = new Client(ads).ask(EXTENSION_CONFIG_TYPE, [SLOT], { other: '1' });
  assert.deepEqual(
    again.take().flatMap(it => it.resources.map(resource => resource.name)),
    [SLOT],
  );
});

test('a closed stream gets nothing more, and closing twice is fine', async () => {
  const { ads, snapshots, flush, clock } = await setUp();
  const client = new Client(ads).ask(CLUSTER_TYPE);
  client.stream.close();
  client.stream.close();
  flush();
  snapshots.set('edge-1', toSnapshot('a@1'));
  clock.run(10_000);
  assert.equal(client.take().length, 0);
});

test('a node that is gone keeps the places that it had', async () => {
  const { ads, snapshots, flush, presences } = await setUp();
  const client = new Client(ads).ask(CLUSTER_TYPE).ask(EXTENSION_CONFIG_TYPE, [SLOT]);
  flush();
  snapshots.set('edge-1', toSnapshot('a@1'));
  client.stream.close();
  const { connected, slots } = presences.at(-1) ?? assert.fail('nothing was recorded');
  assert.deepEqual({ connected, slots }, { connected: false, slots: [SLOT] });
});

test('a stream that never said a word leaves nothing behind', async () => {
  const { ads } = await setUp();
  ads.open({ form: 'delta', right: ANY_NODE }, () => assert.fail('nothing is sent')).close();
});

test('two streams of one node are both served', async () => {
  const { ads, snapshots, flush } = await setUp();
  const [one, two] = [new Client(ads).ask(CLUSTER_TYPE), new Client(ads).ask(CLUSTER_TYPE)];
  flush();
  snapshots.set('edge-1', toSnapshot('a@1'));
  assert.deepEqual([one.take().length, two.take().length], [1, 1]);
});

test('after stop neither snapshots nor GETs are heard', async () => {
  const { ads, snapshots, flush, fetch } = await setUp();
  const client = new Client(ads).ask(CLUSTER_TYPE);
  flush();
  ads.stop();
  snapshots.set('edge-1', toSnapshot('a@1'));
  fetch({ process: 'p', moduleSha256: 'm', tag: '', id: 1, state: 'started', at: 0 });
  assert.equal(client.take().length, 0);
});
