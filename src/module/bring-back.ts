import type { Assignment } from '../model/assignment.ts';
import { toMessage } from '../model/error.ts';
import { isHeld } from '../model/module-holds.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import { sha256Hex } from '../model/plugin-spec.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { ModuleFacts, Revision } from '../model/revision.ts';
import { NO_SIGNATURE_POLICY } from '../model/signature-policy.ts';
import { eventKey, revisionKey } from '../store/record-kinds.ts';
import type { Store } from '../store/store.ts';
import type { BlobCache } from './blob-cache.ts';
import { MAX_MODULE_BYTES } from './check-module.ts';
import { createModuleSource, type ModuleSource, type ModuleSourceOptions } from './fetch-module.ts';
import { ModuleError } from './module-error.ts';
import { createPullSecretReader, orNone, type ReadPullSecret } from './pull-secret-reader.ts';
import { readModuleHolds } from './read-holds.ts';
import { repeat } from './repeat.ts';
import { toPinned } from './resolve-plugin.ts';
import { toRetryDelayMs } from './retry-policy.ts';
import { wrongDigest } from './verify-digest.ts';

export interface ModuleKeeperOptions {
  readonly store: Store;
  readonly cache: BlobCache;
  /** Opens the pull secrets of plugins. */
  readonly seal: Seal;
  /** Where modules may come from; the clock is the one below. */
  readonly sources: Omit<ModuleSourceOptions, 'clock' | 'signatures'>;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
}

export interface ModuleKeeper {
  /** Fetches a module again if it is needed and not here; in the background, and again until it is there. */
  bring(sha256: string): void;
  /** Ends downloads that are under way. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 10 * 60_000;

/**
 * Sees to it that every module that must be here is here: what was damaged, or deleted by hand, is fetched again from
 * where revisions had it, by digest. Told by the cache and by who asks for a module in vain; looks by itself when nodes
 * are to run something else, as after an undo to a revision whose module had to make room, and every ten minutes.
 */
export function startModuleKeeper(options: ModuleKeeperOptions): ModuleKeeper {
  // No signatures are asked for: the bytes are those that were verified before, by their digest.
  const source = createModuleSource(options.cache, {
    ...options.sources,
    signatures: NO_SIGNATURE_POLICY,
    clock: options.clock,
  });
  const keeper = new Keeper(options, source);
  options.cache.onLost(sha256 => keeper.bring(sha256));
  const { clock, log } = options;
  const failed = 'the module directory could not be compared with the plugins; trying again';
  const following = keeper.follow();
  const endSweep = repeat({ clock, log }, INTERVAL_MS, failed, () => keeper.sweep());
  return {
    bring: sha256 => keeper.bring(sha256),
    async stop() {
      await Promise.all([endSweep(), keeper.stop(), following]);
      await source.close();
    },
  };
}

class Keeper {
  readonly #options: ModuleKeeperOptions;
  readonly #source: ModuleSource;
  readonly #readPullSecret: ReadPullSecret;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  /** What was last said of a module that cannot be had: the same words again are no news. */
  readonly #said = new Map<string, string>();

  constructor(options: ModuleKeeperOptions, source: ModuleSource) {
    this.#options = options;
    this.#source = source;
    this.#readPullSecret = createPullSecretReader(options.store, options.seal);
  }

