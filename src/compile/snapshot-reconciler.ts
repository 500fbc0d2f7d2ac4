import { toEffectiveNode } from '../model/effective-node.ts';
import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodeIdentity } from '../model/node.ts';
import type { Clock, Log } from '../model/ports.ts';
import type { Seal } from '../model/pull-secret.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { LiveTable } from '../store/live-table.ts';
import type { Change, Store } from '../store/store.ts';
import { SnapshotCompiler } from './build-snapshot.ts';
import {
  type AssignmentChange,
  CompileInputs,
  INPUT_KINDS,
  type NodeInputs,
  toIdentityKey,
} from './compile-inputs.ts';
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
 * Keeps the snapshot of every known node up to date, connected or not. Resolves after the first complete pass;
 * `stop` ends the watch and waits for what is under way.
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

interface KnownNode {
  /** toIdentityKey of what the server takes it for. */
  readonly key: string;
  readonly node: NodeIdentity;
  /** What it says of itself. */
  readonly claimed: NodeIdentity;
}

/** The nodes, grouped by what they say of themselves and the sides they are on, and the snapshot of each group. */
class SnapshotReconciler {
  readonly #options: SnapshotReconcilerOptions;
  readonly #inputs: CompileInputs;
  readonly #compiler: SnapshotCompiler;
  /** Identity key by node.id: a change of presence that leaves it alone ends here. */
  readonly #nodes = new Map<string, KnownNode>();
  /** What the server side fixes of nodes, known or not. */
  readonly #policies = new Map<string, NodePolicy>();
  #groups = new Map<string, Snapshot>();
  /** Every snapshot is what the records say. False at the start, and after a pass that did not reach its end. */
  #isComplete = false;
  /** Log lines since the last pass over everything, and those of that before: what goes on is said once. */
  #said = new Set<string>();
  #saidBefore: ReadonlySet<string> = new Set();

  constructor(options: SnapshotReconcilerOptions) {
    this.#options = options;
    this.#inputs = new CompileInputs(options.rootNamespace, options.seal);
    this.#compiler = new SnapshotCompiler({
      registry: options.registry ?? new ProtoRegistry(),
      modules: options.modules,
      log: options.log,
      revision: this.#inputs.findRevision,
      snapshotOf: claimed => this.#snapshotOf(this.#toKnown(claimed)),
    });
  }

  apply(changes: readonly Change[]): void {
    const renewed = new Set<string>();
    const assignments: AssignmentChange[] = [];
    for (const change of changes) {
      if (change.kind === 'NodePresence') {
        if (this.#takeNode(change.key, change.stored?.value.node)) renewed.add(change.key);
        continue;
      }
      if (change.kind === 'NodePolicy') {
        if (this.#takePolicy(change.key, change.stored?.value)) renewed.add(change.key);
        continue;
      }
      const effect = this.#inputs.apply(change);
      if (effect === 'everything') this.#isComplete = false;
      else if (effect !== 'nothing') assignments.push(effect);
    }
    const isSame = ({ node }: KnownNode): boolean =>
      !renewed.has(node.id) && assignments.every(change => this.#inputs.isSame(change, node));
    if (!this.#isComplete) this.#compileAll();
    else if (assignments.length > 0) this.#compileWhere(isSame);
    else for (const id of renewed) this.#publish(id);
  }

  /** Whether the node is something else than before. */
  #takeNode(id: string, claimed: NodeIdentity | undefined): boolean {
    if (claimed === undefined) {
      this.#nodes.delete(id);
      this.#options.snapshots.delete(id);
      return false;
    }
    const known = this.#toKnown(claimed);
    const was = this.#nodes.get(id);
    this.#nodes.set(id, known);
    return was?.key !== known.key;
  }

  #takePolicy(id: string, policy: NodePolicy | undefined): boolean {
    if (policy === undefined) this.#policies.delete(id);
    else this.#policies.set(id, policy);
    const known = this.#nodes.get(id);
    return known !== undefined && this.#takeNode(id, known.claimed);
  }

  #toKnown(claimed: NodeIdentity): KnownNode {
    const node = toEffectiveNode(claimed, this.#policies.get(claimed.id));
    return { key: toIdentityKey(node), node, claimed };
  }

  #compileAll(): void {
    this.#saidBefore = this.#said;
    this.#said = new Set();
    this.#compileWhere(() => false);
  }

  /** What is the same for a node is the same for those of its group. */
  #compileWhere(isSame: (known: KnownNode) => boolean): void {
    this.#isComplete = false;
    this.#groups = new Map();
    for (const [id, known] of this.#nodes) {
      const published = this.#options.snapshots.get(id);
      const group = this.#toGroup(known);
      if (this.#groups.has(group)) continue;
      if (published !== undefined && isSame(known)) this.#groups.set(group, published);
      else this.#snapshotOf(known);
    }
    this.#compiler.retain(new Set(this.#groups.values()));
    for (const id of this.#nodes.keys()) this.#publish(id);
    this.#isComplete = true;
  }

  #publish(id: string): void {
    const known = this.#nodes.get(id);
    if (known !== undefined) this.#options.snapshots.set(id, this.#snapshotOf(known));
  }

  /** By the records as they stand now; also for a node that nobody has told us of yet. */
  #snapshotOf(known: KnownNode): Snapshot {
    const group = this.#toGroup(known);
    const compiled = this.#groups.get(group);
    if (compiled !== undefined) return compiled;
    const found = this.#inputs.forNode(known.node);
    for (const line of toLogLines(found)) this.#say(line);
    const snapshot = this.#compiler.compile(found.inputs);
    this.#groups.set(group, snapshot);
    return snapshot;
  }

  #toGroup({ key, node }: KnownNode): string {
    return `${key}\n${this.#inputs.sidesOf(node.id)}`;
  }

  #say(line: string): void {
    if (this.#said.has(line)) return;
    this.#said.add(line);
    if (!this.#saidBefore.has(line)) this.#options.log.warn({}, line);
  }
}

function toLogLines({ missing, conflicts, addressConflicts, closed }: NodeInputs): readonly string[] {
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
