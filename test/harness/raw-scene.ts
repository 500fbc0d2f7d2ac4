import type { TestContext } from 'node:test';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { stopAfter } from './cleanup.ts';
import { type EnvoyOptions, type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { type MetricsSink, startMetricsSink } from './metrics-sink.ts';
import { type ModuleHost, startModuleHost } from './module-host.ts';
import { rawBootstrap } from './raw-resources.ts';
import { RawXdsServer } from './raw-xds-server.ts';
import { startUpstream, type Upstream } from './upstream.ts';
import { toApiType, XDS_FORM } from './xds-form.ts';

/** A real Envoy with everything around it worked by hand: what a trap is shown in. */
export interface RawScene {
  readonly upstream: Upstream;
  readonly host: ModuleHost;
  readonly xds: RawXdsServer;
  readonly envoy: EnvoyProcess;
  /** Gets the stats of the Envoy twice a second. */
  readonly sink: MetricsSink;
}

export async function startRawScene(
  t: TestContext,
  options: Omit<EnvoyOptions, 'bootstrap'> & {
    /** Default: that of the run. */
    readonly form?: ProtocolForm;
    /** Added to the bootstrap. */
    readonly bootstrapExtra?: object;
  } = {},
): Promise<RawScene> {
  const { form = XDS_FORM, bootstrapExtra = {}, ...envoyOptions } = options;
  const upstream = stopAfter(t, await startUpstream());
  const host = stopAfter(t, await startModuleHost());
  const xds = stopAfter(t, await RawXdsServer.start());
  const sink = stopAfter(t, await startMetricsSink());
  const ports = {
    ...{ xdsPort: xds.port, modulesPort: host.port },
    ...{ upstreamPort: upstream.port, metricsPort: sink.port },
  };
  const bootstrap = { ...rawBootstrap({ id: 'raw', apiType: toApiType(form), ...ports }), ...bootstrapExtra };
  const envoy = stopAfter(t, await startEnvoy({ ...envoyOptions, bootstrap }));
  return { upstream, host, xds, envoy, sink };
}
