import { toMessage } from '../model/error.ts';
import { isOciUrl, type PluginName, type PluginSpec, toPullPolicy } from '../model/plugin-spec.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { ModuleFacts, ModuleProgress, TagTrouble } from '../model/revision.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Store, Stored } from '../store/store.ts';
import type { ModuleSource } from './fetch-module.ts';
import { ModuleError } from './module-error.ts';
import { ModuleRecord } from './module-record.ts';
import type { ReadPullSecret } from './pull-secret-reader.ts';
import type { FoundTag } from './registry-client.ts';
import { Turns } from './turns.ts';

export interface TagWatchOptions {
  readonly store: Store;
  readonly source: Pick<ModuleSource, 'findTag'>;
  readonly readPullSecret: ReadPullSecret;
  /** The module that a tag names now, checked as for an apply. Throws ModuleError. */
  readonly resolve: (spec: PluginSpec, tag: FoundTag) => Promise<ModuleFacts>;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
}

/** Few at a time, and beside the downloads of what is applied: nobody waits for it. */
const PARALLEL = 4;

/**
 * Follows the tags of plugins whose pull policy is Always: a tag that moved makes a revision, and so a rollout. Whatever
 * goes wrong with it changes nothing but what is told: the plugin stays `ready` with the revision that it has.
 */
export class TagWatch {
  readonly #options: TagWatchOptions;
  readonly #stopping: AbortSignal;
  readonly #turns = new Turns(PARALLEL);
  #round: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};

  constructor(options: TagWatchOptions, stopping: AbortSignal) {
    this.#options = options;
    this.#stopping = stopping;
    this.#schedule();
  }

  /** Ends when the round under way does; abort the signal first. */
  async stop(): Promise<void> {
    this.#cancel();
    await this.#round;
  }

  #schedule(): void {
    const { clock, random, intervalMs } = this.#options;
    if (this.#stopping.aborted) return;
    // Spread, so that many servers do not ask in step.
    const share = 0.9 + (Number.parseInt(random(2), 16) / 0xffff) * 0.2;
    this.#cancel = clock.after(Math.round(intervalMs * share), () => {
      this.#round = this.#lookAtAll().finally(() => this.#schedule());
    });
  }

  async #lookAtAll(): Promise<void> {
    const { store, log } = this.#options;
    try {
      const { records } = await store.list('PluginSpec');
      const followed = records.filter(({ value }) => isFollowed(value));
      // All of them end before the round does: nothing may be written once it is stopped.
      const looks = followed.map(spec => this.#turns.run(() => this.#look(spec.key, spec)));
      const failed = (await Promise.allSettled(looks)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    } catch (error) {
      if (!this.#stopping.aborted) log.error({ error: toMessage(error) }, 'tags could not be looked up');
    }
  }

  async #look(plugin: PluginName, spec: Stored<PluginSpec>): Promise<void> {
    const { store, log } = this.#options;
    const progress = await store.get('ModuleProgress', plugin);
    if (this.#stopping.aborted || !isSettled(progress, spec)) return;
    const record = new ModuleRecord(this.#options, plugin, spec);
    let tag: FoundTag | undefined;
    try {
      const before = await this.#readBefore(progress.value);
      tag = await this.#findTag(spec.value, before.mirror);
      if (tag.digest === before.digest) return await this.#tell(record, progress, undefined);
      if (tag.digest === progress.value.tag?.digest) return;
      const module = await this.#options.resolve(spec.value, tag);
      if (this.#stopping.aborted) return;
      await record.recordReady(module, { from: before.digest });
    } catch (error) {
      if (this.#stopping.aborted) return;
      if (!(error instanceof ModuleError)) {
        log.error({ plugin, error: toMessage(error) }, 'the tag could not be looked up');
        return;
      }
      log.warn({ plugin, code: error.code }, `the tag was not followed: ${error.message}`);
      await this.#tell(record, progress, this.#toTrouble(error, tag));
    }
  }

  async #readBefore({ plugin, revision = 0, found }: ModuleProgress): Promise<Partial<FoundTag>> {
    if (found !== undefined) return found;
    const stored = await this.#options.store.get('Revision', revisionKey(plugin, revision));
    const { referenceDigest, mirror } = stored?.value.module ?? {};
    return { ...(referenceDigest === undefined ? {} : { digest: referenceDigest }), mirror };
  }

  /** Of the place that told it before: a mirror that lags behind must not move a fleet to and fro as it comes and goes. */
  async #findTag(spec: PluginSpec, mirror: string | undefined): Promise<FoundTag> {
    const credentials = await this.#options.readPullSecret(spec);
    return this.#options.source.findTag({ url: spec.url, credentials, mirror }, this.#stopping);
  }

  /** What cannot be used is not fetched again as long as the tag names it; a signature may come later. */
  #toTrouble(error: ModuleError, tag: FoundTag | undefined): TagTrouble {
    const { code, message, hint } = error;
    const isFinal = tag !== undefined && !error.transient && !code.startsWith('signature-');
    return {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(isFinal ? { digest: tag.digest } : {}),
      since: this.#options.clock.now(),
    };
  }

  async #tell(
    record: ModuleRecord,
    progress: Stored<ModuleProgress>,
    trouble: TagTrouble | undefined,
  ): Promise<void> {
    const before = progress.value.tag;
    // Other words for the same fault are no news.
    if (before?.code === trouble?.code && before?.digest === trouble?.digest) return;
    await record.recordTagTrouble(progress, trouble);
  }
}

function isFollowed(spec: PluginSpec): boolean {
  return spec.deleted === undefined && isOciUrl(spec.url) && toPullPolicy(spec) === 'Always';
}

function isSettled(
  progress: Stored<ModuleProgress> | undefined,
  spec: Stored<PluginSpec>,
): progress is Stored<ModuleProgress> {
  return progress?.value.state === 'ready' && progress.value.specRevision === spec.revision;
}
