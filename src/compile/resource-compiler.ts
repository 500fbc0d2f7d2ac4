import type { ListenerFacts } from '../model/node.ts';
import { ofEach } from '../model/of-each.ts';
import { matchesListener, toListenerFacts } from '../model/plugin-listeners.ts';
import { PHASES, sha256Hex } from '../model/plugin-spec.ts';
import type { Log } from '../model/ports.ts';
import { type EncodedResource, type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import { CLUSTER_TYPE, XDS_TYPES } from '../model/type-url.ts';
import type { AssignedPlugin } from './assign-plugins.ts';
import { CompileError } from './compile-error.ts';
import { encodeResource, toEncoded } from './encode-resource.ts';
import { MODULE_CLUSTER, type SlotLayout } from './filter-types.ts';
import { type PlacedListener, placeSlots } from './listener.ts';
import { Memo } from './memo.ts';
import { encodeModuleCluster, type ModuleAddress } from './module-cluster.ts';
import type { ProtoRegistry } from './proto-registry.ts';

/** Encoded resources and listeners that are kept for the next snapshot to share. */
const MAX_REMEMBERED = 10_000;

/** A listener with its slots in it. */
export interface CompiledListener extends PlacedListener {
  readonly facts: ListenerFacts;
  readonly encoded: EncodedResource;
}

/** Encodes the user's resources, each content once; what cannot be encoded is logged and left out. */
export class ResourceCompiler {
  readonly #registry: ProtoRegistry;
  readonly #log: Log;
  readonly #resources = new Memo<EncodedResource | undefined>(MAX_REMEMBERED);
  readonly #listeners = new Memo<CompiledListener | undefined>(MAX_REMEMBERED);

  constructor(registry: ProtoRegistry, log: Log) {
    this.#registry = registry;
    this.#log = log;
  }

  /** Of all that decides the bytes. */
  readonly hash = ofEach((spec: ResourceSpec): string =>
    sha256Hex(JSON.stringify([spec.type, spec.unanswered ?? 'deny', spec.resource])),
  );

  /** undefined: it does not fit the types we know (any more); the api checks before storing. */
  encode(spec: ResourceSpec): EncodedResource | undefined {
    return this.#resources.get(this.hash(spec), () =>
      this.#logFailure(spec, (typeUrl, name) =>
        encodeResource(this.#registry, { typeUrl, name, json: spec.resource }),
      ),
    );
  }

  /** A listener with its slots; in the single layout they depend on the plugins and the node's namespace. undefined: as for `encode`. */
  compileListener(
    spec: ResourceSpec,
    layout: SlotLayout,
    plugins: readonly AssignedPlugin[],
    namespace: string,
  ): CompiledListener | undefined {
    const single = layout === 'single' ? plugins : [];
    const names = single.map(({ plugin, phase, match, onlyListeners }) => [
      plugin,
      phase,
      match,
      onlyListeners ?? null,
    ]);
    const key = sha256Hex(
      JSON.stringify([this.hash(spec), layout, ...(single.length === 0 ? [] : [names, namespace])]),
    );
    return this.#listeners.get(key, () =>
      this.#logFailure(spec, (typeUrl, name) => {
        const decoded = this.#registry.decodeAny(this.#registry.encodeAny(spec.resource));
        const facts = toListenerFacts(decoded);
        const placed = placeSlots(decoded, {
          layout,
          unanswered: spec.unanswered ?? 'deny',
          namespace,
          pluginSlots: phaseSlot => namePluginSlots(single, phaseSlot, facts),
        });
        const encoded = encodeResource(this.#registry, { typeUrl, name, json: placed.listener });
        return { ...placed, facts, encoded };
      }),
    );
  }

  /** The cluster that modules are fetched through. */
  encodeModuleCluster(modules: ModuleAddress): EncodedResource {
    const encode = () => toEncoded(CLUSTER_TYPE, MODULE_CLUSTER, encodeModuleCluster(modules));
    return this.#resources.get(`built-in ${JSON.stringify(modules)}`, encode) ?? encode();
  }

  #logFailure<T>(spec: ResourceSpec, make: (typeUrl: string, name: string) => T): T | undefined {
    const name = toEnvoyName(spec.resource);
    const typeUrl = toTypeUrl(spec);
    const document = { type: spec.type, namespace: spec.namespace, name: spec.name };
    try {
      if (name !== undefined && typeUrl !== undefined) return make(typeUrl, name);
      this.#log.error(document, 'resource has no Envoy name or an unknown type; left out');
    } catch (err) {
      // The text and the cause of an error may quote a secret.
      const what =
        spec.sealed === undefined ? { err } : { code: err instanceof CompileError ? err.code : '' };
      this.#log.error({ ...document, ...what }, 'resource cannot be encoded; left out');
    }
    return undefined;
  }
}

/** The type URL of a document's kind. */
export function toTypeUrl(spec: ResourceSpec): string | undefined {
  return XDS_TYPES.find(type => type.plural === spec.type)?.typeUrl;
}

/** single layout: a slot per plugin of the phase that belongs on this listener, in order. */
function namePluginSlots(
  plugins: readonly AssignedPlugin[],
  phaseSlot: string,
  listener: ListenerFacts,
): readonly string[] {
  const phase = PHASES.find(({ slot }) => slot === phaseSlot)?.phase;
  return plugins
    .filter(plugin => plugin.phase === phase && matchesListener(plugin, listener))
    .map(({ plugin }) => plugin);
}
