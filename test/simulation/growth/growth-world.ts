import { SnapshotCompiler } from '../../../src/compile/build-snapshot.ts';
import { ProtoRegistry } from '../../../src/compile/proto-registry.ts';
import type { JsonObject, PluginSpec } from '../../../src/model/plugin-spec.ts';
import { type ResourceSpec, resourceKey } from '../../../src/model/resource.ts';
import { createMemoryStore } from '../../../src/store/memory-store.ts';
import { revisionKey } from '../../../src/store/record-kinds.ts';
import { makeListener, makeNode, makePresence, makeRevision } from '../../compile/compile-samples.ts';
import { Plant } from '../plant.ts';
import { SimClock } from '../sim-clock.ts';
import { CallCount } from './call-count.ts';
import { CountingStore, type StoreWork } from './counting-store.ts';
import { QuickEnvoy, type Sent } from './quick-envoy.ts';

/** How much of everything there is. */
export interface Size {
  /** Connected. */
  readonly nodes: number;
  /** Known, and not connected. */
  readonly away?: number;
  readonly plugins: number;
  readonly resources: number;
  /** Of nodes that say the same of themselves. */
  readonly groups: number;
  /** Of so many plugins or resources one is for every node, and each other one for a group. */
  readonly period: number;
}

/** Whom a document is for: every node, node 0 alone, or a group by its number. */
export type Reach = 'all' | 'one' | number;

/** What a change cost, in things that were done. */
export interface Work extends StoreWork, Sent {
  /** Inputs of snapshots that were looked at: each is hashed, and compiled where its hash is new. */
  readonly compilations: number;
  /** Messages encoded: resources and the contents of places. */
  readonly encodings: number;
}

const ROLLOUT = { preset: 'all-at-once', bake: '20s' };
/** Longer than that takes. */
const ROLLOUT_MS = 60_000;
const BY = 'admin';

/**
 * The stages joined around a store in memory, a fleet of quick Envoys, and a count of what a change has them do. In
 * place of the api and the module stage it writes their records.
 *
 * Each is in a group by its number; node 0 has a label of its own beside.
 */
export class GrowthWorld {
  readonly store = new CountingStore(createMemoryStore());
  readonly clock = new SimClock();
  readonly sent: Sent = { pushes: 0, bytesPushed: 0 };
  readonly envoys: QuickEnvoy[] = [];
  readonly errors: string[] = [];
  readonly #plant: Plant;
  readonly #compile = new CallCount(SnapshotCompiler.prototype, 'compile');
  readonly #encode = new CallCount(ProtoRegistry.prototype, 'encode');
  readonly #groups: number;
  readonly #revisions = new Map<string, number>();
  #random = 0;

