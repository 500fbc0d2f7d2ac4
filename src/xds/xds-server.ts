import * as grpc from '@grpc/grpc-js';
import type { Log } from '../model/ports.ts';
import type { AdsService } from './ads-service.ts';
import { addDebugServices } from './debug-services.ts';
import { DISCOVERY_METHODS, type DiscoveryMethod, serviceOf, toByteMethod } from './discovery-services.ts';
import { toGrpcStatus } from './grpc-status.ts';
import { createInterceptor } from './limits/guarded-call.ts';
import type { LimitGuard } from './limits/limit-guard.ts';
import { openPort } from './limits/open-port.ts';
import type { Patience } from './limits/patience.ts';

/*
 * The gRPC port. Messages pass through as bytes: the discovery codec reads and writes them.
 * Services: envoy/service/discovery/v3/ads.proto, envoy/service/metrics/v3/metrics_service.proto.
 */

const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';

/** What a client may cost is in ./limits. */
function toOptions(guard: LimitGuard, patience: Patience): grpc.ServerOptions {
  return {
    'grpc.keepalive_time_ms': patience.pingEveryMs,
    'grpc.keepalive_timeout_ms': patience.pingAnswerMs,
    'grpc.max_connection_idle_ms': patience.unusedMs,
    // An Envoy sends all its stats in one message. With thousands of clusters or listeners that is far above gRPC's
    // usual 4 MiB, and the next flush would fail alike; without any limit one peer could take all memory.
    'grpc.max_receive_message_length': guard.limits['message-size'],
    // Who goes beyond the limit is told in a status; this is for a client that does not care.
    'grpc.max_concurrent_streams': 2 * guard.limits['streams-per-connection'],
    'grpc.enable_channelz': 0,
    interceptors: [createInterceptor(guard, path => DISCOVERY_METHODS.some(method => method.path === path))],
  };
}

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
  guard: LimitGuard,
  log: Log,
  patience: Patience,
): Promise<XdsServer> {
  const server = new grpc.Server(toOptions(guard, patience));
  const calls = new Set<Call>();
  for (const method of DISCOVERY_METHODS)
    server.addService(
      { stream: toByteMethod(method.path, true) },
      { stream: (call: Call) => serve(call, method, ads, guard, calls, log) },
    );
  const metricsCalls = new Set<MetricsCall>();
  server.addService(
    { stream: toByteMethod(METRICS, false) },
    { stream: (call: MetricsCall) => receive(call, ads, metricsCalls, log) },
  );
  const served = new Set([...DISCOVERY_METHODS.map(({ path }) => path), METRICS].map(serviceOf));
  const debug = addDebugServices(server, [...served], ads.configs, log);
  const open = await openPort(server, listen, guard);
  return {
    address: { host: listen.host, port: open.port },
    async stop() {
      debug.stopping();
      for (const call of calls) call.end();
      for (const call of metricsCalls) call.emit('error', STOPPING);
      // Who does not let go is cut. (forceShutdown cuts nobody while channelz is off.)
      const closed = open.close(GRACE_MS);
      // It never says that it is done where a session is being given up.
      server.tryShutdown(() => {});
      await closed;
    },
  };
}

function serve(
  call: Call,
  method: DiscoveryMethod,
  ads: AdsService,
  guard: LimitGuard,
  calls: Set<Call>,
  log: Log,
): void {
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
      guard.note(error, call.getPeer());
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
