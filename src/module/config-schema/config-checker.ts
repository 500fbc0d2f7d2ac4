import type { CheckPluginConfig } from '../../model/module-plan.ts';
import { type PluginSpec, toPluginName } from '../../model/plugin-spec.ts';
import type { Clock } from '../../model/ports.ts';
import type { Seal } from '../../model/pull-secret.ts';
import type { Store } from '../../store/store.ts';
import type { BlobCache } from '../blob-cache.ts';
import { createModuleSource, type ModuleSourceOptions } from '../fetch-module.ts';
import { ModuleError } from '../module-error.ts';
import { listRevisions } from '../module-record.ts';
import { listModuleTargets } from '../module-targets.ts';
import { createPullSecretReader } from '../pull-secret-reader.ts';
import { obtainModule } from '../resolve-plugin.ts';
import { Turns } from '../turns.ts';

export interface ConfigCheckerOptions {
  readonly store: Store;
  /** Opens pull secrets. */
  readonly seal: Seal;
  readonly cache: BlobCache;
  /** Where modules may come from; the clock is the one below. */
  readonly sources: Omit<ModuleSourceOptions, 'clock'>;
  readonly rootNamespace: string;
  readonly clock: Clock;
}

export interface ConfigChecker {
  readonly check: CheckPluginConfig;
  /** Ends downloads that are under way. */
  close(): Promise<void>;
}

/** Modules fetched at the same time; each may hold 32 MiB of memory. */
const PARALLEL = 4;
/** What somebody who applies waits at most before the document is stored. */
const LIMIT_MS = 5_000;

/**
 * Checks configurations before their documents are stored. The module comes as the module stage will fetch it, and is
 * in the cache when that looks for it. Whatever else is wrong with it is said there.
 */
export function createConfigChecker(options: ConfigCheckerOptions): ConfigChecker {
  const { store, cache, rootNamespace, clock } = options;
  const source = createModuleSource(cache, { ...options.sources, clock });
  const readPullSecret = createPullSecretReader(store, options.seal);
  const closing = new AbortController();
  const turns = new Turns(PARALLEL);
  const running = new Set<Promise<unknown>>();

  const obtain = async (spec: PluginSpec): Promise<void> => {
    const [revisions, targets] = await Promise.all([
      listRevisions(store, toPluginName(spec)),
      listModuleTargets(store, spec, rootNamespace),
    ]);
    const bringModule: typeof source.bring = (of, signal) => turns.run(() => source.bring(of, signal));
    const { signatures, meter } = source;
    const ports = { bringModule, signatures, meter, readPullSecret, cache };
    await obtainModule(spec, revisions, targets, ports, closing.signal);
  };

  return {
    async check(spec, signal) {
      const late = Promise.withResolvers<void>();
      const giveUp = () => late.resolve();
      const cancel = clock.after(LIMIT_MS, giveUp);
      signal.addEventListener('abort', giveUp);
      const obtained = obtain(spec);
      const work = obtained.catch(() => undefined).finally(() => running.delete(work));
      running.add(work);
      try {
        await Promise.race([obtained, late.promise]);
        return [];
      } catch (error) {
        if (!(error instanceof ModuleError)) throw error;
        return error.code === 'config-mismatch' ? error.faults : [];
      } finally {
        cancel();
        signal.removeEventListener('abort', giveUp);
      }
    },
    async close() {
      closing.abort();
      await Promise.all(running);
      await source.close();
    },
  };
}
