import { toDecision } from '../model/audit.ts';
import type { Event } from '../model/event.ts';
import { type ModuleSignature, toSignatureText } from '../model/module-signature.ts';
import { type PluginName, type PluginSpec, toCanonicalJson } from '../model/plugin-spec.ts';
import type { Clock, RandomHex } from '../model/ports.ts';
import type { ModuleFacts, ModuleProgress, Revision, TagTrouble } from '../model/revision.ts';
import { eventKey, revisionKey } from '../store/record-kinds.ts';
import type { Operation, Store, Stored } from '../store/store.ts';
import { ConflictError } from '../store/store-error.ts';
import type { ModuleError } from './module-error.ts';
import { planRevision } from './plan-revision.ts';
import { withSignature } from './signature/signature-checker.ts';

export interface RecordPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: RandomHex;
}

/** The revisions of a plugin, oldest first. */
export async function listRevisions(store: Store, plugin: PluginName): Promise<readonly Revision[]> {
  return (await store.list('Revision', `${plugin}/`)).records.map(({ value }) => value);
}

/**
 * What the module stage writes about one state of a PluginSpec. Every write holds only as long as that state is the
 * newest; false: it is not any more, and nothing was written.
 */
export class ModuleRecord {
  readonly #ports: RecordPorts;
  readonly #plugin: PluginName;
  readonly #spec: Stored<PluginSpec>;

  constructor(ports: RecordPorts, plugin: PluginName, spec: Stored<PluginSpec>) {
    this.#ports = ports;
    this.#plugin = plugin;
    this.#spec = spec;
  }

  recordResolving(): Promise<boolean> {
    return this.#write(this.#toProgress({ state: 'resolving' }));
  }

  recordRetrying(error: ModuleError, since: number): Promise<boolean> {
    return this.#write({ ...this.#toProgress({ state: 'retrying' }), ...describe(error), since });
  }

  recordFailed(error: ModuleError): Promise<boolean> {
    const message = `module not usable (${error.code}): ${error.message}`;
    const event = this.#toEvent('module.failed', message);
    return this.#write({ ...this.#toProgress({ state: 'failed' }), ...describe(error) }, event);
  }

