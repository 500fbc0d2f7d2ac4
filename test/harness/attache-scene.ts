import type { TestContext } from 'node:test';
import { type AttacheOptions, AttacheProcess } from './attache-process.ts';
import { stopAfter } from './cleanup.ts';
import { type EnvoyOptions, type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { rawCluster, rawListener } from './raw-resources.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { startUpstream, type Upstream } from './upstream.ts';

/** Attaché, a real Envoy that it manages, and proxies between the two that can cut, delay and refuse. */
export interface AttacheScene {
  readonly upstream: Upstream;
  readonly attache: AttacheProcess;
  readonly envoy: EnvoyProcess;
  /** Between the Envoy and the xDS port. */
  readonly xdsProxy: TcpProxy;
  /** Between the Envoy and the module port. */
  readonly modulesProxy: TcpProxy;
  /** node.id of the Envoy. */
  readonly node: string;
  /** A further Envoy of the same bootstrap; after the first was killed or stopped. */
  startEnvoyAgain(): Promise<EnvoyProcess>;
}

export type AttacheSceneOptions = Omit<EnvoyOptions, 'bootstrap'> & {
  readonly attache?: AttacheOptions;
  /** Flags of `attache bootstrap`. */
  readonly bootstrapFlags?: readonly string[];
  /** What becomes of the text that `attache bootstrap` printed. */
  readonly editBootstrap?: (text: string) => string;
};

/** Everything up and connected; the cluster `upstream` is there, listeners and plugins are not. */
export async function startAttacheScene(
  t: TestContext,
  options: AttacheSceneOptions = {},
): Promise<AttacheScene> {
  const { attache: attacheOptions = {}, bootstrapFlags = [], editBootstrap, ...envoyOptions } = options;
  const upstream = stopAfter(t, await startUpstream());
  const attache = stopAfter(t, await AttacheProcess.start(attacheOptions));
  const xdsProxy = stopAfter(t, await startTcpProxy(toPort(attache.addresses.xds)));
  const modulesProxy = stopAfter(t, await startTcpProxy(toPort(attache.addresses.modules)));
  await attache.applyResource('clusters', 'upstream', rawCluster('upstream', upstream.port));
  const node = 'edge-1';
  const printed = await attache.bootstrap([
    ...['--id', node, '--xds-address', `127.0.0.1:${xdsProxy.port}`],
    ...['--modules-address', `127.0.0.1:${modulesProxy.port}`, ...bootstrapFlags],
  ]);
  const bootstrap = editBootstrap?.(printed) ?? printed;
  const startEnvoyAgain = async () => stopAfter(t, await startEnvoy({ ...envoyOptions, bootstrap }));
  const envoy = await startEnvoyAgain();
  await envoy.waitReady();
  return { upstream, attache, envoy, xdsProxy, modulesProxy, node, startEnvoyAgain };
}

/** Applies a plain listener `main` on a free port, with everything routed to `upstream`; gives its port. */
export async function serveMain(
  scene: AttacheScene,
  edit: Parameters<typeof rawListener>[2] = {},
): Promise<number> {
  await scene.attache.applyResource('listeners', 'main', rawListener('main', [], edit));
  const port = await scene.envoy.listenerPort('main');
  await scene.envoy.waitReady();
  return port;
}

function toPort(address: string): number {
  return Number(address.split(':').at(-1));
}
