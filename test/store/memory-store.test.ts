import { createMemoryStore } from '../../src/store/memory-store.ts';
import { describeStoreContract } from '../contract/store-contract.ts';

describeStoreContract('memory', async () => {
  const store = createMemoryStore();
  return { store, dispose: () => store.close() };
});
