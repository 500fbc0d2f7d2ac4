import type { NodeIdentity } from '../model/node.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import type { Clock, Log } from '../model/ports.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { Revision } from '../model/revision.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { LiveTable } from '../store/live-table.ts';
import type { Change, Store } from '../store/store.ts';
import { toRevisionText } from './assign-plugins.ts';
import { SnapshotCompiler, type SnapshotInputs } from './build-snapshot.ts';
import { CompileInputs, type Effect, INPUT_KINDS, type LeftOut } from './compile-inputs.ts';
import type { KeyedNode } from './input-turn.ts';
import { type KnownNode, KnownNodes } from './known-nodes.ts';
import type { ModuleAddress } from './module-cluster.ts';
import { ProtoRegistry } from './proto-registry.ts';

export interface SnapshotReconcilerOptions {
  readonly store: Store;
  /** Filled here; key node.id. Nodes of equal inputs share one object, which stays while they are equal. */
  readonly snapshots: LiveTable<Snapshot>;
  /** Where Envoys reach the module server. */
  readonly modules: ModuleAddress;
  readonly clock: Clock;
  readonly log: Log;
  /** Plugins and resources of this namespace are for every node. */
  readonly rootNamespace: string;
  readonly registry?: ProtoRegistry;
  /** Opens the secrets of resources. */
  readonly seal: Pick<Seal, 'open'>;
}

/**
 * Keeps the snapshot of every known node up to date, connected or not; those that are known at the start get theirs when
 * somebody asks for it, and keep it up to date from then on. Resolves once all records are taken in; `stop` ends the watch
 * and waits for what is under way.
 */
export async function startSnapshotReconciler(
  options: SnapshotReconcilerOptions,
): Promise<{ stop(): Promise<void> }> {
  const abort = new AbortController();
  const changes = options.store
    .watch([...INPUT_KINDS, 'NodePolicy', 'NodePresence'], abort.signal)
    [Symbol.asyncIterator]();
  const reconciler = new SnapshotReconciler(options);
  const first = await changes.next();
  if (!first.done) reconciler.apply(first.value);
  const running = follow(changes, reconciler, options.log);
  return {
    async stop() {
      abort.abort();
      await running;
    },
  };
}

async function follow(
  changes: AsyncIterator<readonly Change[]>,
  reconciler: SnapshotReconciler,
  log: Log,
): Promise<void> {
  for (;;) {
    try {
      const batch = await changes.next();
      if (batch.done) return;
      reconciler.apply(batch.value);
    } catch (err) {
      // The change is taken in; the next one compiles everything again. A broken watch is done at its next turn.
      log.error({ err }, 'a change did not reach the snapshots');
    }
  }
}

/** Inputs that are remembered since the records changed last; with more of them all are looked for again. */
const MAX_FOUND = 20_000;

/** The nodes, and the inputs and the snapshot that each has; nodes of equal inputs share both. */
class SnapshotReconciler {
  readonly #options: SnapshotReconcilerOptions;
  readonly #inputs: CompileInputs;
  readonly #compiler: SnapshotCompiler;
  readonly #nodes = new KnownNodes();
  /** By identity key and sides, as the records are now. */
  readonly #found = new Map<string, SnapshotInputs>();
  /** Every snapshot is what the records say. False at the start, and after a pass that did not reach its end. */
  #isComplete = false;
  /**
   * Ids of nodes that were known at the start, and of which nobody has asked for a snapshot since. At the start none is
   * connected: to compile for 10,000 of 100 kinds took 250 ms of CPU before anything was served.
   */
  #unasked: Set<string> | undefined;
  /** Log lines since the resources changed last, and those of before: what goes on is said once. */
  #said = new Set<string>();
  #saidBefore = new Set<string>();

