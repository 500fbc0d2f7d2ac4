import { test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { StoreUnderTest } from './store-contract.ts';

type Open = () => Promise<StoreUnderTest>;
type Run = (store: Store, under: StoreUnderTest) => Promise<void>;

/** Runs on a store of its own, which is disposed of afterwards. */
export async function withStore(open: Open, run: Run): Promise<void> {
  const under = await open();
  try {
    await run(under.store, under);
  } finally {
    await under.dispose();
  }
}

/** `test` on such a store. */
export function toStoreTest(open: Open) {
  return (title: string, run: Run) => test(title, () => withStore(open, run));
}
