import type { Assignment } from '../../src/model/assignment.ts';
import type { PluginName, PluginSpec } from '../../src/model/plugin-spec.ts';
import { isActive, type Rollout } from '../../src/model/rollout.ts';
import { isLegal, type RolloutAction, type RolloutIntent } from '../../src/model/rollout-intent.ts';
import { FREEZE_KEY } from '../../src/store/record-kinds.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import type { Content } from './contents.ts';
import type { ModuleDesk } from './module-desk.ts';
import type { SimClock } from './sim-clock.ts';
import type { Wire } from './wire.ts';

/** What a person may write beside the content. */
export type DocumentPart = Pick<PluginSpec, 'selector' | 'rollout' | 'preset'>;

const BY = 'admin';

/** In place of the api: documents, verbs, freeze and node policies, with the checks that the api makes. */
export class Office {
  readonly #store: Store;
  readonly #clock: SimClock;
  readonly #wire: Wire;
  readonly #modules: ModuleDesk;
  /** The content of the newest document. */
  readonly #applied = new Map<PluginName, Content>();
  #isFrozen = false;

  constructor(of: { store: Store; clock: SimClock; wire: Wire; modules: ModuleDesk }) {
    this.#store = of.store;
    this.#clock = of.clock;
    this.#wire = of.wire;
    this.#modules = of.modules;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  contentOf(plugin: PluginName): Content | undefined {
    return this.#applied.get(plugin);
  }

  async specOf(plugin: PluginName): Promise<PluginSpec | undefined> {
    return (await this.#store.get('PluginSpec', plugin))?.value;
  }

  /** The newest rollout of a plugin, as GET shows it. */
  async rolloutOf(plugin: PluginName): Promise<Rollout | undefined> {
    return (await this.#store.list('Rollout', `${plugin}/`)).records.at(-1)?.value;
  }

  async apply(plugin: PluginName, content: Content, part: DocumentPart): Promise<void> {
    const [namespace = '', name = ''] = plugin.split('/');
    const before = await this.specOf(plugin);
    const { phase, priority } = content;
    const createdAt = before?.createdAt ?? this.#clock.now();
    const spec: PluginSpec = { namespace, name, url: 'u', phase, priority, by: BY, createdAt, ...part };
    this.#applied.set(plugin, content);
    await this.#putSpec(plugin, spec, content);
  }

  async remove(plugin: PluginName, now: boolean): Promise<void> {
    const spec = await this.specOf(plugin);
    if (spec === undefined || spec.deleted !== undefined) return;
    const deleted = { at: this.#clock.now(), by: BY, now };
    this.#wire.did({ type: 'deleted', plugin, now });
    this.#modules.onDeleted(plugin);
    await this.#store.put('PluginSpec', plugin, { ...spec, deleted });
  }

  /** false: the api refuses it, or says that there is nothing to do. */
  async ask(
    plugin: PluginName,
    action: RolloutAction,
    how: { readonly full?: boolean; readonly freeze?: boolean; readonly to?: number } = {},
  ): Promise<boolean> {
    const rollout = await this.rolloutOf(plugin);
    const spec = await this.specOf(plugin);
    if (rollout === undefined || spec === undefined) return false;
    const assignment = (await this.#store.get('Assignment', plugin))?.value;
    if (!this.#isLegal(action, rollout, assignment) || isBackAlready(action, rollout, assignment))
      return false;
    const before = (await this.#store.get('RolloutIntent', plugin))?.value;
    const intent: RolloutIntent = {
      id: (before?.id ?? 0) + 1,
      plugin,
      rollout: action === 'undo' && !isActive(rollout) ? null : rollout.id,
      action,
      by: BY,
      at: this.#clock.now(),
      ...how,
    };
    const { full = false, freeze = false, to = null } = how;
    this.#wire.did({ type: 'verb', plugin, action, full, freeze, to });
    const put: Operation = { op: 'put', kind: 'RolloutIntent', key: plugin, value: intent };
    const next = this.#specAfter(action, spec, rollout, freeze);
    if (next === undefined) await this.#store.transaction([put]);
    else await this.#putSpec(plugin, next, this.#applied.get(plugin), [put]);
    return true;
  }

  #isLegal(action: RolloutAction, rollout: Rollout, assignment: Assignment | undefined): boolean {
    if (this.#isFrozen && ['retry', 'resume', 'promote'].includes(action)) return false;
    const isHeld = action === 'retry' && assignment?.held !== undefined && !isActive(rollout);
    return isHeld || isLegal(action, rollout.phase);
  }

  /** A delete that is taken back or tried again, and a module that is to be looked for again, change the document. */
  #specAfter(
    action: RolloutAction,
    spec: PluginSpec,
    rollout: Rollout,
    freeze: boolean,
  ): PluginSpec | undefined {
    const { deleted, ...restored } = spec;
    if (action === 'undo' || (action === 'abort' && !freeze)) return deleted && restored;
    if (action !== 'retry') return undefined;
    if (rollout.kind === 'delete' && deleted === undefined)
      return { ...spec, deleted: { at: this.#clock.now(), by: BY, now: false } };
    return rollout.phase === 'NotStarted' ? spec : undefined;
  }

  async freeze(): Promise<void> {
    this.#isFrozen = true;
    this.#wire.did({ type: 'frozen' });
    await this.#store.put('Freeze', FREEZE_KEY, { by: BY, message: null, at: this.#clock.now() });
  }

  async unfreeze(): Promise<void> {
    this.#isFrozen = false;
    this.#wire.did({ type: 'unfrozen' });
    await this.#store.delete('Freeze', FREEZE_KEY);
  }

  async exclude(node: string): Promise<void> {
    this.#wire.did({ type: 'excluded', node });
    const excluded = { by: BY, message: null, at: this.#clock.now() };
    await this.#store.put('NodePolicy', node, { node, excluded });
  }

  async include(node: string): Promise<void> {
    this.#wire.did({ type: 'included', node });
    await this.#store.delete('NodePolicy', node);
  }

  async #putSpec(
    plugin: PluginName,
    spec: PluginSpec,
    content: Content | undefined,
    also: readonly Operation[] = [],
  ): Promise<void> {
    const put: Operation = { op: 'put', kind: 'PluginSpec', key: plugin, value: spec };
    this.#wire.did({ type: 'applied', plugin, spec });
    const revision = await this.#store.transaction([put, ...also]);
    if (content !== undefined && spec.deleted === undefined)
      this.#modules.onDocument(plugin, revision, content);
  }
}

function isBackAlready(action: RolloutAction, rollout: Rollout, assignment: Assignment | undefined): boolean {
  if (action !== 'undo' || isActive(rollout)) return false;
  if (assignment === undefined) return true;
  if (assignment.moved.length > 0) return false;
  return rollout.phase !== 'Succeeded' || rollout.kind === 'undo';
}
