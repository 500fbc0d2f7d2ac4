import { buildPlugin } from '../../plugins/build.ts';
import { envoyBinary } from '../harness/envoy-binary.ts';
import { type EnvoyProcess, startEnvoy } from '../harness/envoy-process.ts';
import { freePort } from '../harness/free-port.ts';
import { startUpstream, type Upstream } from '../harness/upstream.ts';
import { until } from '../harness/wait.ts';
import { Desk, type Running } from './desk.ts';
import type { Check } from './step.ts';

/** A newcomer's laptop: a clone, an Envoy with a configuration of its own, an application behind it. */
export class Laptop {
  readonly desk: Desk;
  readonly api: string;
  readonly listener: number;
  server: Running | undefined;
  /** That of `envoy.yaml`, and later of `managed.yaml`. */
  envoy: Running | undefined;
  /** The one without a listener. */
  bare: EnvoyProcess | undefined;
  demo: Running | undefined;
  readonly #upstream: Upstream;

  private constructor(desk: Desk, api: string, listener: number, upstream: Upstream) {
    this.desk = desk;
    this.api = api;
    this.listener = listener;
    this.#upstream = upstream;
  }

  static async open(): Promise<Laptop> {
    const [xds, modules, api, listener = 0] = await Promise.all([1, 2, 3, 4].map(freePort));
    const upstream = await startUpstream();
    const envoy = await envoyBinary('1.40.0');
    const server = `http://127.0.0.1:${api}`;
    const desk = new Desk({
      envoy,
      names: [
        [/\b127\.0\.0\.1:18000\b/g, `127.0.0.1:${xds}`],
        [/\b127\.0\.0\.1:18001\b/g, `127.0.0.1:${modules}`],
        [/\b127\.0\.0\.1:18002\b/g, `127.0.0.1:${api}`],
        [/\blocalhost:10000\b/g, `127.0.0.1:${listener}`],
      ],
      env: {
        ATTACHE_SERVER: server,
        ATTACHE_ENVOY: envoy,
        ATTACHE_XDS_LISTEN: `127.0.0.1:${xds}`,
        ATTACHE_MODULES_LISTEN: `127.0.0.1:${modules}`,
        ATTACHE_API_LISTEN: `127.0.0.1:${api}`,
        ATTACHE_LOG_LEVEL: 'error',
      },
    });
    desk.write('build/auth.wasm', (await buildPlugin('basic-auth')).bytes);
    desk.write('envoy.yaml', ownEnvoy(listener, upstream.port));
    desk.write('plugin.yaml', desk.localize(toDocument()));
    return new Laptop(desk, server, listener, upstream);
  }

  /** `attache serve` in a terminal of its own; resolves when it is ready. */
  async serve(): Promise<void> {
    this.server = this.desk.start('exec attache serve');
    const isReady = async () =>
      (await fetch(`${this.api}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok &&
      this.server?.text.out.includes('ready in');
    await until(isReady, { what: 'attache serve to be ready', deadlineMs: 30_000, everyMs: 50 });
  }

  /** `envoy -c FILE` in a terminal of its own, until its listener answers. */
  async runEnvoy(file: string): Promise<void> {
    await this.envoy?.stop();
    this.envoy = this.desk.start(`exec envoy -c ${file}`);
    await until(async () => (await this.get()) > 0, { what: `the Envoy of ${file}`, deadlineMs: 30_000 });
  }

  /** The Envoy that has no listener, beside. */
  async runBare(bootstrap: string): Promise<void> {
    this.bare = await startEnvoy({ bootstrap, concurrency: 1 });
  }

  /** The status of a request to the own listener. */
  async get(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.listener}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(5_000),
    });
    await response.arrayBuffer();
    return response.status;
  }

  async stop(): Promise<void> {
    await this.bare?.stop();
    await this.desk.close();
    await this.#upstream.stop();
  }
}

/** The document of the story; a user has to be there, which the story leaves out. */
export function toDocument({
  realm = 'example',
  namespace = '',
  rollout = '',
}: {
  readonly realm?: string;
  readonly namespace?: string;
  readonly rollout?: string;
} = {}): string {
  const where = namespace === '' ? '' : `, namespace: ${namespace}`;
  return `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: auth${where}}
spec:
  url: oci://127.0.0.1:18002/auth:1.4
  phase: AUTHN
  pluginConfig: {realm: ${realm}, users: {ada: secret}}
${rollout === '' ? '' : `  rollout: ${rollout}\n`}`;
}

/** Lays the document down, with what is said. */
export function writeDocument(
  { desk }: Laptop,
  name: string,
  options: Parameters<typeof toDocument>[0],
): void {
  desk.write(name, desk.localize(toDocument(options)));
}

/** The own listener answers so, within some time. */
export async function answers(laptop: Laptop, status: number, withinMs: number): Promise<Check> {
  const what = `a request is answered ${status} within ${withinMs / 1_000} s`;
  let last = 0;
  const isSo = await until(
    async () => {
      last = await laptop.get();
      return last === status;
    },
    { what, deadlineMs: withinMs },
  ).then(
    () => true,
    () => false,
  );
  return { what, isSo, seen: String(last) };
}

function ownEnvoy(port: number, upstream: number): string {
  return `static_resources:
  listeners:
  - name: ingress
    address: {socket_address: {address: 127.0.0.1, port_value: ${port}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /spare}
                route: {cluster: spare}
              - match: {prefix: /}
                route: {cluster: app}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
${['app', 'spare'].map(name => ownCluster(name, upstream)).join('')}`;
}

function ownCluster(name: string, port: number): string {
  return `  - name: ${name}
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: ${name}
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${port}}}}
`;
}
