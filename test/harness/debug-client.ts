import * as grpc from '@grpc/grpc-js';
import { loadServiceProtos } from '../../src/xds/reflection/service-protos.ts';
import type { End } from '../integration/xds-client.ts';

const { root } = loadServiceProtos();
const CSDS = 'envoy.service.status.v3.ClientStatusDiscoveryService';

/** A message under the proto's field names, as grpcurl would take and show it. */
// biome-ignore lint/suspicious/noExplicitAny: what it holds is what the tests are about.
export type Message = any;

/** Calls any service by the protos; a second stack is in test/interop. */
export class DebugClient {
  readonly #client: grpc.Client;
  readonly #metadata = new grpc.Metadata();

  constructor(port: number, token?: string) {
    if (token !== undefined) this.#metadata.set('authorization', `Bearer ${token}`);
    this.#client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** Rejects with the gRPC status. */
  unary(method: string, request: Message): Promise<Message> {
    const { path, encode, decode } = toMethod(method);
    return new Promise((resolve, reject) => {
      const done = (error: grpc.ServiceError | null, value?: Message): void =>
        error === null ? resolve(value) : reject(error);
      const options = { deadline: Date.now() + 20_000 };
      this.#client.makeUnaryRequest(path, encode, decode, request, this.#metadata, options, done);
    });
  }

  stream(method: string): DebugStream {
    const { path, encode, decode } = toMethod(method);
    return new DebugStream(this.#client.makeBidiStreamRequest(path, encode, decode));
  }

  /** A call with one request and many answers. */
  watch(method: string, request: Message): DebugStream {
    const { path, encode, decode } = toMethod(method);
    return new DebugStream(this.#client.makeServerStreamRequest(path, encode, decode, request));
  }

  /** The configurations of the nodes that the matchers fit. */
  async status(...matchers: readonly Message[]): Promise<readonly Message[]> {
    const answer = await this.unary(`${CSDS}.FetchClientStatus`, { node_matchers: matchers });
    return answer.config ?? [];
  }

  async stop(): Promise<void> {
    this.#client.close();
  }
}

type Call = grpc.ClientReadableStream<Message> & { write?(message: Message): unknown; end?(): unknown };

/** What came over a stream, message by message. */
export class DebugStream {
  readonly ended: Promise<End>;
  readonly #call: Call;
  readonly #messages: AsyncIterator<Message>;

  constructor(call: Call) {
    this.#call = call;
    call.on('error', () => {});
    this.ended = new Promise(resolve =>
      call.on('status', ({ code, details }: End) => resolve({ code, details })),
    );
    this.#messages = call[Symbol.asyncIterator]();
  }

  send(message: Message): this {
    this.#call.write?.(message);
    return this;
  }

  async next(): Promise<Message> {
    return (await this.#messages.next()).value;
  }

  halfClose(): void {
    this.#call.end?.();
  }

  cancel(): void {
    this.#call.cancel();
  }
}

function toMethod(name: string) {
  const dot = name.lastIndexOf('.');
  const service = root.lookupService(name.slice(0, dot));
  const method = service.methodsArray.find(it => it.name === name.slice(dot + 1));
  const { resolvedRequestType: request, resolvedResponseType: response } = method ?? {};
  if (request == null || response == null) throw new Error(`no method ${name}`);
  return {
    path: `/${service.fullName.slice(1)}/${method?.name}`,
    encode: (message: Message) => Buffer.from(request.encode(request.fromObject(message)).finish()),
    decode: (bytes: Buffer): Message =>
      response.toObject(response.decode(bytes), { enums: String, longs: Number }),
  };
}

/** `cds a@1 SYNCED`, one line a resource. */
export function describeConfigs(config: Message): readonly string[] {
  return (config.generic_xds_configs ?? []).map((it: Message) => {
    const type = it.type_url.slice(it.type_url.lastIndexOf('.') + 1);
    return `${type} ${it.name}@${it.version_info ?? ''} ${it.config_status ?? 'UNKNOWN'}`;
  });
}
