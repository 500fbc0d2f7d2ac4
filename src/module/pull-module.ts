import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseModuleReference } from '../model/module-reference.ts';
import { type RandomHex, silentLog } from '../model/ports.ts';
import { type BlobCache, openBlobCache } from './blob-cache.ts';
import { moveDurably } from './durable-file.ts';
import { type BroughtModule, createModuleSource, type ModuleSource } from './fetch-module.ts';
import { type RegistryAccess, toPersonalOptions } from './personal-registry.ts';

/** Something in a registry or on a web server, for a command. */
export interface SourceRequest extends RegistryAccess {
  /** `HOST[:PORT]/NAME[:TAG][@DIGEST]`, or `https://…`. */
  readonly reference: string;
  /** For the names of temporary files. */
  readonly random: RandomHex;
}

export interface PullModuleRequest extends SourceRequest {
  /** The file to write, or to replace. */
  readonly path: string;
}

/**
 * A module out of any layout that plugins may name, every digest checked, into a file: whole and synced, or not at all.
 * Throws ModuleError, and the fault of the file system.
 */
export function pullModule(request: PullModuleRequest): Promise<BroughtModule> {
  return withSource(request, dirname(request.path), async (source, cache) => {
    const module = await source.bring({ url: request.reference }, new AbortController().signal);
    const blob = join(cache.directory, 'blobs', 'sha256', module.sha256);
    // The cache lies in the same directory for this: what was written and hashed once is not copied.
    await chmod(blob, 0o666 & ~process.umask());
    await moveDurably(blob, request.path);
    return module;
  });
}

/** Layers go through a cache on disk, as the server's do; it lies in `parent`, and is gone afterwards. */
export async function withSource<T>(
  request: SourceRequest,
  parent: string,
  use: (source: ModuleSource, cache: BlobCache) => Promise<T>,
): Promise<T> {
  const reference = parseModuleReference(request.reference);
  const directory = await mkdtemp(join(parent, '.attache-pull-'));
  try {
    const cache = await openBlobCache({
      directory,
      quotaBytes: Number.POSITIVE_INFINITY,
      clock: { now: () => 0 },
      random: request.random,
      log: silentLog,
    });
    const host = reference.scheme === 'oci' ? reference.host : undefined;
    const source = createModuleSource(cache, toPersonalOptions(request, host));
    try {
      return await use(source, cache);
    } finally {
      await source.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