  /**
   * The revision, new or found again, and the progress that names it, in one transaction. `moved`: nobody asked for it,
   * the tag named another digest (`from`) before.
   */
  async recordReady(module: ModuleFacts, moved?: { readonly from: string | undefined }): Promise<boolean> {
    const { store, clock } = this.#ports;
    const revisions = await listRevisions(store, this.#plugin);
    const { revision, isNew } = planRevision(this.#plugin, this.#spec.value, module, revisions, clock.now());
    const { number } = revision;
    const progress = this.#toProgress({ state: 'ready', revision: number, ...toFound(module) });
    const tagEvents = moved === undefined ? [] : this.#toMoved(module, moved.from);
    if (!isNew) return this.#write(progress, [...tagEvents, ...this.#toFoundAgain(revision, module)]);
    const key = revisionKey(this.#plugin, number);
    const by = module.mirror === undefined ? '' : `, by mirror ${module.mirror}`;
    const message = `revision ${number}: module sha256 ${module.sha256.slice(0, 12)} from ${module.url}${by}`;
    return this.#write(progress, [
      ...tagEvents,
      { op: 'put', kind: 'Revision', key, value: revision, expected: 'absent' },
      ...this.#toEvent('module.ready', message),
      ...this.#toSignatureEvents(number, undefined, module.signature),
    ]);
  }

  /** Why the tag is not followed, or that it is again; the progress is as it was read, else nothing is written. */
  recordTagTrouble(before: Stored<ModuleProgress>, trouble: TagTrouble | undefined): Promise<boolean> {
    const { tag: _tag, ...progress } = before.value;
    const next = trouble === undefined ? progress : { ...progress, tag: trouble };
    const url = this.#spec.value.url;
    const message =
      trouble === undefined
        ? `the tag of ${url} is followed again`
        : `the tag of ${url} is not followed, nothing was changed (${trouble.code}): ${trouble.message}`;
    const type = trouble === undefined ? 'module.tag-followed' : 'module.tag-failed';
    return this.#write(next, this.#toEvent(type, message), before.revision);
  }

  #toMoved({ url, referenceDigest }: ModuleFacts, from: string | undefined): readonly Operation[] {
    const short = (digest = '') => digest.slice(0, 'sha256:'.length + 12);
    return this.#toEvent(
      'module.tag-moved',
      `the tag of ${url} moved: ${short(from)} → ${short(referenceDigest)}`,
    );
  }

  /**
   * What came of looking for a revision's signature, which can take long: nothing is written where the revision was found
   * again meanwhile, that is newer; and who changed the document has it looked for anew.
   */
  async recordSignature(
    { value, revision: expected }: Stored<Revision>,
    signature: ModuleSignature | undefined,
  ): Promise<boolean> {
    const operations = this.#toFoundAgain(value, withSignature(value.module, signature), expected);
    return operations.length === 0 || this.#commit(operations);
  }

  /** Of a revision that is there already: its bytes stay, and are told as what was found last. */
  #toFoundAgain(revision: Revision, module: ModuleFacts, expected?: number): readonly Operation[] {
    const { number, module: before } = revision;
    if (isSamePlace(before, module) && isSameSignature(before.signature, module.signature)) return [];
    const key = revisionKey(this.#plugin, number);
    const put = { op: 'put', kind: 'Revision', key, value: { ...revision, module } } as const;
    return [
      expected === undefined ? put : { ...put, expected },
      ...this.#toSignatureEvents(number, before.signature, module.signature),
    ];
  }

  #toSignatureEvents(
    number: number,
    before: ModuleSignature | undefined,
    after: ModuleSignature | undefined,
  ): readonly Operation[] {
    const text = toSignatureText(after);
    if (text === toSignatureText(before)) return [];
    return this.#toEvent('module.signature', `revision ${number}: ${text}`);
  }

  #write(progress: ModuleProgress, more: readonly Operation[] = [], expected?: number): Promise<boolean> {
    const put = { op: 'put', kind: 'ModuleProgress', key: this.#plugin, value: progress } as const;
    return this.#commit([expected === undefined ? put : { ...put, expected }, ...more]);
  }

  /** Of the newest state of the spec; false: it is not that any more, or a record is not as expected. */
  async #commit(operations: readonly Operation[]): Promise<boolean> {
    const check = {
      op: 'check',
      kind: 'PluginSpec',
      key: this.#plugin,
      expected: this.#spec.revision,
    } as const;
    try {
      await this.#ports.store.transaction([check, ...operations]);
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }

  #toProgress(state: Pick<ModuleProgress, 'state' | 'revision' | 'found'>): ModuleProgress {
    const since = this.#ports.clock.now();
    return { plugin: this.#plugin, specRevision: this.#spec.revision, ...state, since };
  }

  /** What is told of it, and its entry in the audit: whatever this stage tells, it decided. */
  #toEvent(type: string, message: string): readonly Operation[] {
    const at = this.#ports.clock.now();
    const value: Event = { type, at, plugin: this.#plugin, message };
    const subject = this.#plugin;
    const draft = toDecision(at, { action: type, subject, text: message, behalf: this.#spec.value.by });
    return [
      { op: 'put', kind: 'Event', key: eventKey(at, this.#ports.random(4)), value },
      { op: 'append', kind: 'AuditEntry', value: draft },
    ];
  }
}

/**
 * Forgets how far a deleted plugin had got, unless it is there (again). Its revisions stay: a number is never used
 * twice, so that what a node once said about revision 1 cannot be taken for another plugin of the same name.
 */
export async function forgetProgress(store: Store, plugin: PluginName): Promise<void> {
  if ((await store.get('ModuleProgress', plugin)) === undefined) return;
  try {
    await store.transaction([
      { op: 'check', kind: 'PluginSpec', key: plugin, expected: 'absent' },
      { op: 'delete', kind: 'ModuleProgress', key: plugin },
    ]);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** Plugins that had got somewhere and are no more: deleted while nothing ran. */
export async function findOrphans(store: Store): Promise<readonly PluginName[]> {
  const [specs, progresses] = await Promise.all([store.list('PluginSpec'), store.list('ModuleProgress')]);
  const known = new Set(specs.records.map(({ key }) => key));
  return progresses.records.map(({ value }) => value.plugin).filter(plugin => !known.has(plugin));
}

/** What the reference named, for the next look at its tag. */
function toFound({ referenceDigest, mirror }: ModuleFacts): Pick<ModuleProgress, 'found'> {
  if (referenceDigest === undefined) return {};
  return { found: { digest: referenceDigest, ...(mirror === undefined ? {} : { mirror }) } };
}

/** Where the document has it from and what that names; which mirror gave it may differ each time, and is no news. */
function isSamePlace(a: ModuleFacts, b: ModuleFacts): boolean {
  return a.url === b.url && a.referenceDigest === b.referenceDigest && a.manifestDigest === b.manifestDigest;
}

function isSameSignature(a: ModuleSignature | undefined, b: ModuleSignature | undefined): boolean {
  const withoutTime = (of: ModuleSignature | undefined) => of && toCanonicalJson({ ...of, checkedAt: 0 });
  return withoutTime(a) === withoutTime(b);
}

function describe({ code, message, hint, faults }: ModuleError) {
  const pointer = faults[0]?.pointer;
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(pointer === undefined ? {} : { pointer }),
  };
}
