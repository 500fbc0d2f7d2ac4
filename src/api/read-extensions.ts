import type { ResourceSpec } from '../model/resource.ts';
import type { Store } from '../store/store.ts';

/** What stands in places that are for no plugin, on any node. */
export async function readExtensions(store: Store): Promise<readonly ResourceSpec[]> {
  const { records } = await store.list('ResourceSpec', 'extensions/');
  return records.map(({ value }) => value);
}
