import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { decodeRawRequest, type RawRequest } from './raw-request.ts';

/** A response that went to the Envoy. */
export interface SeenResponse {
  readonly typeUrl: string;
  /** Of the resources that it carried. */
  readonly names: readonly string[];
  readonly versions: readonly string[];
  readonly removed: readonly string[];
  readonly nonce: string;
  readonly at: number;
}

/** Stands between an Envoy and a control plane, passes delta ADS and stats on byte for byte, and keeps the first. */
export interface XdsSpy {
  readonly port: number;
  /** When each stream was opened, in ms. */
  readonly streams: readonly number[];
  readonly requests: readonly RawRequest[];
  readonly responses: readonly SeenResponse[];
  /** When the Envoy pushed its stats, in ms. */
  readonly flushes: readonly number[];
  /** Those of them that carried or removed resources. */
  carrying(): readonly SeenResponse[];
  stop(): Promise<void>;
}

const METHOD = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
const passThrough = (bytes: Buffer) => bytes;
const SERVICE: ServiceDefinition = {
  metrics: {
    path: METRICS,
    requestStream: true,
    responseStream: false,
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  },
  delta: {
    path: METHOD,
    requestStream: true,
    responseStream: true,
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  },
};
const UNLIMITED = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // A control plane that is away is tried again as fast as the Envoy tries.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 100,
};

/** `target`: HOST:PORT of the control plane; it may come and go. */
export async function startXdsSpy(target: string): Promise<XdsSpy> {
  const registry = new ProtoRegistry();
  const client = new Client(target, credentials.createInsecure(), UNLIMITED);
  const requests: RawRequest[] = [];
  const responses: SeenResponse[] = [];
  const streams: number[] = [];
  const flushes: number[] = [];
  const server = new Server(UNLIMITED);
  server.addService(SERVICE, {
    metrics(call: ServerReadableStream<Buffer, Buffer>, answer: (error: ServiceError | null) => void) {
      // The control plane answers nothing before the end; what ends there ends here.
      const onward = client.makeClientStreamRequest(METRICS, passThrough, passThrough, error =>
        answer(error),
      );
      call.on('data', (bytes: Buffer) => {
        flushes.push(Date.now());
        onward.write(bytes);
      });
      call.on('end', () => onward.end());
      call.on('cancelled', () => onward.cancel());
      call.on('error', () => onward.cancel());
    },
    delta(call: ServerDuplexStream<Buffer, Buffer>) {
      streams.push(Date.now());
      const onward = client.makeBidiStreamRequest(METHOD, passThrough, passThrough, call.metadata);
      call.on('data', (bytes: Buffer) => {
        requests.push(decodeRawRequest(registry, 'delta', bytes));
        onward.write(bytes);
      });
      onward.on('data', (bytes: Buffer) => {
        responses.push(decodeResponse(registry, bytes));
        call.write(bytes);
      });
      call.on('end', () => onward.end());
      call.on('cancelled', () => onward.cancel());
      call.on('error', () => onward.cancel());
      onward.on('end', () => call.end());
      // Emitted, not destroyed: only so does the Envoy get the status.
      onward.on('error', error => call.emit('error', error));
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, given) =>
      error ? reject(error) : resolve(given),
    ),
  );
  return {
    port,
    streams,
    requests,
    responses,
    flushes,
    carrying: () => responses.filter(one => one.names.length + one.removed.length > 0),
    async stop() {
      server.forceShutdown();
      client.close();
    },
  };
}

function decodeResponse(registry: ProtoRegistry, bytes: Buffer): SeenResponse {
  const type = registry.lookup('envoy.service.discovery.v3.DeltaDiscoveryResponse');
  const message = type.decode(bytes) as unknown as Readonly<Record<string, unknown>>;
  const read = <T>(camel: string, snake: string, none: T): T =>
    (message[camel] ?? message[snake] ?? none) as T;
  const resources = read<readonly { name: string; version: string }[]>('resources', 'resources', []);
  return {
    typeUrl: read('typeUrl', 'type_url', ''),
    names: resources.map(one => one.name),
    versions: resources.map(one => one.version),
    removed: read('removedResources', 'removed_resources', []),
    nonce: read('nonce', 'nonce', ''),
    at: Date.now(),
  };
}
