import { toMessage } from '../model/error.ts';
import type { PluginName, PluginSpec } from '../model/plugin-spec.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import { pullSecretKey, type Seal } from '../model/pull-secret.ts';
import type { ModuleProgress, Revision } from '../model/revision.ts';
import { moduleDeadlineOf } from '../model/rollout-units.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Store, Stored } from '../store/store.ts';
import type { BlobCache } from './blob-cache.ts';
import { createModuleSource, type ModuleSource, type ModuleSourceOptions } from './fetch-module.ts';
import { findSettled, type SettledPlugin } from './find-settled.ts';
import { ModuleError } from './module-error.ts';
import { findOrphans, forgetProgress, ModuleRecord } from './module-record.ts';
import { createModuleResolver, type ResolveModule } from './module-resolver.ts';
import { createPullSecretReader, orNone, type ReadPullSecret } from './pull-secret-reader.ts';
import type { FoundTag } from './registry-client.ts';
import { toGivenUp, toRetryDelayMs } from './retry-policy.ts';
import { recheckSignatures } from './signature/recheck-signatures.ts';
import { TagWatch } from './tag-watch.ts';
import { createTrialRunner, type TrialRunner } from './trial/trial-runner.ts';

export interface ModuleReconcilerOptions {
  readonly store: Store;
  /** Opens pull secrets. */
  readonly seal: Seal;
  readonly cache: BlobCache;
  /** Where modules may come from; the clock is the one below. */
  readonly sources: Omit<ModuleSourceOptions, 'clock'>;
  /** A plugin here selects nodes of every namespace: whose Envoys a module must suit. */
  readonly rootNamespace: string;
  /** Between two looks at a tag that is followed, ms; undefined: none. */
  readonly tagIntervalMs: number | undefined;
  /** Best the same one as the planner's, so that few run at once; default: one of its own. */
  readonly trials?: TrialRunner;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
}

export interface ModuleReconciler {
  /** Ends downloads that are under way; they begin again at the next start. */
  stop(): Promise<void>;
}

/** What other credentials can heal; a private repository can look missing. */
const CREDENTIAL_CODES: readonly string[] = [
  'pull-secret-missing',
  'pull-secret-locked',
  'bad-credentials',
  'unauthorized',
  'denied',
  'module-not-found',
];

/**
 * The shell of the module stage: for each changed PluginSpec resolve, fetch, verify, check, and write Revision and
 * ModuleProgress. Transient faults are tried again for an hour (`retrying`), others are final until the plugin
 * changes (`failed`). A plugin that was deleted needs no module, though its record is still there; its revisions stay,
 * for their numbers. Other plugins never wait for one that cannot be fetched.
 */
export async function startModuleReconciler(options: ModuleReconcilerOptions): Promise<ModuleReconciler> {
  const stopping = new AbortController();
  const source = createModuleSource(options.cache, { ...options.sources, clock: options.clock });
  for (const plugin of await findOrphans(options.store)) await forgetProgress(options.store, plugin);
  const trials = options.trials ?? createTrialRunner({ clock: options.clock });
  const reconciler = new Reconciler(options, source, trials, stopping.signal);
  const watching = reconciler.watch();
  const { tagIntervalMs: intervalMs } = options;
  const tags = intervalMs === undefined ? undefined : reconciler.followTags(intervalMs);
  return {
    async stop() {
      stopping.abort();
      await watching;
      await Promise.all([reconciler.settle(), tags?.stop()]);
      if (options.trials === undefined) await trials.close();
      await source.close();
    },
  };
}

/** The work on one state of a spec; a newer state cancels it. */
interface Run {
  readonly plugin: PluginName;
  readonly spec: Stored<PluginSpec>;
  readonly cancelled: AbortSignal;
}

class Reconciler {
  readonly #options: ModuleReconcilerOptions;
  readonly #source: ModuleSource;
  readonly #readPullSecret: ReadPullSecret;
  readonly #resolve: ResolveModule;
  readonly #stopping: AbortSignal;
  readonly #current = new Map<PluginName, AbortController>();
  readonly #running = new Set<Promise<void>>();
  /** Nothing is to be done for them if their module is here: to be looked at still. */
  readonly #settled = new Map<PluginName, Stored<PluginSpec>>();
  readonly #looks = new Map<string, Promise<boolean>>();

  constructor(
    options: ModuleReconcilerOptions,
    source: ModuleSource,
    trials: TrialRunner,
    stopping: AbortSignal,
  ) {
    this.#options = options;
    this.#source = source;
    const readPullSecret = createPullSecretReader(options.store, options.seal);
    this.#readPullSecret = readPullSecret;
    this.#resolve = createModuleResolver({ ...options, source, readPullSecret, trials, stopping });
    this.#stopping = stopping;
  }

