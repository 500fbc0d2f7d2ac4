import type { TestContext } from 'node:test';
import { type AttacheOptions, AttacheProcess } from '../../harness/attache-process.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { type EnvoyProcess, startEnvoy } from '../../harness/envoy-process.ts';
import { type Load, type LoadResponse, startLoad } from '../../harness/load.ts';
import { rawCluster, rawListener } from '../../harness/raw-resources.ts';
import { startUpstream } from '../../harness/upstream.ts';
import { until } from '../../harness/wait.ts';
import { startXdsSpy, type XdsSpy } from '../../harness/xds-spy.ts';

/** One Envoy of a fleet, its listener `main` serving. */
export interface FleetNode {
  readonly id: string;
  readonly zone: string;
  readonly envoy: EnvoyProcess;
  /** What goes over its xDS connection. */
  readonly spy: XdsSpy;
  /** Of its listener. */
  readonly port: number;
}

export interface FleetScene {
  readonly attache: AttacheProcess;
  /** By id, in the order they were asked for. */
  readonly nodes: ReadonlyMap<string, FleetNode>;
  node(id: string): FleetNode;
}

export interface FleetOptions {
  /** Node ids; `edge-a-1` is in zone a. Default: six over the zones a, b and c. */
  readonly nodes?: readonly string[];
  /** Ids of further Envoys that have no listener; label role=bare. */
  readonly bare?: readonly string[];
  readonly attache?: AttacheOptions;
  /** Added to the environment of one Envoy, by node id: what only some nodes have. */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Threads that serve in each Envoy; default 1. */
  readonly concurrency?: number;
  /** Connected to Attaché itself: nothing stands between that takes time, and `spy` sees nothing. */
  readonly isDirect?: boolean;
}

export const SIX_NODES: readonly string[] = [
  'edge-a-1',
  'edge-a-2',
  'edge-b-1',
  'edge-b-2',
  'edge-c-1',
  'edge-c-2',
];

/** Attaché and Envoys that it manages, all connected and serving, without plugins; labels role=edge and zone. */
export async function startFleet(t: TestContext, options: FleetOptions = {}): Promise<FleetScene> {
  const upstream = stopAfter(t, await startUpstream());
  const attache = stopAfter(t, await AttacheProcess.start(options.attache));
  await attache.applyResource('clusters', 'upstream', rawCluster('upstream', upstream.port));
  const isEdge = { matchLabels: { role: 'edge' } };
  await attache.applyResource('listeners', 'main', rawListener('main', []), isEdge);
  const nodes = new Map<string, FleetNode>();
  for (const id of options.nodes ?? SIX_NODES) nodes.set(id, await startNode(t, attache, id, options));
  const bare = options.bare ?? [];
  for (const id of bare) {
    const bootstrap = await attache.bootstrap(['--id', id, '--label', 'role=bare']);
    stopAfter(t, await startEnvoy({ bootstrap, concurrency: 1 }));
  }
  const size = nodes.size + bare.length;
  await until(async () => (await connected(attache)) === size, { what: 'every Envoy to be connected' });
  return {
    attache,
    nodes,
    node(id) {
      const node = nodes.get(id);
      if (node === undefined) throw new Error(`the fleet has no node ${id}`);
      return node;
    },
  };
}

/** One more Envoy for an Attaché that has the listener already; resolves when it serves. */
export async function startNode(
  t: TestContext,
  attache: AttacheProcess,
  id: string,
  options: Pick<FleetOptions, 'env' | 'concurrency' | 'isDirect'> = {},
): Promise<FleetNode> {
  const zone = id.split('-')[1] ?? 'a';
  const spy = stopAfter(t, await startXdsSpy(attache.addresses.xds));
  const labels = ['--label', 'role=edge', '--label', `zone=${zone}`];
  const bootstrap = await attache.bootstrap([
    ...['--id', id, ...labels],
    ...(options.isDirect === true ? [] : ['--xds-address', `127.0.0.1:${spy.port}`]),
  ]);
  const envoy = stopAfter(
    t,
    await startEnvoy({
      bootstrap,
      concurrency: options.concurrency ?? 1,
      ...(options.env?.[id] === undefined ? {} : { env: options.env[id] }),
    }),
  );
  const port = await envoy.listenerPort('main');
  await envoy.waitReady();
  return { id, zone, envoy, spy, port };
}

async function connected(attache: AttacheProcess): Promise<number> {
  const { items } = await attache.must('GET', '/v1/nodes');
  return items.filter((node: { status: { state: string } }) => node.status.state === 'Connected').length;
}

/** Steady traffic to every node, or to those named; stopped when the test ends. */
export function startFleetLoad(
  t: TestContext,
  fleet: FleetScene,
  options: {
    readonly nodes?: readonly string[];
    /** Requests a second to each; default 30. */
    readonly perSecond?: number;
    /** Default: `/`. */
    readonly path?: string;
    readonly isFailure?: (response: LoadResponse) => boolean;
  } = {},
): ReadonlyMap<string, Load> {
  const { nodes = [...fleet.nodes.keys()], perSecond = 30, ...rest } = options;
  const loads = nodes.map(id => {
    const load = startLoad({ port: fleet.node(id).port, connections: 1, perSecond, ...rest });
    return [id, stopAfter(t, load)] as const;
  });
  return new Map(loads);
}
