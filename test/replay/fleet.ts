import { buildPlugin } from '../../plugins/build.ts';
import { envoyBinary } from '../harness/envoy-binary.ts';
import { type EnvoyProcess, startEnvoy } from '../harness/envoy-process.ts';
import { buildStamp, type FixtureModule, withSeed } from '../harness/fixture-modules.ts';
import { freePort } from '../harness/free-port.ts';
import { type Load, startLoad } from '../harness/load.ts';
import { rawCluster, rawListener } from '../harness/raw-resources.ts';
import { startUpstream, type Upstream } from '../harness/upstream.ts';
import { until } from '../harness/wait.ts';
import { startReceiver } from '../harness/webhook-receiver.ts';
import { Desk, type Running } from './desk.ts';
import { ModelledEnvoy, type ModelledWorld } from './modelled-envoy.ts';
import { encodeNode } from './modelled-wire.ts';

const ZONES = ['a', 'b', 'c'];
const IN_A_ZONE = 100;
/** Of each zone the first two are real. */
const REAL_IN_A_ZONE = 2;
const VERSIONS = ['1.39.3', '1.40.0'];
/** The story's node that is gone since days. */
export const GONE = 'edge-c-044';

/** An Envoy of the fleet that is a program. */
export interface RealNode {
  readonly id: string;
  readonly envoy: EnvoyProcess;
  readonly load: Load;
  /** What its plugin `auth` writes into a response. */
  stamp(): Promise<string | null>;
}

