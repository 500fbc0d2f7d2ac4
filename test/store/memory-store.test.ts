import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { describeStoreContract } from '../contract/store-contract.ts';
import { makeSpec } from '../model/records.ts';

describeStoreContract('memory', async () => {
  const store = createMemoryStore();
  return { store, dispose: () => store.close() };
});

test('a list by the beginning of its keys has the same records as all others, for as long as none is written', async () => {
  const store = createMemoryStore();
  for (const name of ['a', 'b']) await store.put('PluginSpec', `edge/${name}`, makeSpec({ name }));
  await store.put('PluginSpec', 'other/c', makeSpec({ name: 'c' }));
  const part = async () => (await store.list('PluginSpec', 'edge/')).records;
  const [a, b, ...more] = await part();
  assert.deepEqual([a?.key, b?.key, more.length], ['edge/a', 'edge/b', 0]);
  assert.equal((await part())[0], a);
  assert.equal(await store.get('PluginSpec', 'edge/a'), a);
  assert.equal((await store.list('PluginSpec')).records[0], a);
  await store.put('PluginSpec', 'edge/a', makeSpec({ name: 'a', message: 'again' }));
  const [newer, same] = await part();
  assert.equal(newer?.value.message, 'again');
  assert.equal(same, b);
  await store.close();
});
