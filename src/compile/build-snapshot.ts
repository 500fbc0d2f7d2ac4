import type { ListenerFacts, NodeCapabilities, NodeIdentity } from '../model/node.ts';
import { sha256Hex } from '../model/plugin-spec.ts';
import type { Log } from '../model/ports.ts';
import { type EncodedResource, type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import type { Revision } from '../model/revision.ts';
import type { ListenerSlots, SlotContent, Snapshot, WantedSlot } from '../model/snapshot.ts';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE, XDS_TYPES } from '../model/type-url.ts';
import type { AssignedPlugin, FindRevision, NodePlugins } from './assign-plugins.ts';
import { COMPILE_FORMAT } from './compile-format.ts';
import { MODULE_CLUSTER, type SlotLayout } from './filter-types.ts';
import { Memo } from './memo.ts';
import type { ModuleAddress } from './module-cluster.ts';
import { parsePhasePlace } from './phase-place.ts';
import { PROBE } from './probe.ts';
import type { ProtoRegistry } from './proto-registry.ts';
import { resolveSlot, type SlotContext } from './resolve-slot.ts';
import { type CompiledListener, ResourceCompiler, toTypeUrl } from './resource-compiler.ts';
import { buildSlotContent, toForeignContent } from './slot-content.ts';

/** Everything that a node's snapshot depends on; nodes with equal inputs share one snapshot. */
export interface SnapshotInputs {
  readonly capabilities: NodeCapabilities;
  readonly namespace: string;
  readonly bootstrapListeners: readonly ListenerFacts[];
  readonly plugins: NodePlugins;
  /** The user's resources for this node, no Envoy name twice. */
  readonly resources: readonly ResourceSpec[];
}

interface Compiled {
  readonly inputs: SnapshotInputs;
  readonly snapshot: Snapshot;
}

/** An Envoy may ask for any name; answers beyond this many are made anew each time. */
const MAX_REMEMBERED_SLOTS = 1024;

/** Encoded slots that are kept for the next snapshot to share. */
const MAX_SHARED_SLOTS = 10_000;

/**
 * Compiles snapshots. What it answers depends on the inputs alone; it remembers encoded resources and slots, so
 * that equal ones are encoded once and share bytes.
 */
export class SnapshotCompiler {
  readonly #registry: ProtoRegistry;
  readonly #modules: ModuleAddress;
  readonly #resources: ResourceCompiler;
  readonly #snapshotOf: (node: NodeIdentity) => Snapshot;
  readonly #revision: FindRevision;
  /** By version. */
  readonly #snapshots = new Map<string, Compiled>();
  readonly #byInputs = new WeakMap<SnapshotInputs, Snapshot>();
  readonly #slots = new Memo<SlotContent>(MAX_SHARED_SLOTS);

  constructor(options: {
    registry: ProtoRegistry;
    modules: ModuleAddress;
    log: Log;
    /** What a node that says this of itself is to have by now; for Snapshot.serves. */
    snapshotOf: (node: NodeIdentity) => Snapshot;
    /** Those that are kept, also where no node is to run them. */
    revision: FindRevision;
  }) {
    this.#revision = options.revision;
    this.#snapshotOf = options.snapshotOf;
    this.#registry = options.registry;
    this.#modules = options.modules;
    this.#resources = new ResourceCompiler(options.registry, options.log);
  }

  /** The snapshot for these inputs; the same object as long as they are equal. */
  compile(inputs: SnapshotInputs): Snapshot {
    const known = this.#byInputs.get(inputs);
    if (known !== undefined) return known;
    const version = this.#hashInputs(inputs);
    const compiled = this.#snapshots.get(version) ?? { inputs, snapshot: this.#build(inputs, version) };
    this.#snapshots.set(version, compiled);
    this.#byInputs.set(inputs, compiled.snapshot);
    return compiled.snapshot;
  }

  /** The inputs that a snapshot was compiled from first; undefined: it is forgotten. */
  inputsOf({ version }: Snapshot): SnapshotInputs | undefined {
    return this.#snapshots.get(version)?.inputs;
  }