/** The night's fleet: 300 Envoys, six of them real, a server with tokens, a registry beside it, and a phone. */
export class Fleet {
  readonly desk: Desk;
  readonly real: RealNode[] = [];
  readonly modelled = new Map<string, ModelledEnvoy>();
  /** Nodes that lost a mount: they refuse the module of auth 1.6.0. */
  readonly withoutMount = new Set<string>();
  readonly phone: Awaited<ReturnType<typeof startReceiver>>;
  readonly modules: Readonly<Record<string, FixtureModule>>;
  readonly ports: Readonly<Record<'xds' | 'modules' | 'api' | 'registry', number>>;
  /** The token of the admin is the desk's; this is the one that CI has. */
  ciToken = '';
  #marked: { readonly pages: number; readonly pushes: ReadonlyMap<string, number> } = {
    pages: 0,
    pushes: new Map(),
  };
  #server: Running | undefined;
  #registry: Running | undefined;
  readonly #upstream: Upstream;

  private constructor(parts: Pick<Fleet, 'desk' | 'phone' | 'modules' | 'ports'>, upstream: Upstream) {
    this.desk = parts.desk;
    this.phone = parts.phone;
    this.modules = parts.modules;
    this.ports = parts.ports;
    this.#upstream = upstream;
  }

  /** All up, without plugins. */
  static async start(): Promise<Fleet> {
    const [xds = 0, modules = 0, api = 0, registry = 0] = await Promise.all([1, 2, 3, 4].map(freePort));
    const names: [RegExp, string][] = [
      [/\bregistry\.example\b/g, `127.0.0.1:${registry}`],
      [/\battache\.internal:18002\b/g, `127.0.0.1:${api}`],
    ];
    const desk = new Desk({
      envoy: await envoyBinary('1.40.0'),
      names,
      env: { ATTACHE_SERVER: `http://127.0.0.1:${api}` },
    });
    const fleet = new Fleet(
      {
        desk,
        phone: await startReceiver(),
        modules: await buildModules(),
        ports: { xds, modules, api, registry },
      },
      await startUpstream(),
    );
    try {
      await fleet.#begin();
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  async #begin(): Promise<void> {
    const { desk } = this;
    await this.startRegistry();
    for (const [reference, { bytes }] of Object.entries(this.modules)) {
      const file = desk.write(`ci-artifacts/${reference.replace(':', '-')}.wasm`, bytes);
      if (reference === 'auth:1.6.2') continue;
      await desk.must(`attache push ${file} registry.example/${reference}`);
    }
    await this.startServer();
    const token = await desk.must('cat data/admin-token');
    desk.env.ATTACHE_TOKEN = token.out.trim();
    const ci = await desk.must('attache token create ci-edge --role deployer --plugins edge/');
    this.ciToken = ci.out.trim();
    await desk.must(`attache webhook add on-call --url ${this.phone.url}`);
    await this.#apply('upstream.json', rawCluster('upstream', this.#upstream.port));
    await this.#apply('listener.json', rawListener('ingress', []));
    for (const zone of ZONES)
      for (let i = 1; i <= IN_A_ZONE; i++) {
        const id = `edge-${zone}-${String(i).padStart(3, '0')}`;
        if (i <= REAL_IN_A_ZONE) await this.#startReal(id, zone, VERSIONS[i - 1] ?? '');
        else this.#startModelled(id, zone, VERSIONS[i % 2] ?? '');
      }
    await this.untilConnected(ZONES.length * IN_A_ZONE);
  }

  async #apply(file: string, resource: object): Promise<void> {
    const name = file.replace('.json', '');
    const document = {
      apiVersion: 'attache/v1',
      kind: 'EnvoyResource',
      metadata: { name: name === 'listener' ? 'ingress' : name, namespace: 'edge' },
      spec: { resource },
    };
    this.desk.write(file, JSON.stringify(document));
    await this.desk.must(`attache apply -f ${file}`);
  }

  async #startReal(id: string, zone: string, version: string): Promise<void> {
    const flags = `--id ${id} --namespace edge --label role=edge --label zone=${zone} --envoy-version ${version}`;
    const { out } = await this.desk.must(`attache bootstrap ${flags}`);
    const envoy = await startEnvoy({ bootstrap: out, version, concurrency: 1 });
    const port = await envoy.listenerPort('ingress');
    await envoy.waitReady();
    const load = startLoad({ port, connections: 1, perSecond: 30 });
    const stamp = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(10_000) });
      await response.arrayBuffer();
      return response.headers.get('x-stamp');
    };
    this.real.push({ id, envoy, load, stamp });
  }

  #startModelled(id: string, zone: string, version: string): void {
    const node = encodeNode({ id, zone, namespace: 'edge', version, labels: { role: 'edge', zone } });
    this.modelled.set(id, new ModelledEnvoy(id, node, this.#world()));
  }

  #world(): ModelledWorld {
    const { modules, withoutMount } = this;
    const digestOf = (reference: string) => modules[reference]?.sha256;
    return {
      xds: `127.0.0.1:${this.ports.xds}`,
      modules: `127.0.0.1:${this.ports.modules}`,
      refuses: (node, sha256) => {
        if (sha256 !== digestOf('auth:1.6.0')) return false;
        // The first one that gets it is the node of step 1, which has its mount.
        this.#first ??= node;
        if (node !== this.#first && withoutMount.size < 3) withoutMount.add(node);
        return withoutMount.has(node);
      },
      answers503: sha256 => sha256 === digestOf('auth:1.6.1'),
    };
  }
  #first: string | undefined;

  async startServer(): Promise<void> {
    const { xds, modules, api, registry } = this.ports;
    const flags = [
      '--data data --api-auth token --allow-private-host 127.0.0.1',
      `--insecure-registry 127.0.0.1:${registry}`,
      `--xds-listen 127.0.0.1:${xds} --modules-listen 127.0.0.1:${modules} --api-listen 127.0.0.1:${api}`,
    ];
    this.#server = this.desk.start(`exec attache serve ${flags.join(' ')} >> server.log 2>&1`);
    await isUp(`http://127.0.0.1:${api}`);
  }

  /** As a service manager does it. */
  async restartServer(): Promise<void> {
    await this.#server?.stop();
    await this.startServer();
  }

  async startRegistry(): Promise<void> {
    const ports = '--xds-listen 127.0.0.1:0 --modules-listen 127.0.0.1:0';
    const api = `--api-listen 127.0.0.1:${this.ports.registry}`;
    this.#registry = this.desk.start(
      `exec attache serve --data registry ${ports} ${api} > registry.log 2>&1`,
    );
    await isUp(`http://127.0.0.1:${this.ports.registry}`);
  }

  async stopRegistry(): Promise<void> {
    await this.#registry?.stop();
  }

  /** What the API says; throws unless it is 2xx. */
  // biome-ignore lint/suspicious/noExplicitAny: a step looks at what came, whatever it is.
  async read(path: string): Promise<any> {
    const response = await fetch(`http://127.0.0.1:${this.ports.api}${path}`, {
      headers: { authorization: `Bearer ${this.desk.env.ATTACHE_TOKEN}` },
      signal: AbortSignal.timeout(10_000),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${JSON.stringify(body)}`);
    return body;
  }

  async untilConnected(count: number): Promise<void> {
    const isThere = async () => {
      const { items } = await this.read('/v1/nodes?limit=500');
      return (
        items.filter((node: { status: { state: string } }) => node.status.state === 'Connected').length ===
        count
      );
    };
    await until(isThere, { what: `${count} nodes to be connected`, deadlineMs: 90_000, everyMs: 500 });
  }

  /** From here on count `touched` and `pages`. */
  mark(): void {
    this.#marked = {
      pages: this.phone.received.length,
      pushes: new Map([...this.modelled].map(([id, { pushed }]) => [id, pushed])),
    };
  }

  /** Modelled nodes of which a place was sent anything since the mark. */
  touched(): readonly string[] {
    const { pushes } = this.#marked;
    return [...this.modelled].filter(([id, { pushed }]) => pushed > (pushes.get(id) ?? 0)).map(([id]) => id);
  }

  /** Messages to the phone since the mark. */
  pages(): number {
    return this.phone.received.length - this.#marked.pages;
  }

  /** How many resources modelled nodes were sent in the version that they had. */
  repeated(): number {
    return [...this.modelled.values()].reduce((sum, node) => sum + node.repeated, 0);
  }

  /** Modelled nodes that run a module. */
  running(reference: string): readonly string[] {
    const sha256 = this.modules[reference]?.sha256 ?? '';
    return [...this.modelled.values()].filter(node => node.runs().includes(sha256)).map(({ id }) => id);
  }

  async stop(): Promise<void> {
    for (const { load } of this.real) await load.stop();
    for (const node of this.modelled.values()) node.leave();
    await Promise.all(this.real.map(({ envoy }) => envoy.stop()));
    await this.desk.close();
    await this.phone.stop();
    await this.#upstream.stop();
  }
}

/** The modules of the night, by reference. */
async function buildModules(): Promise<Readonly<Record<string, FixtureModule>>> {
  const faulty = (await buildPlugin('faulty/answers-503')).bytes;
  const limit = (await buildPlugin('add-header')).bytes;
  return {
    'auth:1.4': await buildStamp('replay-1.4'),
    'auth:1.5': await buildStamp('replay-1.5'),
    'auth:1.6.0': await buildStamp('replay-1.6.0'),
    'auth:1.6.1': withSeed(faulty, 'replay-1.6.1'),
    'auth:1.6.2': await buildStamp('replay-1.6.2'),
    'limit:1.0': withSeed(limit, 'replay-1.0'),
    'limit:1.1': withSeed(limit, 'replay-1.1'),
  };
}

async function isUp(api: string): Promise<void> {
  const isReady = async () => (await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  await until(isReady, { what: `${api} to be ready`, deadlineMs: 60_000, everyMs: 50 });
}
