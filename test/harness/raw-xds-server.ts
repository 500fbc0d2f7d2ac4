import { Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import { decodeRawRequest, type RawMode, type RawRequest } from './raw-request.ts';
import { until } from './wait.ts';

/** One resource of a push; `json` is proto3 JSON with `@type`. */
export interface RawResource {
  readonly name: string;
  readonly version: string;
  readonly json: JsonObject;
}

/** What the Envoy said to a push. */
export interface RawVerdict {
  readonly ok: boolean;
  /** Envoy's text, trimmed; empty for an ACK. */
  readonly text: string;
  readonly at: number;
  /** From the push to the answer, in ms. */
  readonly tookMs: number;
}

/** A push that may still be unanswered. */
export interface RawPush {
  readonly nonce: string;
  readonly at: number;
  readonly verdict: Promise<RawVerdict>;
}

interface RawStream {
  readonly number: number;
  readonly mode: RawMode;
  readonly call: ServerDuplexStream<Buffer, Buffer>;
}

const passThrough = (bytes: Buffer) => bytes;
const method = (name: string) => ({
  path: `/envoy.service.discovery.v3.AggregatedDiscoveryService/${name}`,
  requestStream: true,
  responseStream: true,
  requestSerialize: passThrough,
  requestDeserialize: passThrough,
  responseSerialize: passThrough,
  responseDeserialize: passThrough,
});
const SERVICE: ServiceDefinition = {
  delta: method('DeltaAggregatedResources'),
  sotw: method('StreamAggregatedResources'),
};

/**
 * An ADS server worked by hand: it answers nothing by itself and keeps every request, so that a test decides
 * each push and shows what an Envoy makes of it. Speaks delta and state of the world, whichever is asked for.
 */
export class RawXdsServer {
  /** Every request of every stream, in the order of arrival. */
  readonly requests: RawRequest[] = [];
  readonly port: number;
  readonly registry: ProtoRegistry;
  readonly #server: Server;
  readonly #streams: RawStream[];
  #nonces = 0;

  private constructor(server: Server, port: number, registry: ProtoRegistry, streams: RawStream[]) {
    this.#server = server;
    this.port = port;
    this.registry = registry;
    this.#streams = streams;
  }

  static async start(port = 0): Promise<RawXdsServer> {
    const registry = new ProtoRegistry();
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    const streams: RawStream[] = [];
    const accept = (mode: RawMode) => (call: ServerDuplexStream<Buffer, Buffer>) =>
      started.#accept(mode, call);
    server.addService(SERVICE, { delta: accept('delta'), sotw: accept('sotw') });
    const bound = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, given) =>
        error ? reject(error) : resolve(given),
      ),
    );
    const started = new RawXdsServer(server, bound, registry, streams);
    return started;
  }

  /** Streams open now. */
  get openStreams(): number {
    return this.#streams.length;
  }

  /** Ends every stream, as a control plane that goes away does. */
  cutStreams(): void {
    for (const stream of this.#streams.splice(0)) stream.call.end();
  }

  async stop(): Promise<void> {
    this.cutStreams();
    this.#server.forceShutdown();
  }

  /** The first request that fits, waited for; `from` skips the first so many requests. */
  waitRequest(fits: (request: RawRequest) => boolean, what: string, from = 0): Promise<RawRequest> {
    return until(() => this.requests.slice(from).find(fits), { what });
  }

  /** Until the Envoy has asked for a slot. */
  waitSubscribed(slot: string): Promise<RawRequest> {
    const asks = (one: RawRequest) => one.typeUrl === EXTENSION_CONFIG_TYPE && one.names.includes(slot);
    return this.waitRequest(asks, `the Envoy to ask for slot ${slot}`);
  }

  /** Sends one response on the newest stream, whoever asked for it or not. */
  push(typeUrl: string, resources: readonly RawResource[], removed: readonly string[] = []): RawPush {
    const stream = this.#streams.at(-1);
    if (stream === undefined) throw new Error('no Envoy is connected');
    const nonce = `raw-${++this.#nonces}`;
    const from = this.requests.length;
    const began = performance.now();
    const at = Date.now();
    stream.call.write(this.#encode(stream.mode, { typeUrl, nonce, resources, removed }));
    return { nonce, at, verdict: this.#waitVerdict(nonce, from, began) };
  }

  /** Pushes and waits for the answer. */
  pushAndWait(typeUrl: string, resources: readonly RawResource[]): Promise<RawVerdict> {
    return this.push(typeUrl, resources).verdict;
  }

  /** One slot's content. */
  pushSlot(name: string, version: string, typedConfig: JsonObject): RawPush {
    const json = { '@type': EXTENSION_CONFIG_TYPE, name, typed_config: typedConfig };
    return this.push(EXTENSION_CONFIG_TYPE, [{ name, version, json }]);
  }

  pushListener(version: string, json: JsonObject): RawPush {
    return this.push(LISTENER_TYPE, [{ name: String(json.name), version, json }]);
  }

  #accept(mode: RawMode, call: ServerDuplexStream<Buffer, Buffer>): void {
    const stream = { number: this.#nonces + this.requests.length, mode, call };
    this.#streams.push(stream);
    const forget = () => {
      const at = this.#streams.indexOf(stream);
      if (at >= 0) this.#streams.splice(at, 1);
    };
    call.on('data', (bytes: Buffer) => this.requests.push(decodeRawRequest(this.registry, mode, bytes)));
    call.on('end', () => call.end());
    call.on('error', forget);
    call.on('close', forget);
  }

  #encode(
    mode: RawMode,
    push: { typeUrl: string; nonce: string; resources: readonly RawResource[]; removed: readonly string[] },
  ): Buffer {
    const { typeUrl, nonce, resources, removed } = push;
    const delta = {
      type_url: typeUrl,
      nonce,
      resources: resources.map(({ name, version, json }) => ({ name, version, resource: json })),
      removed_resources: removed,
    };
    const sotw = {
      type_url: typeUrl,
      nonce,
      version_info: resources.map(one => one.version).join('+') || 'empty',
      resources: resources.map(one => one.json),
    };
    return mode === 'delta'
      ? Buffer.from(this.registry.encode('envoy.service.discovery.v3.DeltaDiscoveryResponse', delta))
      : Buffer.from(this.registry.encode('envoy.service.discovery.v3.DiscoveryResponse', sotw));
  }

  async #waitVerdict(nonce: string, from: number, began: number): Promise<RawVerdict> {
    const answers = (one: RawRequest) => one.responseNonce === nonce;
    const answer = await this.waitRequest(answers, `the Envoy's verdict on ${nonce}`, from);
    const tookMs = performance.now() - began;
    return { ok: answer.error === undefined, text: answer.error?.trim() ?? '', at: answer.at, tookMs };
  }
}
