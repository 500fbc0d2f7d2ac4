import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModuleReference } from '../model/module-reference.ts';
import { type RandomHex, silentLog } from '../model/ports.ts';
import { openBlobCache } from './blob-cache.ts';
import { createModuleSource, type FetchedModule, type ModuleSource } from './fetch-module.ts';
import { type RegistryAccess, toPersonalOptions } from './personal-registry.ts';

export interface PullModuleRequest extends RegistryAccess {
  /** `HOST[:PORT]/NAME[:TAG][@DIGEST]`, or `https://…`. */
  readonly reference: string;
  /** For the names of temporary files. */
  readonly random: RandomHex;
}

/** A module out of any layout that plugins may name, every digest checked. Throws ModuleError. */
export function pullModule(request: PullModuleRequest): Promise<FetchedModule> {
  return withSource(request, source =>
    source.fetch({ url: request.reference }, new AbortController().signal),
  );
}

/** Layers go through a cache on disk, as the server's do; it is gone afterwards. */
export async function withSource<T>(
  request: PullModuleRequest,
  use: (source: ModuleSource) => Promise<T>,
): Promise<T> {
  const reference = parseModuleReference(request.reference);
  const directory = await mkdtemp(join(tmpdir(), 'attache-pull-'));
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
      return await use(source);
    } finally {
      await source.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
