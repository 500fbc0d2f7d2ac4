import { type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import type { Log } from '../model/ports.ts';
import type { ModuleFacts } from '../model/revision.ts';
import type { Store } from '../store/store.ts';
import type { BlobCache } from './blob-cache.ts';
import type { ModuleSource } from './fetch-module.ts';
import { listRevisions } from './module-record.ts';
import { listModuleTargets } from './module-targets.ts';
import type { ReadPullSecret } from './pull-secret-reader.ts';
import type { FoundTag } from './registry-client.ts';
import { resolvePlugin } from './resolve-plugin.ts';
import type { TrialRunner } from './trial/trial-runner.ts';
import { HostTurns } from './turns.ts';

export interface ModuleResolverOptions {
  readonly store: Store;
  readonly cache: BlobCache;
  readonly source: ModuleSource;
  readonly readPullSecret: ReadPullSecret;
  readonly trials: TrialRunner;
  readonly rootNamespace: string;
  readonly log: Log;
  /** The server stops. Nothing less ends a download: another plugin may wait for the same one. */
  readonly stopping: AbortSignal;
}

/** One time that a module is wanted. */
export interface Wanted {
  readonly spec: PluginSpec;
  /** It is not wanted any more: it gives up its turn, and its trial run. */
  readonly cancelled: AbortSignal;
  /** The source is to be asked, which can take long. */
  readonly begun?: () => Promise<unknown>;
  /** What the tag is known to name. */
  readonly tag?: FoundTag;
}

/** Throws ModuleError. */
export type ResolveModule = (wanted: Wanted) => Promise<ModuleFacts>;

/** Modules fetched at the same time; each may hold 32 MiB of memory. */
const PARALLEL = 8;
/** From one host: so one that does not answer keeps nobody else waiting, and none is run down. */
const PARALLEL_BY_HOST = 4;

/** The way from a document to its module: its revisions, the nodes it is for, the source, the trial run. */
export function createModuleResolver(options: ModuleResolverOptions): ResolveModule {
  const { store, cache, source, readPullSecret, trials, log, stopping } = options;
  const { signatures } = source;
  const turns = new HostTurns(PARALLEL, PARALLEL_BY_HOST);
  return async ({ spec, cancelled, begun, tag }) => {
    const revisions = await listRevisions(store, toPluginName(spec));
    const targets = await listModuleTargets(store, spec, options.rootNamespace);
    const bringModule: ModuleSource['bring'] = async (of, signal) => {
      await begun?.();
      const module = await turns.run(toTurnHost(of.url), async () => {
        cancelled.throwIfAborted();
        return source.bring(of, signal);
      });
      const { passedOver = [], mirror } = module;
      if (passedOver.length > 0)
        log.warn({ url: of.url, mirror }, `mirrors passed over: ${passedOver.join('; ')}`);
      return module;
    };
    const ports = {
      bringModule,
      signatures,
      meter: source.meter,
      readPullSecret,
      cache,
      runTrial: (module, input, unwanted) =>
        trials.run(module, input, AbortSignal.any([cancelled, unwanted])),
    } satisfies Parameters<typeof resolvePlugin>[3];
    return resolvePlugin(spec, revisions, targets, ports, stopping, tag);
  };
}

/** Files are all of one. */
function toTurnHost(url: string): string {
  return url.replace(/^[a-z]+:\/\//, '').split('/')[0] ?? '';
}
