import type { ReadModuleStorage } from '../model/module-storage.ts';
import type { BlobCache } from './blob-cache.ts';
import type { BuiltInRegistry } from './built-in-registry.ts';

/** What the api tells of the module directory. */
export function createModuleStorage(
  cache: BlobCache,
  registry: Pick<BuiltInRegistry, 'held'>,
): ReadModuleStorage {
  return async () => ({
    usedBytes: cache.quota.usedBytes,
    quotaBytes: cache.quota.limitBytes,
    here: new Set(cache.list().map(({ sha256 }) => sha256)),
    inRegistry: (await registry.held()).named,
  });
}
