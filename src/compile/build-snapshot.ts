import type { ListenerFacts, NodeCapabilities, NodeIdentity } from '../model/node.ts';
import { PHASES, sha256Hex } from '../model/plugin-spec.ts';
import type { Log } from '../model/ports.ts';
import type { EncodedResource, ResourceSpec } from '../model/resource.ts';
import type { ListenerSlots, SlotContent, Snapshot, WantedSlot } from '../model/snapshot.ts';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE, XDS_TYPES } from '../model/type-url.ts';
import { type AssignedPlugin, matchesListener, type NodePlugins } from './assign-plugins.ts';
import { COMPILE_FORMAT } from './compile-format.ts';
import { toListenerFacts } from './decoded-listener.ts';
import { encodeResource, toEnvoyName } from './encode-resource.ts';
import { MODULE_CLUSTER, type SlotLayout } from './filter-types.ts';
import { type PlacedListener, placeSlots } from './listener.ts';
import { Memo } from './memo.ts';
import { buildModuleCluster, type ModuleAddress } from './module-cluster.ts';
import type { ProtoRegistry } from './proto-registry.ts';
import { resolveSlot, type SlotContext } from './resolve-slot.ts';
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

/** An Envoy may ask for any name; answers beyond this many are made anew each time. */
const MAX_REMEMBERED_SLOTS = 1024;

/** Encoded resources, listeners and slots that are kept for the next snapshot to share. */
const MAX_REMEMBERED_PARTS = 10_000;

/** A listener with its slots in it. */
interface CompiledListener extends PlacedListener {
  readonly facts: ListenerFacts;
  readonly encoded: EncodedResource;
}

/**
 * Compiles snapshots. What it answers depends on the inputs alone; it remembers encoded resources and slots, so
 * that equal ones are encoded once and share bytes.
 */
export class SnapshotCompiler {
  readonly #registry: ProtoRegistry;
  readonly #modules: ModuleAddress;
  readonly #log: Log;
  readonly #snapshotOf: (node: NodeIdentity) => Snapshot;
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #resources = new Memo<EncodedResource | undefined>(MAX_REMEMBERED_PARTS);
  readonly #listeners = new Memo<CompiledListener | undefined>(MAX_REMEMBERED_PARTS);
  readonly #slots = new Memo<SlotContent>(MAX_REMEMBERED_PARTS);
  readonly #hashes = new WeakMap<object, string>();

  constructor(options: {
    registry: ProtoRegistry;
    modules: ModuleAddress;
    log: Log;
    /** What a node that says this of itself is to have by now; for Snapshot.serves. */
    snapshotOf: (node: NodeIdentity) => Snapshot;
  }) {
    this.#snapshotOf = options.snapshotOf;
    this.#registry = options.registry;
    this.#modules = options.modules;
    this.#log = options.log;
  }

  /** The snapshot for these inputs; the same object as long as they are equal. */
  compile(inputs: SnapshotInputs): Snapshot {
    const version = this.#hashInputs(inputs);
    const snapshot = this.#snapshots.get(version) ?? this.#build(inputs, version);
    this.#snapshots.set(version, snapshot);
    return snapshot;
  }

  /** Forgets every snapshot but these. */
  retain(snapshots: ReadonlySet<Snapshot>): void {
    for (const [version, snapshot] of this.#snapshots)
      if (!snapshots.has(snapshot)) this.#snapshots.delete(version);
  }

  #hashInputs(inputs: SnapshotInputs): string {
    const { capabilities, namespace, bootstrapListeners, plugins, resources } = inputs;
    const identify = ({ revision, onlyListeners }: AssignedPlugin) => [
      revision.plugin,
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
      resources.map(resource => this.#hashSpec(resource)),
    ];
    return sha256Hex(JSON.stringify(parts));
  }

  #hashSpec(spec: ResourceSpec): string {
    const known = this.#hashes.get(spec);
    if (known !== undefined) return known;
    const hash = sha256Hex(JSON.stringify([spec.type, spec.unanswered ?? 'deny', spec.resource]));
    this.#hashes.set(spec, hash);
    return hash;
  }

