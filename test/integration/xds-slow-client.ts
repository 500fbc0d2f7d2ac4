/** A client that leaves its response unread until it wants it: node:http2 by hand, as gRPC libraries read ahead. */
import http2 from 'node:http2';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import { HEADER_BYTES, toFrame } from '../../src/xds/grpc-frame.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { until } from '../harness/wait.ts';
import { encodeRequest } from '../xds/model/envoy-model.ts';
import { encodeSotwRequest } from '../xds/model/sotw-wire.ts';
import { type Response, readResponse } from './xds-wire.ts';

export class SlowClient {
  readonly #session: http2.ClientHttp2Session;
  readonly #call: http2.ClientHttp2Stream;
  readonly #form: ProtocolForm;
  readonly #node: string;
  #unread = Buffer.alloc(0);

  constructor(port: number, form: ProtocolForm, node: string) {
    this.#form = form;
    this.#node = node;
    this.#session = http2.connect(`http://127.0.0.1:${port}`);
    // The stop of the server cuts it.
    this.#session.on('error', () => {});
    const method = DISCOVERY_METHODS.find(it => it.form === form && it.typeUrl === undefined);
    this.#call = this.#session.request({
      ':method': 'POST',
      ':path': method?.path ?? '',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    this.#call.on('error', () => {});
  }

  /** An answer where it has a nonce. */
  ask(typeUrl: string, responseNonce = ''): this {
    const encode = this.#form === 'delta' ? encodeRequest : encodeSotwRequest;
    this.#call.write(toFrame(encode({ typeUrl, responseNonce }, this.#node)));
    return this;
  }

  /** Begins to read; before that the windows of its stream and connection fill up. */
  read(): this {
    this.#call.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
    });
    return this;
  }

  async next(): Promise<Response> {
    const end = await until(
      () => {
        const length = this.#unread.length < HEADER_BYTES ? undefined : this.#unread.readUInt32BE(1);
        const whole = HEADER_BYTES + (length ?? 0);
        return length !== undefined && this.#unread.length >= whole && whole;
      },
      { what: 'a whole response', deadlineMs: 10_000 },
    );
    const response = readResponse(this.#form, this.#unread.subarray(HEADER_BYTES, end));
    this.#unread = this.#unread.subarray(end);
    return response;
  }

  async stop(): Promise<void> {
    this.#session.destroy();
  }
}
