import * as grpc from '@grpc/grpc-js';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import { type DeltaMessage, encodeRequest } from '../xds/model/envoy-model.ts';
import { encodeSotwRequest, type SotwMessage } from '../xds/model/sotw-wire.ts';
import { applyResponse, type Held, type Response, readResponse } from './xds-wire.ts';

export type { Response } from './xds-wire.ts';

const bytes = (message: Buffer): Buffer => message;

/** The end of a stream as the client sees it. */
export interface End {
  readonly code: grpc.status;
  readonly details: string;
}

/** Default: the form of the connection, all types. */
export interface StreamKind {
  readonly form?: ProtocolForm;
  readonly typeUrl?: string;
}

/** What a client shows of itself; nothing, over plain text. */
export interface ClientProof {
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly token?: string;
}

/** A gRPC connection to an xDS port; messages pass through as bytes. */
export class XdsConnection {
  readonly #client: grpc.Client;
  readonly #metadata = new grpc.Metadata();
  readonly #form: ProtocolForm;
  #closed = false;

  constructor(port: number, form: ProtocolForm = 'delta', { tls, token }: ClientProof = {}) {
    this.#form = form;
    if (token !== undefined) this.#metadata.set('authorization', `Bearer ${token}`);
    const credentials =
      tls === undefined
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null);
    // A connection of its own: clients of one address would share theirs.
    this.#client = new grpc.Client(`127.0.0.1:${port}`, credentials, {
      'grpc.use_local_subchannel_pool': 1,
      // It takes no address for a name.
      ...(tls === undefined ? {} : { 'grpc.ssl_target_name_override': 'localhost' }),
      'grpc.max_receive_message_length': -1,
    });
  }

  open(node = 'edge-1', { form = this.#form, typeUrl }: StreamKind = {}): XdsStream {
    const method = DISCOVERY_METHODS.find(it => it.form === form && it.typeUrl === typeUrl);
    if (method === undefined) throw new Error(`no such stream: ${form} ${typeUrl}`);
    const call = this.#client.makeBidiStreamRequest(method.path, bytes, bytes, this.#metadata);
    return new XdsStream(call, this, node, form);
  }

  /** A stream of the client only, such as the metrics sink of Envoy. */
  sink(path: string): grpc.ClientWritableStream<Buffer> {
    return this.#client.makeClientStreamRequest(path, bytes, bytes, this.#metadata, () => {});
  }

  async stop(): Promise<void> {
    if (!this.#closed) this.#client.close();
    this.#closed = true;
  }
}

/** What a client says of a type, in either form. */
export interface Saying {
  /** Names that it asks for from now on. */
  readonly ask?: readonly string[];
  readonly drop?: readonly string[];
  /** Of the response that it answers; default, in the state of the world: the last one answered. */
  readonly nonce?: string;
  /** It refuses. */
  readonly error?: string;
}

/** What the client has of one type. */
interface TypeState {
  names: readonly string[];
  /** Its first request had no names, which may mean everything; undefined: there was none yet. */
  nameless: boolean | undefined;
  nonce: string;
  versionInfo: string;
  held: Held;
  /** As `held`, in the versions of the server; only in the incremental form. */
  versions: Held;
}

const newTypeState = (): TypeState => ({
  names: [],
  nameless: undefined,
  nonce: '',
  versionInfo: '',
  held: new Map(),
  versions: new Map(),
});

/** One stream in one of the two forms: what came over it, what the client has from it, and how it ended. */
export class XdsStream {
  readonly connection: XdsConnection;
  readonly form: ProtocolForm;
  readonly responses: Response[] = [];
  readonly ended: Promise<End>;
  readonly #call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #node: string;
  readonly #types = new Map<string, TypeState>();
  #end: End | undefined;
  #waiting: (() => void)[] = [];

  constructor(
    call: grpc.ClientDuplexStream<Buffer, Buffer>,
    connection: XdsConnection,
    node: string,
    form: ProtocolForm,
  ) {
    this.#call = call;
    this.connection = connection;
    this.#node = node;
    this.form = form;
    call.on('data', (message: Buffer) => {
      this.responses.push(readResponse(form, message));
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

  // --- requests ---

  /** A request as it is, in the incremental form. */
  send(message: DeltaMessage, node = this.#node): this {
    return this.sendBytes(encodeRequest(message, node));
  }

  /** A request as it is, in the state of the world. */
  sendSotw(message: SotwMessage, node = this.#node): this {
    return this.sendBytes(encodeSotwRequest(message, node));
  }

  sendBytes(message: Uint8Array): this {
    this.#call.write(Buffer.from(message));
    return this;
  }

  say(typeUrl: string, { ask = [], drop = [], nonce, error }: Saying, node = this.#node): this {
    const state = this.#of(typeUrl);
    state.names = [...new Set([...state.names.filter(name => !drop.includes(name)), ...ask])];
    state.nameless ??= ask.length === 0;
    if (this.form === 'sotw' ? ask.length > 0 : drop.includes('*')) state.nameless = false;
    state.held = this.#covered(state);
    const refusal = error === undefined ? {} : { errorDetail: error };
    if (this.form === 'delta') {
      const answers = nonce === undefined ? {} : { responseNonce: nonce };
      return this.send({ typeUrl, subscribe: ask, unsubscribe: drop, ...answers, ...refusal }, node);
    }
    const { names, versionInfo } = state;
    const responseNonce = nonce ?? state.nonce;
    return this.sendSotw({ typeUrl, names, versionInfo, responseNonce, ...refusal }, node);
  }

  /** Asks for names, with `versions` that it has of them (incremental). */
  ask(typeUrl: string, names: readonly string[] = [], versions?: Record<string, string>): this {
    if (versions === undefined) return this.say(typeUrl, { ask: names });
    Object.assign(this.#of(typeUrl), { names, nameless: names.length === 0 });
    return this.send({ typeUrl, subscribe: names, initialVersions: new Map(Object.entries(versions)) });
  }

  drop(typeUrl: string, ...names: string[]): this {
    return this.say(typeUrl, { drop: names });
  }

  /** The first request of a type by a client that comes back: it says what it has from that stream. */
  resume(typeUrl: string, from: XdsStream): this {
    const former = from.#of(typeUrl);
    this.#types.set(typeUrl, { ...former, nonce: '' });
    return this.form === 'delta'
      ? this.ask(typeUrl, former.names, Object.fromEntries(former.versions))
      : this.say(typeUrl, {});
  }

  // --- responses ---

  /** An ACK, or a NACK with this text; a client takes an ACKed response for what it has. */
  answer(response: Response, error?: string, change: Pick<Saying, 'ask' | 'drop'> = {}): this {
    const { typeUrl, nonce, versionInfo } = response;
    const state = this.#of(typeUrl);
    state.nonce = nonce;
    if (error === undefined) {
      state.held = applyResponse(this.form, state.held, response);
      const versions = new Map(response.resources.map(it => [it.name, it.version]));
      const all = new Map([...state.versions, ...versions]);
      state.versions = new Map([...all].filter(([name]) => !response.removed.includes(name)));
      state.held = this.#covered(state);
      state.versionInfo = versionInfo;
    }
    return this.say(typeUrl, { ...change, nonce, ...(error === undefined ? {} : { error }) });
  }

  /** What the client has of a type. */
  held(typeUrl: string): Held {
    return this.#of(typeUrl).held;
  }

  /** The version of the type that the client accepted last; only in the state of the world. */
  versionInfo(typeUrl: string): string {
    return this.#of(typeUrl).versionInfo;
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

  /** What it does not ask for it lets go of, and does not take. */
  #covered({ held, names, nameless }: TypeState): Held {
    if (nameless === true || names.includes('*')) return held;
    return new Map([...held].filter(([name]) => names.includes(name)));
  }

  #of(typeUrl: string): TypeState {
    const known = this.#types.get(typeUrl) ?? newTypeState();
    this.#types.set(typeUrl, known);
    return known;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