  constructor(groups: number) {
    this.#groups = groups;
    this.#plant = new Plant({
      store: this.store,
      clock: this.clock,
      nextHex: bytes => (this.#random++).toString(16).padStart(bytes * 2, '0'),
      onCommit: () => {},
      onError: message => this.errors.push(message),
    });
  }

  /** A fleet at rest: every plugin is live, every node has what it should. */
  static async start({ nodes, away = 0, plugins, resources, groups, period }: Size): Promise<GrowthWorld> {
    const world = new GrowthWorld(groups);
    const reachOf = (i: number): Reach => (i % period === 0 ? 'all' : (i - Math.ceil(i / period)) % groups);
    await world.#plant.start();
    await world.putResource('ingress', 'all', makeListener());
    for (let i = 0; i < resources; i++) await world.putCluster(`cluster-${i}`, reachOf(i));
    for (let i = 0; i < plugins; i++) await world.applyPlugin(`plugin-${i}`, reachOf(i));
    await world.clock.run(ROLLOUT_MS);
    if (away > 0) await world.#recordAway(nodes, away);
    for (let i = 0; i < nodes; i++) world.addEnvoy();
    await world.clock.run(ROLLOUT_MS);
    return world;
  }

  /** The one that has a label of its own. */
  get first(): QuickEnvoy {
    const [envoy] = this.envoys;
    if (envoy === undefined) throw new Error('there are no nodes');
    return envoy;
  }

  /** Another Envoy, connected. */
  addEnvoy(): QuickEnvoy {
    const { clock, sent } = this;
    const facts = { ...this.#factsOf('node', this.envoys.length), layout: 'chain' } as const;
    const envoy = new QuickEnvoy(facts, { plant: this.#plant, clock, sent });
    this.envoys.push(envoy);
    envoy.connect();
    return envoy;
  }

  /** What `change` had the stages do until everything is at rest again. */
  async measure(change: () => unknown): Promise<Work> {
    const before = this.#read();
    await change();
    await this.clock.run(ROLLOUT_MS);
    const after = this.#read();
    const names = Object.keys(after) as (keyof Work)[];
    return Object.fromEntries(names.map(name => [name, after[name] - before[name]])) as unknown as Work;
  }

  /** The next revision of a plugin, and a document that asks for it. */
  async applyPlugin(name: string, reach: Reach): Promise<void> {
    const plugin = `default/${name}`;
    const number = (this.#revisions.get(plugin) ?? 0) + 1;
    this.#revisions.set(plugin, number);
    const now = this.clock.now();
    const spec: PluginSpec = {
      ...{ namespace: 'default', name, url: 'u', by: BY, createdAt: 1, rollout: ROLLOUT },
      ...selectorFor(reach),
    };
    const revision = makeRevision({ plugin, number, config: { pluginConfig: { n: number, name } } });
    const specRevision = await this.store.put('PluginSpec', plugin, spec);
    await this.store.transaction([
      { op: 'put', kind: 'Revision', key: revisionKey(plugin, number), value: revision },
      {
        op: 'put',
        kind: 'ModuleProgress',
        key: plugin,
        value: { plugin, specRevision, state: 'ready', revision: number, since: now },
      },
    ]);
  }

  async removePlugin(name: string): Promise<void> {
    const plugin = `default/${name}`;
    const stored = await this.store.get('PluginSpec', plugin);
    if (stored === undefined) throw new Error(`there is no ${plugin}`);
    const deleted = { at: this.clock.now(), by: BY, now: false };
    await this.store.put('PluginSpec', plugin, { ...stored.value, deleted });
  }

  /** A cluster, other than before. */
  putCluster(name: string, reach: Reach): Promise<void> {
    const revision = (this.#revisions.get(name) ?? 0) + 1;
    this.#revisions.set(name, revision);
    const cluster = {
      '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
      name,
      connect_timeout: `${revision}s`,
    };
    return this.putResource(name, reach, cluster);
  }

  async putResource(name: string, reach: Reach, resource: JsonObject): Promise<void> {
    const type = String(resource['@type']).endsWith('Listener') ? 'listeners' : 'clusters';
    const spec: ResourceSpec = {
      ...{ type, namespace: 'default', name, resource, createdAt: 1 },
      ...selectorFor(reach),
    };
    await this.store.put('ResourceSpec', resourceKey(spec), spec);
  }

  end(): void {
    this.#plant.kill();
    this.#compile.end();
    this.#encode.end();
  }

  #factsOf(kind: 'node' | 'away', i: number) {
    const labels: Record<string, string> = {
      group: String(i % this.#groups),
      ...(kind === 'node' && i === 0 ? { only: 'yes' } : {}),
    };
    return { id: `${kind}-${String(i).padStart(5, '0')}`, labels, zone: `zone-${i % 3}` };
  }

  async #recordAway(first: number, count: number): Promise<void> {
    const nodes = Array.from({ length: count }, (_, i) => makeNode(this.#factsOf('away', first + i)));
    await this.store.transaction(
      nodes.map(node => ({
        op: 'put',
        kind: 'NodePresence',
        key: node.id,
        value: makePresence(node, { connected: false }),
      })),
    );
  }

  #read(): Work {
    return {
      ...this.store.work,
      ...this.sent,
      compilations: this.#compile.calls,
      encodings: this.#encode.calls,
    };
  }
}

function selectorFor(reach: Reach): Pick<PluginSpec, 'selector'> {
  if (reach === 'all') return {};
  return { selector: { matchLabels: reach === 'one' ? { only: 'yes' } : { group: String(reach) } } };
}