  async watch(): Promise<void> {
    try {
      for await (const changes of this.#options.store.watch(['PluginSpec', 'PullSecret'], this.#stopping)) {
        const initial: Stored<PluginSpec>[] = [];
        for (const change of changes) {
          if (change.kind === 'PullSecret' && !change.initial) await this.#beginUsers(change.key);
          if (change.kind !== 'PluginSpec') continue;
          if (change.initial && change.stored !== undefined) initial.push(change.stored);
          else this.#begin(change.key, change.stored);
        }
        if (initial.length > 0) await this.#beginInitial(initial);
      }
    } catch (error) {
      if (!this.#stopping.aborted)
        this.#options.log.error({ error: toMessage(error) }, 'the module stage stands still: watch failed');
    }
  }

  /** Begins with what the store held at our start; for most there is nothing to do. */
  async #beginInitial(specs: readonly Stored<PluginSpec>[]): Promise<void> {
    // What cannot be read is for the work on a plugin to tell.
    const settled = await findSettled(specs, this.#options.store, this.#source.signatures).catch(() => []);
    for (const { spec } of settled) this.#settled.set(spec.key, spec);
    for (const spec of specs) if (!this.#settled.has(spec.key)) this.#begin(spec.key, spec);
    for (const [sha256, plugins] of Map.groupBy(settled, one => one.sha256)) {
      const look = this.#lookFor(sha256, plugins).finally(() => this.#running.delete(look));
      this.#running.add(look);
    }
  }

  async #lookFor(sha256: string, plugins: readonly SettledPlugin[]): Promise<void> {
    const isHere = await this.#isCached(sha256).catch(() => false);
    for (const { spec } of plugins) {
      // A newer document was begun with when it came.
      if (!isHere && this.#settled.get(spec.key) === spec) this.#begin(spec.key, spec);
      this.#settled.delete(spec.key);
    }
  }

  followTags(intervalMs: number): TagWatch {
    const cancelled = this.#stopping;
    const resolve = (spec: PluginSpec, tag: FoundTag) => this.#resolve({ spec, tag, cancelled });
    const ports = { source: this.#source, readPullSecret: this.#readPullSecret, resolve, intervalMs };
    return new TagWatch({ ...this.#options, ...ports }, cancelled);
  }

  /** Credentials are there, or others: what failed for the want of them is tried again. */
  async #beginUsers(secret: string): Promise<void> {
    const { records } = await this.#options.store.list('PluginSpec');
    for (const spec of records) {
      const { namespace, imagePullSecret: name } = spec.value;
      if (name !== undefined && pullSecretKey({ namespace, name }) === secret) this.#begin(spec.key, spec);
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #begin(plugin: PluginName, spec: Stored<PluginSpec> | undefined): void {
    this.#settled.delete(plugin);
    this.#current.get(plugin)?.abort();
    const current = new AbortController();
    this.#current.set(plugin, current);
    const cancelled = AbortSignal.any([current.signal, this.#stopping]);
    const work = this.#persist(plugin, cancelled, async () => {
      if (spec === undefined) await forgetProgress(this.#options.store, plugin);
      else if (spec.value.deleted === undefined) {
        const run: Run = { plugin, spec, cancelled };
        await Promise.all([this.#reconcile(run), this.#recheck(run)]);
      }
    }).finally(() => {
      this.#running.delete(work);
      if (this.#current.get(plugin) === current) this.#current.delete(plugin);
    });
    this.#running.add(work);
  }

  /** Faults of the store and of our own: logged, and tried again for as long as the work is wanted. */
  async #persist(plugin: PluginName, cancelled: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (let attempt = 1; !cancelled.aborted; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (cancelled.aborted) return;
        this.#options.log.error({ plugin, error: toMessage(error) }, 'module stage failed, will try again');
        await this.#wait(toRetryDelayMs(attempt, this.#chance()), cancelled);
      }
    }
  }

  async #reconcile(run: Run): Promise<void> {
    const { store, clock } = this.#options;
    const { plugin, spec } = run;
    const progress = (await store.get('ModuleProgress', plugin))?.value;
    const sameSpec = progress?.specRevision === spec.revision;
    if (sameSpec && progress.state === 'failed' && !mayHealWithoutUs(spec.value, progress)) return;
    if (sameSpec && progress.state === 'ready') {
      const revision = await store.get('Revision', revisionKey(plugin, progress.revision ?? 0));
      // A blob that is gone or damaged is fetched again, under its old digest.
      if (revision !== undefined && this.#isChecked(spec.value, revision.value)) {
        if (await this.#isCached(revision.value.module.sha256)) return;
      }
    }
    const since = sameSpec && progress.state === 'retrying' ? progress.since : undefined;
    await this.#tryUntilDone(run, since ?? clock.now());
  }

  /** At the start all plugins of a module ask at once: 1,000 looks at its file took 150 ms of CPU. */
  #isCached(sha256: string): Promise<boolean> {
    const look =
      this.#looks.get(sha256) ?? this.#options.cache.has(sha256).finally(() => this.#looks.delete(sha256));
    this.#looks.set(sha256, look);
    return look;
  }

  #isChecked(spec: PluginSpec, { module }: Revision): boolean {
    try {
      return this.#source.signatures.isCurrent(spec, module.signature);
    } catch {
      // It will be said when it is tried.
      return false;
    }
  }

  /** Signatures of revisions that were made when other ones were asked for. */
  async #recheck({ plugin, spec, cancelled }: Run): Promise<void> {
    const { store, clock, log } = this.#options;
    const record = new ModuleRecord(this.#options, plugin, spec);
    const ports = {
      signatures: this.#source.signatures,
      record: record.recordSignature.bind(record),
      clock,
    };
    const since = clock.now();
    for (let attempt = 1; !cancelled.aborted; attempt++) {
      const { records: revisions } = await store.list('Revision', `${plugin}/`);
      const credentials = await orNone(this.#readPullSecret(spec.value));
      const fault = await recheckSignatures(spec.value, revisions, { ...ports, credentials }, cancelled);
      if (fault === undefined || clock.now() - since >= moduleDeadlineOf(spec.value.rollout)) return;
      log.warn({ plugin, code: fault.code, attempt }, `signatures not checked: ${fault.message}`);
      await this.#wait(toRetryDelayMs(attempt, this.#chance(), fault.retryAfterMs), cancelled);
    }
  }

  async #tryUntilDone(run: Run, since: number): Promise<void> {
    const { clock, log } = this.#options;
    const record = new ModuleRecord(this.#options, run.plugin, run.spec);
    const deadlineMs = moduleDeadlineOf(run.spec.value.rollout);
    let said = '';
    for (let attempt = 1; !run.cancelled.aborted; attempt++) {
      const outcome = await this.#try(run, record, attempt);
      if (outcome === undefined || run.cancelled.aborted) return;
      log.warn({ plugin: run.plugin, code: outcome.code, attempt }, outcome.message);
      if (!outcome.transient || clock.now() - since >= deadlineMs) {
        await record.recordFailed(outcome.transient ? toGivenUp(outcome, deadlineMs) : outcome);
        return;
      }
      // The same words again are no news, and no commit.
      if (said !== outcome.message && !(await record.recordRetrying(outcome, since))) return;
      said = outcome.message;
      await this.#wait(toRetryDelayMs(attempt, this.#chance(), outcome.retryAfterMs), run.cancelled);
    }
  }

  /** Undefined: done, or not wanted any more. */
  async #try(run: Run, record: ModuleRecord, attempt: number): Promise<ModuleError | undefined> {
    const begun = async () => attempt === 1 && record.recordResolving();
    try {
      const module = await this.#resolve({ spec: run.spec.value, cancelled: run.cancelled, begun });
      if (!run.cancelled.aborted) await record.recordReady(module);
      return undefined;
    } catch (error) {
      return toModuleError(error);
    }
  }

  #wait(delayMs: number, cancelled: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (cancelled.aborted) return resolve();
      const done = () => {
        cancel();
        cancelled.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#options.clock.after(delayMs, done);
      cancelled.addEventListener('abort', done);
    });
  }

  /** 0 to 1 */
  #chance(): number {
    return Number.parseInt(this.#options.random(2), 16) / 0xffff;
  }
}

/** The policy or the credentials may be others since, or it was signed meanwhile. */
function mayHealWithoutUs({ imagePullSecret }: PluginSpec, { code = '' }: ModuleProgress): boolean {
  if (code.startsWith('signature-')) return true;
  return imagePullSecret !== undefined && CREDENTIAL_CODES.includes(code);
}

function toModuleError(error: unknown): ModuleError {
  if (error instanceof ModuleError) return error;
  return new ModuleError('module-fault', `Attaché failed at it: ${toMessage(error)}`, {
    cause: error,
    hint: 'See the log of the server. It is tried again.',
  });
}
