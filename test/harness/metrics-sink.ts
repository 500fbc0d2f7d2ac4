import { Server, ServerCredentials, type ServerReadableStream } from '@grpc/grpc-js';
import type { MetricSample, NodeMetrics } from '../../src/model/node-metrics.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { ANY_NODE } from '../../src/xds/identity/node-right.ts';
import type { Flush } from '../../src/xds/metrics/decode-metrics.ts';
import { createMetricsReceiver } from '../../src/xds/metrics/metrics-receiver.ts';
import { until } from './wait.ts';

/** A metrics service by itself, with the product's own receiver, that takes stats of any node and keeps every flush. */
export interface MetricsSink {
  readonly port: number;
  readonly flushes: readonly Flush[];
  /** The samples of a node, oldest first. */
  samplesOf(node: string): readonly MetricSample[];
  /**
   * Waits for the second flush from now on, which tells of all that happened before: the first may have been under
   * way already.
   */
  nextFlush(): Promise<Flush>;
  stop(): Promise<void>;
}

const passThrough = (bytes: Buffer) => bytes;
const SERVICE = {
  stream: {
    path: '/envoy.service.metrics.v3.MetricsService/StreamMetrics',
    requestStream: true,
    responseStream: false,
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  },
};

export async function startMetricsSink(): Promise<MetricsSink> {
  const metrics = new LiveTable<NodeMetrics>();
  const flushes: Flush[] = [];
  const receiver = createMetricsReceiver({
    metrics,
    clock: { now: () => Date.now(), after: () => () => {} },
    owners: {
      processOf: () => null,
      beganAt: () => undefined,
      onFlush: (_node, _peer, flush) => flushes.push(flush),
    },
  });
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  server.addService(SERVICE, {
    stream(call: ServerReadableStream<Buffer, Buffer>) {
      const stream = receiver.open(call.getPeer(), ANY_NODE);
      call.on('data', (bytes: Buffer) => stream.onMessage(bytes)).on('error', () => {});
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, given) =>
      error ? reject(error) : resolve(given),
    ),
  );
  return {
    port,
    flushes,
    samplesOf: node => metrics.get(node)?.samples ?? [],
    async nextFlush() {
      const from = flushes.length;
      return until(() => flushes[from + 1], { what: 'two flushes of the stats' });
    },
    async stop() {
      receiver.stop();
      server.forceShutdown();
    },
  };
}