  bring(sha256: string): void {
    if (this.#stopping.signal.aborted || this.#running.has(sha256)) return;
    const work = this.#persist(sha256)
      .catch(error => {
        if (!this.#stopping.signal.aborted)
          this.#options.log.error({ sha256, error: toMessage(error) }, 'a module could not be brought back');
      })
      .finally(() => this.#running.delete(sha256));
    this.#running.set(sha256, work);
  }

  /** Those that nodes are to run, at the start and as they change. */
  async follow(): Promise<void> {
    const { store, log } = this.#options;
    try {
      for await (const changes of store.watch(['Assignment'], this.#stopping.signal)) {
        const seen = new Set<string>();
        for (const change of changes)
          if (change.kind === 'Assignment' && change.stored !== undefined)
            await this.#see(change.stored.value, seen);
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        log.error({ error: toMessage(error) }, 'modules are not looked after as nodes change: watch failed');
    }
  }

  /** `seen`: the modules that were looked for. At the start plugins come together, and many have one module. */
  async #see({ plugin, base, moved }: Assignment, seen: Set<string>): Promise<void> {
    const { store, cache } = this.#options;
    for (const { revision } of [base, ...moved.map(({ side }) => side)]) {
      if (revision === null || this.#stopping.signal.aborted) continue;
      const sha256 = (await store.get('Revision', revisionKey(plugin, revision)))?.value.module.sha256;
      if (sha256 === undefined || seen.has(sha256)) continue;
      seen.add(sha256);
      // A fault of the disk is for who needs the bytes to tell.
      if (!(await cache.has(sha256).catch(() => true))) this.bring(sha256);
    }
  }

  async sweep(): Promise<void> {
    const { store, cache, clock } = this.#options;
    const here = new Set(cache.list().map(({ sha256 }) => sha256));
    for (const [sha256, holds] of await readModuleHolds(store, clock.now()))
      if (isHeld(holds) && !here.has(sha256)) this.bring(sha256);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  async #persist(sha256: string): Promise<void> {
    const { cache, clock, random } = this.#options;
    for (let attempt = 1; !this.#stopping.signal.aborted; attempt++) {
      const sources = await this.#findSources(sha256);
      if (sources.length === 0 || (await cache.has(sha256))) return;
      const error = await this.#try(sha256, sources);
      if (this.#stopping.signal.aborted) return;
      await this.#tell(sha256, sources, error);
      // What is final now may be otherwise at the next look.
      if (error === undefined || !error.transient) return;
      const chance = Number.parseInt(random(2), 16) / 0xffff;
      await this.#wait(clock, toRetryDelayMs(attempt, chance, error.retryAfterMs));
    }
  }

  /** The revisions that have it, newest first; none where nobody needs it. */
  async #findSources(sha256: string): Promise<readonly Revision[]> {
    const { store, clock } = this.#options;
    const holds = (await readModuleHolds(store, clock.now())).get(sha256);
    if (!isHeld(holds)) return [];
    return (await store.list('Revision')).records
      .map(({ value }) => value)
      .filter(({ module }) => module.sha256 === sha256)
      .toSorted((a, b) => b.createdAt - a.createdAt);
  }

  /** The fault of the last place that was asked; undefined: it is here. */
  async #try(sha256: string, sources: readonly Revision[]): Promise<ModuleError | undefined> {
    let last: ModuleError | undefined;
    const asked = new Set<string>();
    for (const { plugin, module } of sources) {
      const key = `${plugin} ${module.url} ${module.referenceDigest}`;
      if (asked.has(key)) continue;
      asked.add(key);
      try {
        const spec = (await this.#options.store.get('PluginSpec', plugin))?.value;
        await this.#fetch(sha256, module, spec);
        return undefined;
      } catch (error) {
        last = error instanceof ModuleError ? error : new ModuleError('module-fault', toMessage(error));
      }
    }
    return last;
  }

  async #fetch(sha256: string, module: ModuleFacts, spec: PluginSpec | undefined): Promise<void> {
    // The document may have been changed or be gone; what it says of how to log in is the best there is.
    const credentials = spec === undefined ? undefined : await orNone(this.#readPullSecret(spec));
    const { bytes } = await this.#source.fetch({ ...toPinned(module), credentials }, this.#stopping.signal);
    const found = sha256Hex(bytes);
    if (found !== sha256)
      throw wrongDigest(`the module of ${module.url}`, `sha256:${sha256}`, `sha256:${found}`);
    await this.#options.cache.write([bytes], { maxBytes: MAX_MODULE_BYTES, expected: sha256 });
  }

  async #tell(
    sha256: string,
    [revision]: readonly Revision[],
    error: ModuleError | undefined,
  ): Promise<void> {
    const { store, clock, random, log } = this.#options;
    const short = sha256.slice(0, 12);
    const text =
      error === undefined
        ? `module ${short} was damaged or gone on our disk and was fetched again`
        : `module ${short} is damaged or gone on our disk and cannot be fetched (${error.code}): ${error.message}`;
    if (revision === undefined || this.#said.get(sha256) === text) return;
    if (error === undefined) this.#said.delete(sha256);
    else this.#said.set(sha256, text);
    log.warn({ sha256, plugin: revision.plugin }, text);
    const at = clock.now();
    const type = error === undefined ? 'module.restored' : 'module.lost';
    await store.put('Event', eventKey(at, random(4)), { type, at, plugin: revision.plugin, message: text });
  }

  #wait(clock: Clock, delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const { signal } = this.#stopping;
      if (signal.aborted) return resolve();
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.after(delayMs, done);
      signal.addEventListener('abort', done);
    });
  }
}
