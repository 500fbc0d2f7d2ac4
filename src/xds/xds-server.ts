import * as grpc from '@grpc/grpc-js';
import { addDebugServices } from './debug-services.ts';
import { DiscoveryCalls } from './discovery-call.ts';
import { DISCOVERY_METHODS, methodOf, serviceOf, toByteMethod } from './discovery-services.ts';
import { toGrpcStatus } from './grpc-status.ts';
import type { NodeRight } from './identity/node-right.ts';
import { type Called, shownBy } from './identity/shown-by.ts';
import { createInterceptor } from './limits/guarded-call.ts';
import type { LimitGuard } from './limits/limit-guard.ts';
import { openPort } from './limits/open-port.ts';
import type { Patience } from './limits/patience.ts';
import type { TransportOptions, XdsServer } from './transport.ts';

/*
 * The gRPC port. Messages pass through as bytes: the discovery codec reads and writes them.
 * Services: envoy/service/discovery/v3/ads.proto, envoy/service/metrics/v3/metrics_service.proto.
 */

const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';

/** What a client may cost is in ./limits. */
function toOptions(guard: LimitGuard, patience: Patience, discovery: DiscoveryCalls): grpc.ServerOptions {
  const guarded = createInterceptor(guard, path => methodOf(path) !== undefined);
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
    interceptors: [(method, call) => discovery.serve(method.path, guarded(method, call))],
  };
}

/** How long a client may take to let go when we stop. */
const GRACE_MS = 1000;
const STOPPING = { code: grpc.status.UNAVAILABLE, details: 'Attaché stops' };

type MetricsCall = grpc.ServerReadableStream<Buffer, Buffer>;
/** Open calls, each with what looks whether it may still be served. */
type OpenCalls = Map<MetricsCall, () => void>;

/** The transport on grpc-js. */
export async function startXdsServer(options: TransportOptions): Promise<XdsServer> {
  const { ads, listen, guard, gate, patience, log } = options;
  const discovery = new DiscoveryCalls(options);
  const server = new grpc.Server(toOptions(guard, patience, discovery));
  // They are only named here: no call of theirs comes so far.
  for (const { path } of DISCOVERY_METHODS)
    server.addService({ stream: toByteMethod(path, true) }, { stream() {} });
  const metricsCalls: OpenCalls = new Map();
  server.addService(
    { stream: toByteMethod(METRICS, false) },
    { stream: (call: MetricsCall) => receive(call, options, metricsCalls) },
  );
  const served = new Set([...DISCOVERY_METHODS.map(({ path }) => path), METRICS].map(serviceOf));
  const rightOf = (call: Called): NodeRight => gate.enter(shownBy(call));
  const debug = addDebugServices(server, [...served], { configs: ads.configs, rightOf, log });
  const stopChecks = gate.onChange(() => {
    discovery.check();
    for (const check of metricsCalls.values()) check();
  });
  // With TLS it is given sockets that shook hands already: to it they are as good as plain ones.
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const open = await openPort(
    {
      take: socket => injector.injectConnection(socket),
      drain: graceMs => injector.drain(graceMs),
      destroy: () => injector.destroy(),
    },
    listen,
    guard,
    log,
  );
  return {
    address: { host: listen.host, port: open.port },
    async stop() {
      stopChecks();
      debug.stopping();
      discovery.end();
      for (const call of metricsCalls.keys()) call.emit('error', STOPPING);
      // Who does not let go is cut. (forceShutdown cuts nobody while channelz is off.)
      const closed = open.close(GRACE_MS);
      // It never says that it is done where a session is being given up.
      server.tryShutdown(() => {});
      await closed;
    },
  };
}

/** Envoy never ends it and wants no answer; the stop of the server ends it, and Envoy opens another one. */
function receive(call: MetricsCall, { ads, gate, log }: TransportOptions, calls: OpenCalls): void {
  const peer = call.getPeer();
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      log.warn({ err: error, peer }, 'metrics stream ended by us');
      gate.note(error);
      calls.delete(call);
      call.removeAllListeners('data').resume();
      call.emit('error', toGrpcStatus(error));
    }
  };
  call.on('close', () => calls.delete(call));
  call.on('error', () => {});
  guarded(() => {
    const stream = ads.openMetrics(peer, gate.enter(shownBy(call)));
    calls.set(call, () => guarded(() => stream.check()));
    call.on('data', (message: Buffer) => guarded(() => stream.onMessage(message)));
  });
}
