import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { DISCOVERY_METHODS, toByteMethod } from '../../src/xds/discovery-services.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { decodeRawRequest, type RawRequest } from './raw-request.ts';

/** A response that went to the Envoy. */
export interface SeenResponse {
  readonly typeUrl: string;
  /** Of the resources that it carried. */
  readonly names: readonly string[];
  /** Of each of them; in the state of the world the one of the response. */
  readonly versions: readonly string[];
  readonly removed: readonly string[];
  readonly nonce: string;
  readonly at: number;
}

/** Stands between an Envoy and a control plane, passes discovery and stats on byte for byte, and keeps the first. */
export interface XdsSpy {
  readonly port: number;
  /** When each discovery stream was opened, in ms. */
  readonly streams: readonly number[];
  /** The method of each of them. */
  readonly methods: readonly string[];
  readonly requests: readonly RawRequest[];
  readonly responses: readonly SeenResponse[];
  /** When the Envoy pushed its stats, in ms. */
  readonly flushes: readonly number[];
  /** Those of them that carried or removed resources. */
  carrying(): readonly SeenResponse[];
  stop(): Promise<void>;
}

const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
const passThrough = (bytes: Buffer) => bytes;
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
  const methods: string[] = [];
  const flushes: number[] = [];
  const server = new Server(UNLIMITED);
  server.addService(
    { metrics: toByteMethod(METRICS, false) },
    {
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
    },
  );
  const pass = (path: string, form: ProtocolForm) => (call: ServerDuplexStream<Buffer, Buffer>) => {
    streams.push(Date.now());
    methods.push(path);
    const onward = client.makeBidiStreamRequest(path, passThrough, passThrough, call.metadata);
    call.on('data', (bytes: Buffer) => {
      requests.push(decodeRawRequest(registry, form, bytes));
      onward.write(bytes);
    });
    onward.on('data', (bytes: Buffer) => {
      responses.push(decodeResponse(registry, form, bytes));
      call.write(bytes);
    });
    call.on('end', () => onward.end());
    call.on('cancelled', () => onward.cancel());
    call.on('error', () => onward.cancel());
    onward.on('end', () => call.end());
    // Emitted, not destroyed: only so does the Envoy get the status.
    onward.on('error', error => call.emit('error', error));
  };
  for (const { path, form } of DISCOVERY_METHODS)
    server.addService({ [path]: toByteMethod(path, true) }, { [path]: pass(path, form) });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, given) =>
      error ? reject(error) : resolve(given),
    ),
  );
  return {
    port,
    streams,
    methods,
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

function decodeResponse(registry: ProtoRegistry, form: ProtocolForm, bytes: Buffer): SeenResponse {
  const name = form === 'delta' ? 'DeltaDiscoveryResponse' : 'DiscoveryResponse';
  const message = registry.lookup(`envoy.service.discovery.v3.${name}`).decode(bytes) as unknown as Message;
  const carried = read<readonly Message[]>(message, 'resources', 'resources', []);
  const version = read(message, 'versionInfo', 'version_info', '');
  return {
    typeUrl: read(message, 'typeUrl', 'type_url', ''),
    names: carried.map(one => (form === 'delta' ? read(one, 'name', 'name', '') : nameOf(registry, one))),
    versions: carried.map(one => read(one, 'version', 'version', version)),
    removed: read(message, 'removedResources', 'removed_resources', []),
    nonce: read(message, 'nonce', 'nonce', ''),
    at: Date.now(),
  };
}

type Message = Readonly<Record<string, unknown>>;

/** Of a resource that came without its name beside it. */
function nameOf(registry: ProtoRegistry, any: Message): string {
  const typeUrl = read(any, 'typeUrl', 'type_url', '');
  const type = registry.lookup(typeUrl.slice(typeUrl.indexOf('/') + 1));
  const resource = type.decode(read(any, 'value', 'value', new Uint8Array())) as unknown as Message;
  return read(resource, 'name', 'name', read(resource, 'clusterName', 'cluster_name', ''));
}

/** protobufjs names fields in camel case or as written, depending on how the file was parsed. */
function read<T>(message: Message, camel: string, snake: string, none: T): T {
  return (message[camel] ?? message[snake] ?? none) as T;
}