  /** Forgets every snapshot but those of these inputs. */
  retain(kept: ReadonlySet<SnapshotInputs | undefined>): void {
    for (const [version, { inputs }] of this.#snapshots)
      if (!kept.has(inputs)) this.#snapshots.delete(version);
  }

  #hashInputs(inputs: SnapshotInputs): string {
    const { capabilities, namespace, bootstrapListeners, plugins, resources } = inputs;
    // The age decides where whatever comes later stands: of two lists that differ in it neither may pass for the other.
    const identify = ({ plugin, createdAt, revision, onlyListeners }: AssignedPlugin) => [
      plugin,
      createdAt,
      revision.number,
      revision.contentHash,
      onlyListeners ?? null,
    ];
    const parts = [
      COMPILE_FORMAT,
      this.#modules,
      [capabilities.filterChain, capabilities.wasm, capabilities.failReload],
      namespace,
      bootstrapListeners,
      plugins.wanted.map(identify),
      plugins.fallback.map(identify),
      resources.map(resource => this.#resources.hash(resource)),
    ];
    return sha256Hex(JSON.stringify(parts));
  }

  #build(inputs: SnapshotInputs, version: string): Snapshot {
    const layout: SlotLayout = inputs.capabilities.filterChain ? 'chain' : 'single';
    const listeners = ofType(inputs.resources, LISTENER_TYPE)
      .map(spec => this.#resources.compileListener(spec, layout, inputs.plugins.wanted, inputs.namespace))
      .filter(listener => listener !== undefined);
    const snapshot: Snapshot = {
      version,
      format: COMPILE_FORMAT,
      resources: this.#collectResources(inputs, listeners),
      listenerSlots: toListenerSlots(listeners),
      slot: this.#toSlotSource(inputs, toSlotContext(inputs, layout, listeners)),
      serves: node => this.#snapshotOf(node) === snapshot,
    };
    return snapshot;
  }

  #collectResources(
    inputs: SnapshotInputs,
    listeners: readonly CompiledListener[],
  ): ReadonlyMap<string, ReadonlyMap<string, EncodedResource>> {
    const encoded = inputs.resources
      .filter(spec => ![LISTENER_TYPE, EXTENSION_CONFIG_TYPE].includes(toTypeUrl(spec) ?? ''))
      .map(spec => this.#resources.encode(spec))
      .filter(resource => resource !== undefined);
    const all = [...encoded, ...listeners.map(listener => listener.encoded)];
    if (!all.some(resource => resource.typeUrl === CLUSTER_TYPE && resource.name === MODULE_CLUSTER))
      all.push(this.#resources.encodeModuleCluster(this.#modules));
    return groupByType(all);
  }

  #toSlotSource(inputs: SnapshotInputs, context: SlotContext): (name: string) => WantedSlot {
    const remembered = new Map<string, WantedSlot>();
    const foreign = new Map(
      ofType(inputs.resources, EXTENSION_CONFIG_TYPE).map(spec => [toEnvoyName(spec.resource), spec]),
    );
    return name => {
      const known = remembered.get(name);
      if (known !== undefined) return known;
      const spec = parsePhasePlace(name) === undefined ? foreign.get(name) : undefined;
      const slot = (spec && this.#foreignSlot(spec)) ?? this.#ownSlot(name, inputs, context);
      if (remembered.size < MAX_REMEMBERED_SLOTS) remembered.set(name, slot);
      return slot;
    };
  }

  #foreignSlot(spec: ResourceSpec): WantedSlot | undefined {
    const encoded = this.#resources.encode(spec);
    if (encoded === undefined) return undefined;
    const content = this.#slots.get(`foreign ${encoded.version}`, () => toForeignContent(encoded.any));
    return { wanted: content, fallback: content, probe: () => content, recall: () => undefined };
  }

  #ownSlot(name: string, inputs: SnapshotInputs, context: SlotContext): WantedSlot {
    const wanted = resolveSlot(name, inputs.plugins.wanted, context);
    const fallback = resolveSlot(name, inputs.plugins.fallback, context);
    const encode = ({ layout, revisions }: typeof wanted): SlotContent => {
      const { capabilities } = inputs;
      const ids = revisions.map(({ plugin, number, contentHash }) => [plugin, number, contentHash]);
      const key = JSON.stringify([name, layout, capabilities.failReload, ids]);
      return this.#slots.get(key, () =>
        buildSlotContent(this.#registry, { name, plugins: revisions, layout, capabilities }),
      );
    };
    return {
      wanted: encode(wanted),
      fallback: encode(fallback),
      probe: () => encode({ layout: wanted.layout, revisions: [PROBE] }),
      recall: parts => {
        const revisions = parts.map(({ plugin, revision }) => this.#revision(plugin, revision));
        return revisions.every(isKept) ? encode({ layout: wanted.layout, revisions }) : undefined;
      },
      ...(wanted.warning === undefined ? {} : { warning: wanted.warning }),
    };
  }
}

function isKept(revision: Revision | undefined): revision is Revision {
  return revision !== undefined;
}

function ofType(resources: readonly ResourceSpec[], typeUrl: string): readonly ResourceSpec[] {
  return resources.filter(spec => toTypeUrl(spec) === typeUrl);
}

function toListenerSlots(listeners: readonly CompiledListener[]): ReadonlyMap<string, ListenerSlots> {
  return new Map(
    listeners
      .filter(({ slots }) => slots.length > 0)
      .map(({ facts, slots, fetchTimeoutMs }) => [facts.name, { slots, fetchTimeoutMs }]),
  );
}

function toSlotContext(
  inputs: SnapshotInputs,
  layout: SlotLayout,
  listeners: readonly CompiledListener[],
): SlotContext {
  const bootstrap = inputs.bootstrapListeners;
  return {
    layout,
    namespace: inputs.namespace,
    listeners: [...listeners.map(({ facts }) => facts), ...bootstrap],
    bareListeners: phaseSlot => [
      ...listeners.filter(({ slots }) => slots.includes(phaseSlot)).map(({ facts }) => facts),
      ...bootstrap,
    ],
  };
}

/** By type in push order, then by name: the same inputs give the same order. */
function groupByType(
  resources: readonly EncodedResource[],
): ReadonlyMap<string, ReadonlyMap<string, EncodedResource>> {
  const sorted = [...resources].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return new Map(
    XDS_TYPES.map(({ typeUrl }) => [
      typeUrl,
      new Map(sorted.filter(resource => resource.typeUrl === typeUrl).map(r => [r.name, r])),
    ]),
  );
}
