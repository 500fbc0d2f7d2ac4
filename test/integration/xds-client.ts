import * as grpc from '@grpc/grpc-js';
import { type DeltaMessage, decodeResponse, encodeRequest } from '../xds/model/envoy-model.ts';

const bytes = (message: Buffer): Buffer => message;
const SERVICE = '/envoy.service.discovery.v3.AggregatedDiscoveryService';

export type Response = ReturnType<typeof decodeResponse>;

/** The end of a stream as the client sees it. */
export interface End {
  readonly code: grpc.status;
  readonly details: string;
}

/** A gRPC connection to an xDS port; messages pass through as bytes. */
export class XdsConnection {
  readonly #client: grpc.Client;
  readonly #credentials = grpc.credentials.createInsecure();
  #closed = false;

  constructor(port: number) {
    // A connection of its own: clients of one address would share theirs.
    this.#client = new grpc.Client(`127.0.0.1:${port}`, this.#credentials, {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  open(node = 'edge-1', method = 'DeltaAggregatedResources'): XdsStream {
    return new XdsStream(this.#client.makeBidiStreamRequest(`${SERVICE}/${method}`, bytes, bytes), node);
  }

  /** A stream of the client only, such as the metrics sink of Envoy. */
  sink(path: string): grpc.ClientWritableStream<Buffer> {
    return this.#client.makeClientStreamRequest(path, bytes, bytes, () => {});
  }

  async stop(): Promise<void> {
    if (!this.#closed) this.#client.close();
    this.#closed = true;
  }
}

/** One ADS stream: what came over it, and how it ended. */
export class XdsStream {
  readonly responses: Response[] = [];
  readonly ended: Promise<End>;
  readonly #call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #node: string;
  #end: End | undefined;
  #waiting: (() => void)[] = [];

  constructor(call: grpc.ClientDuplexStream<Buffer, Buffer>, node: string) {
    this.#call = call;
    this.#node = node;
    call.on('data', (message: Buffer) => {
      this.responses.push(decodeResponse(message));
      this.#wake();
    });
    call.on('error', () => {});
    this.ended = new Promise(resolve =>
      call.on('status', ({ code, details }) => {
        this.#end = { code, details };
        this.#wake();
        resolve(this.#end);
      }),
    );
  }

  send(message: DeltaMessage, node = this.#node): this {
    this.#call.write(Buffer.from(encodeRequest(message, node)));
    return this;
  }

  sendBytes(message: Uint8Array): this {
    this.#call.write(Buffer.from(message));
    return this;
  }

  ask(typeUrl: string, subscribe: readonly string[] = [], versions: Record<string, string> = {}): this {
    return this.send({ typeUrl, subscribe, initialVersions: new Map(Object.entries(versions)) });
  }

  answer({ typeUrl, nonce }: Response, errorDetail?: string): this {
    return this.send({
      typeUrl,
      responseNonce: nonce,
      ...(errorDetail === undefined ? {} : { errorDetail }),
    });
  }

  /** The next response that was not taken yet; throws when the stream ends or ten seconds pass before it. */
  async next(): Promise<Response> {
    const deadline = AbortSignal.timeout(10_000);
    for (;;) {
      const response = this.responses.shift();
      if (response !== undefined) return response;
      if (this.#end !== undefined) throw new Error(`the stream ended: ${JSON.stringify(this.#end)}`);
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        deadline.addEventListener('abort', () => reject(new Error('no response within ten seconds')));
      });
    }
  }

  /** As `next`, answered with an ACK. */
  async accept(): Promise<Response> {
    const response = await this.next();
    this.answer(response);
    return response;
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
