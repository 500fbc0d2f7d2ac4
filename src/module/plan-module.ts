import type { ModulePlan, PlanModule } from '../model/module-plan.ts';
import { type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import type { Clock } from '../model/ports.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { Store } from '../store/store.ts';
import type { BlobCache } from './blob-cache.ts';
import { createModuleSource, type ModuleSourceOptions } from './fetch-module.ts';
import { ModuleError } from './module-error.ts';
import { listRevisions } from './module-record.ts';
import { listModuleTargets } from './module-targets.ts';
import { planRevision } from './plan-revision.ts';
import { createPullSecretReader } from './pull-secret-reader.ts';
import { resolvePlugin } from './resolve-plugin.ts';
import { createTrialRunner, type TrialRunner } from './trial/trial-runner.ts';
import type { RunTrial } from './trial/try-plugin.ts';
import { Turns } from './turns.ts';

export interface ModulePlannerOptions {
  readonly store: Store;
  /** Opens pull secrets. */
  readonly seal: Seal;
  readonly cache: BlobCache;
  /** Where modules may come from; the clock is the one below. */
  readonly sources: Omit<ModuleSourceOptions, 'clock'>;
  readonly rootNamespace: string;
  /** Best the same one as the module stage's, so that few run at once; default: one of its own. */
  readonly trials?: TrialRunner;
  readonly clock: Clock;
  /** How long a plan may take, ms; default 45 s. */
  readonly limitMs?: number;
}

export interface ModulePlanner {
  readonly plan: PlanModule;
  /** Ends downloads that are under way. */
  close(): Promise<void>;
}

/** Modules fetched for plans at the same time; each may hold 32 MiB of memory. */
const PARALLEL = 4;
const LIMIT_MS = 45_000;

/**
 * What the module stage would make of a document: the same steps as for a stored one, tried once, and nothing written
 * but bytes, which are named by their digest.
 */
export function createModulePlanner(options: ModulePlannerOptions): ModulePlanner {
  const { store, cache, rootNamespace, clock, limitMs = LIMIT_MS } = options;
  const readPullSecret = createPullSecretReader(store, options.seal);
  const source = createModuleSource(cache, { ...options.sources, clock });
  const trials = options.trials ?? createTrialRunner({ clock });
  const closing = new AbortController();
  const turns = new Turns(PARALLEL);
  const running = new Set<Promise<unknown>>();

  const make = async (spec: PluginSpec, unwanted: AbortSignal): Promise<ModulePlan> => {
    const plugin = toPluginName(spec);
    const [revisions, targets] = await Promise.all([
      listRevisions(store, plugin),
      listModuleTargets(store, spec, rootNamespace),
    ]);
    const bringModule: typeof source.bring = (of, signal) =>
      turns.run(async () => {
        unwanted.throwIfAborted();
        return source.bring(of, signal);
      });
    const runTrial: RunTrial = (module, input, signal) =>
      trials.run(module, input, AbortSignal.any([unwanted, signal]));
    const { signatures, meter } = source;
    const ports = { bringModule, signatures, meter, readPullSecret, cache, runTrial };
    // Not cut short with the plan: another plugin may wait for the same download, and it is kept for later.
    const module = await resolvePlugin(spec, revisions, targets, ports, closing.signal);
    return { kind: 'revision', ...planRevision(plugin, spec, module, revisions, clock.now()) };
  };

  return {
    async plan(spec, signal) {
      const giveUp = new AbortController();
      const late = Promise.withResolvers<never>();
      const cancel = clock.after(limitMs, () => late.reject(toTooSlow(spec, limitMs)));
      const onAbort = (): void => late.reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      const made = make(spec, AbortSignal.any([giveUp.signal, closing.signal]));
      const work = made.catch(() => undefined).finally(() => running.delete(work));
      running.add(work);
      try {
        signal.throwIfAborted();
        return await Promise.race([made, late.promise]);
      } catch (error) {
        if (error instanceof ModuleError) return toProblem(error);
        throw error;
      } finally {
        cancel();
        signal.removeEventListener('abort', onAbort);
        giveUp.abort();
      }
    },
    async close() {
      closing.abort();
      await Promise.all(running);
      if (options.trials === undefined) await trials.close();
      await source.close();
    },
  };
}

function toProblem({ code, message, hint, faults, transient }: ModuleError): ModulePlan {
  const pointer = faults[0]?.pointer;
  const more = { ...(hint === undefined ? {} : { hint }), ...(pointer === undefined ? {} : { pointer }) };
  return { kind: 'problem', problem: { code, message, transient, ...more } };
}

function toTooSlow({ url }: PluginSpec, limitMs: number): ModuleError {
  return new ModuleError('registry-unreachable', `${url}: not fetched within ${limitMs / 1000} s`, {
    hint: 'The download goes on: ask again in a while.',
  });
}
