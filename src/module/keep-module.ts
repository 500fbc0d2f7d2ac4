import { sha256Hex } from '../model/plugin-spec.ts';
import type { BlobCache, WrittenBlob } from './blob-cache.ts';
import { MAX_MODULE_BYTES } from './check-module.ts';
import { ModuleError } from './module-error.ts';

/** A module that came in something else, or not from a registry, into the cache: once, however often it is found again. */
export async function keepModule(cache: BlobCache, bytes: Uint8Array): Promise<WrittenBlob> {
  const sha256 = sha256Hex(bytes);
  if (!(await cache.has(sha256)))
    await cache.write([bytes], { maxBytes: MAX_MODULE_BYTES, expected: sha256 });
  return { sha256, sizeBytes: bytes.length };
}

export function lostFromCache(sha256: string): ModuleError {
  return new ModuleError('cache-failed', `blob ${sha256} vanished from the module cache`, {
    hint: 'Leave the modules directory to Attaché alone. It is fetched again.',
  });
}
