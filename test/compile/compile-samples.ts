import { type AssignedPlugin, assignPlugins, type NodePlugins } from '../../src/compile/assign-plugins.ts';
import { SnapshotCompiler, type SnapshotInputs } from '../../src/compile/build-snapshot.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import type { Assignment, Moved, Placement, Side } from '../../src/model/assignment.ts';
import type { NodeIdentity, NodePresence } from '../../src/model/node.ts';
import type { JsonObject, PluginSpec } from '../../src/model/plugin-spec.ts';
import { type Log, silentLog } from '../../src/model/ports.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import { hashConfig, hashRevision, type Revision, type RevisionConfig } from '../../src/model/revision.ts';
import { toPlacement } from '../../src/model/rollout-targets.ts';

/** Reading Envoy's API takes a while: one registry for all tests of a file. */
export const registry = new ProtoRegistry();

const V3 = 'type.googleapis.com/envoy.extensions.filters';
export const HCM = `${V3}.network.http_connection_manager.v3.HttpConnectionManager`;
export const ROUTER = `${V3}.http.router.v3.Router`;
export const LISTENER = 'type.googleapis.com/envoy.config.listener.v3.Listener';

export function makeSpec(over: Partial<PluginSpec> = {}): PluginSpec {
  return { namespace: 'default', name: 'auth', url: 'oci://registry.example/auth:1', createdAt: 1, ...over };
}

export function makeRevision(
  over: Partial<Omit<Revision, 'config'>> & { config?: Partial<RevisionConfig> } = {},
): Revision {
  const config: RevisionConfig = { env: [], phase: 'AUTHN', priority: 0, match: [], ...over.config };
  const module = {
    sha256: 'ab'.repeat(32),
    sizeBytes: 1_500_000,
    url: 'oci://registry.example/auth:1',
    layout: 'compat-image',
    abi: '0.2.1',
    importCount: 12,
    ...over.module,
  };
  return {
    plugin: 'default/auth',
    number: 1,
    createdAt: 1,
    ...over,
    config,
    module,
    configHash: hashConfig(config),
    contentHash: hashRevision(module.sha256, config),
  };
}

export function makeNode(over: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    id: 'edge-1',
    cluster: 'edge',
    namespace: 'default',
    labels: {},
    zone: '',
    envoyVersion: '1.40.0',
    capabilities: { filterChain: true, wasm: true, failReload: true },
    bootstrap: {},
    ...over,
  };
}

/** An Envoy before 1.39. */
export const SINGLE = { filterChain: false, wasm: true, failReload: true };

export function makePresence(node: NodeIdentity, over: Partial<NodePresence> = {}): NodePresence {
  return {
    node,
    process: '0123456789abcdef',
    connected: true,
    since: 1,
    firstSeenAt: 1,
    slots: [],
    nacks: [],
    ...over,
  };
}

export function makeSide(revision: number | null, placement: Placement = {}): Side {
  return { revision, placement, format: 1 };
}

/** Everyone at this revision, no rollout under way. */
export function makeAssignment(revision: number | null = 1, over: Partial<Assignment> = {}): Assignment {
  return { plugin: 'default/auth', createdAt: 1, base: makeSide(revision), moved: [], since: 1, ...over };
}

/** What a rollout has moved so far. */
export function makeMoved(side: Side, nodes: Moved['nodes'], over: Partial<Moved> = {}): Moved {
  return { rollout: 'default.auth.1', side, nodes, since: 1, ...over };
}

/** A listener of an HTTP connection manager with these filters (a router by default). */
export function makeListener(
  over: { name?: string; port?: number; filters?: JsonObject[]; rest?: JsonObject } = {},
): JsonObject {
  const router = { name: 'envoy.filters.http.router', typed_config: { '@type': ROUTER } };
  const routes = [
    { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } },
  ];
  const manager = {
    '@type': HCM,
    stat_prefix: 'ingress',
    route_config: { name: 'local', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: over.filters ?? [router],
  };
  return {
    '@type': LISTENER,
    name: over.name ?? 'ingress',
    address: { socket_address: { address: '127.0.0.1', port_value: over.port ?? 8080 } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
    ...over.rest,
  };
}

export function makeResource(resource: JsonObject, over: Partial<ResourceSpec> = {}): ResourceSpec {
  const type = resource['@type'] === LISTENER ? 'listeners' : 'clusters';
  return { type, namespace: 'default', name: 'ingress', resource, createdAt: 1, ...over };
}

/** Each plugin at this revision, wanted and proven alike, for a node. */
export function assign(
  pairs: readonly { spec: PluginSpec; revision: Revision }[],
  node: NodeIdentity = makeNode(),
): NodePlugins {
  return assignPlugins(
    {
      assignments: pairs.map(({ spec, revision: { plugin, number } }) =>
        makeAssignment(number, {
          plugin,
          createdAt: spec.createdAt,
          base: makeSide(number, toPlacement(spec)),
        }),
      ),
      revision: plugin => pairs.find(pair => pair.revision.plugin === plugin)?.revision,
      rootNamespace: 'istio-system',
    },
    node,
  );
}

/** A plugin by name at a revision of its own. */
export function makePlugin(
  name: string,
  config: Partial<RevisionConfig> = {},
  spec: Partial<PluginSpec> = {},
): { spec: PluginSpec; revision: Revision } {
  const namespace = spec.namespace ?? 'default';
  return {
    spec: makeSpec({ name, ...spec }),
    revision: makeRevision({ plugin: `${namespace}/${name}`, config }),
  };
}

export function makeInputs(over: Partial<SnapshotInputs> = {}): SnapshotInputs {
  const node = makeNode();
  return {
    capabilities: node.capabilities,
    namespace: node.namespace,
    bootstrapListeners: [],
    plugins: { wanted: [], fallback: [], missing: [] },
    resources: [],
    ...over,
  };
}

export function makeCompiler(log: Log = silentLog): SnapshotCompiler {
  return new SnapshotCompiler({
    registry,
    modules: { host: '127.0.0.1', port: 18001, speaks: 'plain' },
    log,
    revision: () => undefined,
    snapshotOf: () => {
      throw new Error('nobody asks here whom a snapshot serves');
    },
  });
}

export function names(plugins: readonly AssignedPlugin[]): string[] {
  return plugins.map(({ plugin }) => plugin);
}
