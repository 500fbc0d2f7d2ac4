import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { ROUTE_TYPE } from '../../../src/model/type-url.ts';
import { AttacheProcess } from '../../harness/attache-process.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { type EnvoyProcess, startEnvoy } from '../../harness/envoy-process.ts';
import { freePort } from '../../harness/free-port.ts';
import { rawCluster, rawListener } from '../../harness/raw-resources.ts';
import { startUpstream, type Upstream } from '../../harness/upstream.ts';
import { XDS_FORM } from '../../harness/xds-form.ts';
import { type SeenResponse, startXdsSpy, type XdsSpy } from '../../harness/xds-spy.ts';

/** On what a story is told. */
export interface Stage {
  readonly version: string;
  /** chain: one slot a phase. single: one slot a plugin. */
  readonly layout: 'chain' | 'single';
  /**
   * delivered: the documents of `attache example listener`, applied. own: it stands in the user's bootstrap, and
   * `attache bootstrap --from` wrote the places.
   */
  readonly listener: 'delivered' | 'own';
}

/** Envoys with chains and without, and both ways to have a listener. */
export const STAGES: readonly Stage[] = [
  { version: '1.40.0', layout: 'chain', listener: 'delivered' },
  { version: '1.39.3', layout: 'chain', listener: 'delivered' },
  { version: '1.36.2', layout: 'single', listener: 'delivered' },
  { version: '1.40.0', layout: 'chain', listener: 'own' },
  { version: '1.36.2', layout: 'single', listener: 'own' },
];

export function toTitle({ version, layout, listener }: Stage): string {
  const where = listener === 'own' ? 'in its bootstrap' : 'from Attaché';
  return `Envoy ${version} (${layout}), its listener ${where}`;
}

/** A serving Envoy without plugins, and the Attaché that manages it. */
export interface LifecycleScene {
  readonly stage: Stage;
  readonly attache: AttacheProcess;
  /** The Envoy that runs now. */
  readonly envoy: EnvoyProcess;
  /** Between the two. */
  readonly spy: XdsSpy;
  /** node.id */
  readonly node: string;
  /** Of the listener; the same over restarts. */
  readonly port: number;
  /** Ends the Envoy (SIGTERM), and starts another of the same bootstrap; resolves when that has begun. */
  restartEnvoy(meanwhile?: () => Promise<void>): Promise<void>;
}

/** The plugins for which an own listener of an Envoy without chains has places, in this order. */
export const PLACES = ['first', 'second'] as const;

const NODE = 'edge-1';
/** Long enough that no request of the load is cut when a listener's old version goes. */
const DRAIN_TIME_S = 2;

export async function startLifecycleScene(t: TestContext, stage: Stage): Promise<LifecycleScene> {
  const upstream = stopAfter(t, await startUpstream());
  const attache = stopAfter(t, await AttacheProcess.start({ flags: ['--log-level', 'debug'] }));
  const spy = stopAfter(t, await startXdsSpy(attache.addresses.xds));
  const port = await freePort();
  const own = stage.listener === 'own' ? await writeOwnBootstrap(attache, stage, port, upstream) : [];
  const bootstrap = await attache.bootstrap(['--id', NODE, '--xds-address', `127.0.0.1:${spy.port}`, ...own]);
  if (stage.listener === 'delivered') await applyExampleListener(attache, port, upstream);
  const start = async () =>
    stopAfter(t, await startEnvoy({ bootstrap, version: stage.version, drainTimeS: DRAIN_TIME_S }));
  let envoy = await start();
  await envoy.listenerPort(stage.listener === 'own' ? 'main' : 'ingress');
  await envoy.waitReady();
  return {
    ...{ stage, attache, spy, node: NODE, port },
    get envoy() {
      return envoy;
    },
    async restartEnvoy(meanwhile) {
      await envoy.stop();
      await meanwhile?.();
      envoy = await start();
    },
  };
}

/** Flags of `attache bootstrap` for a user's own file with a listener and its upstream. */
async function writeOwnBootstrap(
  attache: AttacheProcess,
  { version, layout }: Stage,
  port: number,
  upstream: Upstream,
): Promise<readonly string[]> {
  const file = join(attache.folder, 'envoy.yaml');
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  const resources = {
    listeners: [toStatic(rawListener('main', [], { address }))],
    clusters: [toStatic(rawCluster('upstream', upstream.port))],
  };
  await writeFile(file, stringify({ static_resources: resources }));
  const places = layout === 'single' ? ['--plugins', PLACES.join(',')] : [];
  return ['--from', file, '--envoy-version', version, ...places];
}

/** In a bootstrap a listener or cluster has no `@type`. */
function toStatic({ '@type': _, ...resource }: JsonObject): JsonObject {
  return resource;
}

async function applyExampleListener(
  attache: AttacheProcess,
  port: number,
  upstream: Upstream,
): Promise<void> {
  const { stdout } = await attache.cli([
    ...['example', 'listener', '--port', String(port), '--upstream', `127.0.0.1:${upstream.port}`],
  ]);
  const file = join(attache.folder, 'listener.yaml');
  await writeFile(file, stdout);
  await attache.cli(['apply', '-f', file]);
}

/**
 * In the state of the world a client that comes back gets what it names, whatever it says that it has: the version of
 * routes does not tell which of them it is about. Envoy takes no notice of equal ones.
 */
export function isAnswerToNames({ typeUrl }: SeenResponse): boolean {
  return XDS_FORM === 'sotw' && typeUrl === ROUTE_TYPE;
}
