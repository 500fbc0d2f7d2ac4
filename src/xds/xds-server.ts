import * as grpc from '@grpc/grpc-js';
import type { DiscoveryStream } from './ads-service.ts';
import { addDebugServices } from './debug-services.ts';
import { DISCOVERY_METHODS, type DiscoveryMethod, serviceOf, toByteMethod } from './discovery-services.ts';
import { toGrpcStatus } from './grpc-status.ts';
import type { Shown } from './identity/node-gate.ts';
import type { NodeRight } from './identity/node-right.ts';
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

type Call = grpc.ServerDuplexStream<Buffer, Buffer>;
type MetricsCall = grpc.ServerReadableStream<Buffer, Buffer>;
/** Open calls, each with what looks whether it may still be served. */
type OpenCalls<C> = Map<C, () => void>;

/** The transport on grpc-js. */
export async function startXdsServer(options: TransportOptions): Promise<XdsServer> {
  const { ads, listen, guard, gate, patience, log } = options;
  const server = new grpc.Server(toOptions(guard, patience));
  const calls: OpenCalls<Call> = new Map();
  for (const method of DISCOVERY_METHODS)
    server.addService(
      { stream: toByteMethod(method.path, true) },
      { stream: (call: Call) => serve(call, method, options, calls) },
    );
  const metricsCalls: OpenCalls<MetricsCall> = new Map();
  server.addService(
    { stream: toByteMethod(METRICS, false) },
    { stream: (call: MetricsCall) => receive(call, options, metricsCalls) },
  );
  const served = new Set([...DISCOVERY_METHODS.map(({ path }) => path), METRICS].map(serviceOf));
  const rightOf = (call: Called): NodeRight => gate.enter(shownBy(call));
  const debug = addDebugServices(server, [...served], { configs: ads.configs, rightOf, log });
  const stopChecks = gate.onChange(() => {
    for (const check of [...calls.values(), ...metricsCalls.values()]) check();
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
      for (const call of calls.keys()) call.end();
      for (const call of metricsCalls.keys()) call.emit('error', STOPPING);
      // Who does not let go is cut. (forceShutdown cuts nobody while channelz is off.)
      const closed = open.close(GRACE_MS);
      // It never says that it is done where a session is being given up.
      server.tryShutdown(() => {});
      await closed;
    },
  };
}

/** What a call shows of who makes it. */
export type Called = Pick<Call, 'getAuthContext' | 'metadata'>;

/** Read where it is asked for: to look for a certificate takes 4 µs of each new stream. */
function shownBy(call: Called): Shown {
  return {
    get certificate() {
      return call.getAuthContext().sslPeerCertificate?.raw;
    },
    get authorization() {
      return call.metadata.get('authorization')[0]?.toString();
    },
  };
}

function serve(
  call: Call,
  method: DiscoveryMethod,
  { ads, gate, guard, log }: TransportOptions,
  calls: OpenCalls<Call>,
): void {
  let stream: DiscoveryStream | undefined;
  const leave = (): void => {
    calls.delete(call);
    stream?.close();
    stream = undefined;
  };
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      log.warn({ err: error, peer: call.getPeer() }, 'stream ended by us');
      guard.note(error, call.getPeer());
      gate.note(error);
      leave();
      call.emit('error', toGrpcStatus(error));
    }
  };
  call.on('data', (message: Buffer) => {
    guarded(() => stream?.onMessage(message));
  });
  call.on('end', () => {
    leave();
    call.end();
  });
  call.on('cancelled', leave);
  call.on('close', leave);
  call.on('error', leave);
  guarded(() => {
    const right = gate.enter(shownBy(call));
    const opened = ads.open({ ...method, peer: call.getPeer(), right }, message => {
      if (!call.cancelled) call.write(message);
    });
    stream = opened;
    calls.set(call, () => guarded(() => opened.check()));
  });
}

/** Envoy never ends it and wants no answer; the stop of the server ends it, and Envoy opens another one. */
function receive(
  call: MetricsCall,
  { ads, gate, log }: TransportOptions,
  calls: OpenCalls<MetricsCall>,
): void {
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
