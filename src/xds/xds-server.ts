import * as grpc from '@grpc/grpc-js';
import type { Log } from '../model/ports.ts';
import type { AdsService } from './ads-service.ts';
import { addDebugServices } from './debug-services.ts';
import { DISCOVERY_METHODS, type DiscoveryMethod, serviceOf, toByteMethod } from './discovery-services.ts';
import { toGrpcStatus } from './grpc-status.ts';
import { XdsError } from './xds-error.ts';

/*
 * The gRPC port. Messages pass through as bytes: the discovery codec reads and writes them.
 * Services: envoy/service/discovery/v3/ads.proto, envoy/service/metrics/v3/metrics_service.proto.
 */

const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';

const SERVER_OPTIONS: grpc.ServerOptions = {
  // Envoy answers no ping while it loads a large module (9 s were seen): a minute is not lost.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 60_000,
  // An Envoy sends all its stats in one message. With thousands of clusters or listeners that is far above gRPC's
  // usual 4 MiB, and the next flush would fail alike; without any limit one peer could take all memory.
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.enable_channelz': 0,
};

/** How long a client may take to let go when we stop. */
const GRACE_MS = 1000;
const STOPPING = { code: grpc.status.UNAVAILABLE, details: 'Attaché stops' };

export interface XdsServer {
  readonly address: { readonly host: string; readonly port: number };
  stop(): Promise<void>;
}

type Call = grpc.ServerDuplexStream<Buffer, Buffer>;
type MetricsCall = grpc.ServerReadableStream<Buffer, Buffer>;

/** Throws XdsError `xds-listen-failed`. Stopping ends every stream; Envoys keep what they run and come back. */
export async function startXdsServer(
  ads: AdsService,
  listen: { readonly host: string; readonly port: number },
  log: Log,
): Promise<XdsServer> {
  const server = new grpc.Server(SERVER_OPTIONS);
  const calls = new Set<Call>();
  for (const method of DISCOVERY_METHODS)
    server.addService(
      { stream: toByteMethod(method.path, true) },
      { stream: (call: Call) => serve(call, method, ads, calls, log) },
    );
  const metricsCalls = new Set<MetricsCall>();
  server.addService(
    { stream: toByteMethod(METRICS, false) },
    { stream: (call: MetricsCall) => receive(call, ads, metricsCalls, log) },
  );
  const served = new Set([...DISCOVERY_METHODS.map(({ path }) => path), METRICS].map(serviceOf));
  const debug = addDebugServices(server, [...served], ads.configs, log);
  const port = await bind(server, listen);
  return {
    address: { host: listen.host, port },
    async stop() {
      debug.stopping();
      for (const call of calls) call.end();
      for (const call of metricsCalls) call.emit('error', STOPPING);
      // Who does not let go is cut. (forceShutdown cuts nobody while channelz is off.)
      server.drain(toTarget(listen.host, port), GRACE_MS);
      await new Promise<void>(resolve => server.tryShutdown(() => resolve()));
    },
  };
}

function serve(call: Call, method: DiscoveryMethod, ads: AdsService, calls: Set<Call>, log: Log): void {
  calls.add(call);
  const stream = ads.open({ ...method, peer: call.getPeer() }, message => {
    if (!call.cancelled) call.write(message);
  });
  const leave = (): void => {
    if (calls.delete(call)) stream.close();
  };
  call.on('data', (message: Buffer) => {
    if (!calls.has(call)) return;
    try {
      stream.onMessage(message);
    } catch (error) {
      log.warn({ err: error, peer: call.getPeer() }, 'stream ended by us');
      leave();
      call.emit('error', toGrpcStatus(error));
    }
  });
  call.on('end', () => {
    leave();
    call.end();
  });
  call.on('cancelled', leave);
  call.on('close', leave);
  call.on('error', leave);
}

/** Envoy never ends it and wants no answer; the stop of the server ends it, and Envoy opens another one. */
function receive(call: MetricsCall, ads: AdsService, calls: Set<MetricsCall>, log: Log): void {
  calls.add(call);
  call.on('close', () => calls.delete(call));
  const peer = call.getPeer();
  const stream = ads.openMetrics(peer);
  call.on('data', (message: Buffer) => {
    try {
      stream.onMessage(message);
    } catch (error) {
      log.warn({ err: error, peer }, 'metrics stream ended by us');
      call.removeAllListeners('data').resume();
      call.emit('error', toGrpcStatus(error));
    }
  });
  call.on('error', () => {});
}

async function bind(server: grpc.Server, listen: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(
      toTarget(listen.host, listen.port),
      grpc.ServerCredentials.createInsecure(),
      (error, port) => {
        if (error === null) resolve(port);
        else
          reject(
            new XdsError(
              'xds-listen-failed',
              `cannot listen on ${toTarget(listen.host, listen.port)}: ${error.message}`,
              {
                cause: error,
                hint: 'choose another port with --xds-listen, or stop the other process',
              },
            ),
          );
      },
    );
  });
}

function toTarget(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