  #build(inputs: SnapshotInputs, version: string): Snapshot {
    const layout: SlotLayout = inputs.capabilities.filterChain ? 'chain' : 'single';
    const listeners = ofType(inputs.resources, LISTENER_TYPE)
      .map(spec => this.#compileListener(spec, layout, inputs.plugins.wanted))
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
      .map(spec => this.#encodeSpec(spec))
      .filter(resource => resource !== undefined);
    const all = [...encoded, ...listeners.map(listener => listener.encoded)];
    if (!all.some(resource => resource.typeUrl === CLUSTER_TYPE && resource.name === MODULE_CLUSTER))
      all.push(this.#encodeModuleCluster());
    return groupByType(all);
  }

  #encodeModuleCluster(): EncodedResource {
    const encode = () => {
      const json = buildModuleCluster(this.#modules);
      return encodeResource(this.#registry, { typeUrl: CLUSTER_TYPE, name: MODULE_CLUSTER, json });
    };
    return this.#resources.get(`built-in ${MODULE_CLUSTER}`, encode) ?? encode();
  }

  /** undefined: it does not fit the types we know (any more); the api checks before storing. */
  #encodeSpec(spec: ResourceSpec): EncodedResource | undefined {
    return this.#resources.get(this.#hashSpec(spec), () =>
      this.#logFailure(spec, (typeUrl, name) =>
        encodeResource(this.#registry, { typeUrl, name, json: spec.resource }),
      ),
    );
  }

  #compileListener(
    spec: ResourceSpec,
    layout: SlotLayout,
    plugins: readonly AssignedPlugin[],
  ): CompiledListener | undefined {
    const single = layout === 'single' ? plugins : [];
    const names = single.map(({ revision, onlyListeners }) => [
      revision.plugin,
      revision.config.phase,
      revision.config.match,
      onlyListeners ?? null,
    ]);
    const key = sha256Hex(JSON.stringify([this.#hashSpec(spec), layout, names]));
    return this.#listeners.get(key, () =>
      this.#logFailure(spec, (typeUrl, name) => {
        const decoded = this.#registry.decodeAny(this.#registry.encodeAny(spec.resource));
        const facts = toListenerFacts(decoded);
        const placed = placeSlots(decoded, {
          layout,
          unanswered: spec.unanswered ?? 'deny',
          pluginSlots: phaseSlot => namePluginSlots(single, phaseSlot, facts),
        });
        const encoded = encodeResource(this.#registry, { typeUrl, name, json: placed.listener });
        return { ...placed, facts, encoded };
      }),
    );
  }

  #logFailure<T>(spec: ResourceSpec, make: (typeUrl: string, name: string) => T): T | undefined {
    const name = toEnvoyName(spec.resource);
    const typeUrl = toTypeUrl(spec);
    const document = { type: spec.type, namespace: spec.namespace, name: spec.name };
    try {
      if (name !== undefined && typeUrl !== undefined) return make(typeUrl, name);
      this.#log.error(document, 'resource has no Envoy name or an unknown type; left out');
    } catch (err) {
      this.#log.error({ ...document, err }, 'resource cannot be encoded; left out');
    }
    return undefined;
  }

  #toSlotSource(inputs: SnapshotInputs, context: SlotContext): (name: string) => WantedSlot {
    const remembered = new Map<string, WantedSlot>();
    const foreign = new Map(
      ofType(inputs.resources, EXTENSION_CONFIG_TYPE).map(spec => [toEnvoyName(spec.resource), spec]),
    );
    return name => {
      const known = remembered.get(name);
      if (known !== undefined) return known;
      const spec = foreign.get(name);
      const slot = (spec && this.#foreignSlot(spec)) ?? this.#ownSlot(name, inputs, context);
      if (remembered.size < MAX_REMEMBERED_SLOTS) remembered.set(name, slot);
      return slot;
    };
  }

  #foreignSlot(spec: ResourceSpec): WantedSlot | undefined {
    const encoded = this.#encodeSpec(spec);
    if (encoded === undefined) return undefined;
    const content = this.#slots.get(`foreign ${encoded.version}`, () => toForeignContent(encoded.any));
    return { wanted: content, fallback: content };
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
      ...(wanted.warning === undefined ? {} : { warning: wanted.warning }),
    };
  }
}

function toTypeUrl(spec: ResourceSpec): string | undefined {
  return XDS_TYPES.find(type => type.plural === spec.type)?.typeUrl;
}

function ofType(resources: readonly ResourceSpec[], typeUrl: string): readonly ResourceSpec[] {
  return resources.filter(spec => toTypeUrl(spec) === typeUrl);
}

/** single layout: a slot per plugin of the phase that belongs on this listener, in order. */
function namePluginSlots(
  plugins: readonly AssignedPlugin[],
  phaseSlot: string,
  listener: ListenerFacts,
): readonly string[] {
  const phase = PHASES.find(({ slot }) => slot === phaseSlot)?.phase;
  return plugins
    .filter(plugin => plugin.revision.config.phase === phase && matchesListener(plugin, listener))
    .map(plugin => plugin.revision.plugin);
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