  constructor(options: SnapshotReconcilerOptions) {
    this.#options = options;
    this.#inputs = new CompileInputs(options.rootNamespace, options.seal);
    this.#compiler = new SnapshotCompiler({
      registry: options.registry ?? new ProtoRegistry(),
      modules: options.modules,
      log: options.log,
      revision: this.#inputs.findRevision,
      snapshotOf: claimed => this.#snapshotOf(claimed),
    });
    options.snapshots.makeWith(id => this.#makeAsked(id));
  }

  apply(changes: readonly Change[]): void {
    try {
      this.#apply(changes);
    } catch (err) {
      this.#isComplete = false;
      throw err;
    }
  }

  #apply(changes: readonly Change[]): void {
    const renewed = new Set<string>();
    const plugins = new Set<PluginName>();
    let hasResources = false;
    for (const change of changes) {
      const effect = this.#take(change, renewed);
      if (effect === 'resources') hasResources = true;
      else if (effect !== 'nothing') plugins.add(effect.plugin);
    }
    if (hasResources || plugins.size > 0) this.#found.clear();
    if (hasResources) this.#forgetSaid();
    if (this.#unasked === undefined) this.#beginWith(renewed);
    else if (!this.#isComplete) this.#findAll();
    else if (hasResources || plugins.size > 0) this.#turnAll(plugins, hasResources);
    else for (const id of renewed) this.#findOne(id);
  }

  #take(change: Change, renewed: Set<string>): Effect {
    const { snapshots } = this.#options;
    if (change.kind === 'NodePresence') {
      if (change.stored === undefined) {
        snapshots.delete(change.key);
        this.#unasked?.delete(change.key);
      }
      if (this.#nodes.take(change.key, change.stored?.value.node)) this.#renew(change.key, renewed);
      return 'nothing';
    }
    if (change.kind === 'NodePolicy') {
      if (this.#nodes.takePolicy(change.key, change.stored?.value)) this.#renew(change.key, renewed);
      return 'nothing';
    }
    if (change.kind === 'Revision' && change.stored !== undefined) this.#forgetMissing(change.stored.value);
    return this.#inputs.apply(change);
  }

  #renew(id: string, renewed: Set<string>): void {
    renewed.add(id);
    this.#unasked?.delete(id);
  }

  #beginWith(known: Set<string>): void {
    this.#unasked = known;
    this.#isComplete = true;
  }

  #makeAsked(id: string): Snapshot | undefined {
    const known = this.#nodes.get(id);
    if (known === undefined || this.#unasked?.has(id) !== true) return undefined;
    const { snapshot, kept } = this.#compile(this.#find(known));
    known.inputs = kept;
    this.#unasked.delete(id);
    return snapshot;
  }

  /** All whose snapshots somebody has. */
  #asked(): Iterable<KnownNode> {
    const unasked = this.#unasked ?? new Set();
    const all = this.#nodes.all();
    return unasked.size === 0 ? all : [...all].filter(({ node }) => !unasked.has(node.id));
  }

  #findAll(): void {
    this.#found.clear();
    for (const known of this.#asked()) known.inputs = this.#find(known);
    this.#isComplete = true;
    this.#publishAll(this.#asked());
    this.#retain();
  }

  /** All inputs first: while they are published, readers ask for those of others. */
  #turnAll(plugins: ReadonlySet<PluginName>, hasResources: boolean): void {
    const effects = [
      ...[...plugins].map(plugin => ({ plugin })),
      ...(hasResources ? (['resources'] as const) : []),
    ];
    const turns = effects.map(effect => this.#inputs.turnOf(effect, left => this.#say(left)));
    const changed: KnownNode[] = [];
    for (const known of this.#asked()) {
      const before = known.inputs;
      if (before === undefined) known.inputs = this.#find(known);
      else for (const turn of turns) known.inputs = turn(known.inputs ?? before, known);
      if (known.inputs !== before) changed.push(known);
    }
    this.#publishAll(changed);
    this.#retain();
  }

  #findOne(id: string): void {
    const known = this.#nodes.get(id);
    if (known === undefined) return;
    known.inputs = this.#find(known);
    this.#publishAll([known]);
  }

  #publishAll(nodes: Iterable<KnownNode>): void {
    let last:
      | { readonly inputs: SnapshotInputs; readonly kept: SnapshotInputs; readonly snapshot: Snapshot }
      | undefined;
    for (const known of nodes) {
      const { inputs } = known;
      if (inputs === undefined) continue;
      // Most have what the one before has.
      if (last?.inputs !== inputs) last = { inputs, ...this.#compile(inputs) };
      known.inputs = last.kept;
      this.#options.snapshots.set(known.node.id, last.snapshot, known.claimed);
    }
  }

  /** `kept`: of equal inputs those that came first, so that the next change finds them together. */
  #compile(inputs: SnapshotInputs): { readonly snapshot: Snapshot; readonly kept: SnapshotInputs } {
    const snapshot = this.#compiler.compile(inputs);
    return { snapshot, kept: this.#compiler.inputsOf(snapshot) ?? inputs };
  }

  #retain(): void {
    const kept = new Set<SnapshotInputs | undefined>();
    let last: SnapshotInputs | undefined;
    // Most have what the one before has.
    for (const { inputs } of this.#nodes.all()) {
      if (inputs !== last) kept.add(inputs);
      last = inputs;
    }
    this.#compiler.retain(kept);
  }

  /** By the records as they stand now; also for a node that nobody has told us of yet. */
  #snapshotOf(claimed: NodeIdentity): Snapshot {
    const known = this.#nodes.get(claimed.id);
    const keyed = this.#nodes.identify(claimed);
    const isKnown = this.#isComplete && known?.key === keyed.key;
    return this.#compiler.compile((isKnown ? known.inputs : undefined) ?? this.#find(keyed));
  }

  #find(keyed: KeyedNode): SnapshotInputs {
    const group = `${keyed.key}\n${this.#inputs.sidesOf(keyed.node.id)}`;
    const known = this.#found.get(group);
    if (known !== undefined) return known;
    if (this.#found.size >= MAX_FOUND) this.#found.clear();
    const { inputs, ...left } = this.#inputs.forNode(keyed);
    this.#say(left);
    this.#found.set(group, inputs);
    return inputs;
  }

  #forgetSaid(): void {
    this.#saidBefore = this.#said;
    this.#said = new Set();
  }

  /** It is there: should it be missing again, that is said again. */
  #forgetMissing({ plugin, number }: Pick<Revision, 'plugin' | 'number'>): void {
    for (const line of toLogLines({ missing: [toRevisionText(plugin, number)] })) {
      this.#said.delete(line);
      this.#saidBefore.delete(line);
    }
  }

  #say(left: Partial<LeftOut>): void {
    for (const line of toLogLines(left)) {
      if (this.#said.has(line)) continue;
      this.#said.add(line);
      if (!this.#saidBefore.has(line)) this.#options.log.warn({}, line);
    }
  }
}

function toLogLines({
  missing = [],
  conflicts = [],
  addressConflicts = [],
  closed = [],
}: Partial<LeftOut>): readonly string[] {
  const left = missing.map(what => `${what} is assigned but not there: the plugin is left out until it is`);
  const names = conflicts.map(
    ({ type, envoyName, kept, dropped }) =>
      `${type}: ${kept.namespace}/${kept.name} and ${dropped.namespace}/${dropped.name} both give a node ${envoyName}; the older one is served`,
  );
  const addresses = addressConflicts.map(
    ({ address, kept, dropped }) =>
      `listeners ${kept.namespace}/${kept.name} and ${dropped.namespace}/${dropped.name} are both on ${address} of a node; the older one is served`,
  );
  const secrets = closed.map(
    key =>
      `the secrets of ${key} do not open with the key of this server: it is left out until it is applied again`,
  );
  return [...left, ...names, ...addresses, ...secrets];
}
