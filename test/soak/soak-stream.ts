import type * as grpc from '@grpc/grpc-js';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import { readFields } from '../../src/xds/protobuf-fields.ts';
import type { ProtocolForm } from '../../src/xds/stream/channel.ts';
import type { Chance } from '../simulation/chance.ts';
import { decodeResponse, encodeRequest } from '../xds/model/envoy-model.ts';
import { decodeSotwResponse, encodeSotwRequest } from '../xds/model/sotw-wire.ts';
import { markOf } from './content.ts';
import type { Tally } from './tally.ts';

/** What a client has of one type; it outlives its stream. */
export interface Kept {
  names: Set<string>;
  /** By name. */
  held: Map<string, { readonly version: string; readonly mark: string | undefined }>;
  versionInfo: string;
}

export interface StreamOptions {
  readonly form: ProtocolForm;
  readonly node: string;
  /** By type: what it asks for, and has from before. */
  readonly kept: Map<string, Kept>;
  readonly chance: Chance;
  readonly tally: Tally;
  /** Whether responses are refused now and then. */
  readonly mayRefuse: () => boolean;
  readonly onEnd: (status: grpc.StatusObject) => void;
}

const WILD = [CLUSTER_TYPE, LISTENER_TYPE];

/** One discovery stream of a client that ACKs, refuses, changes its mind and floods. */
export class SoakStream {
  readonly options: StreamOptions;
  readonly #call: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #nonces = new Map<string, string>();
  /** The newest things that happened on it. */
  readonly story: string[] = [];
  #isHalfClosed = false;
  isOpen = true;

  constructor(call: grpc.ClientDuplexStream<Buffer, Buffer>, options: StreamOptions, isKnown: boolean) {
    this.#call = call;
    this.options = options;
    call.on('data', (message: Buffer) => this.#onResponse(message));
    call.on('error', () => {});
    call.on('status', status => {
      this.isOpen = false;
      options.onEnd(status);
    });
    for (const typeUrl of options.kept.keys()) this.#begin(typeUrl, isKnown);
  }

  /** Asks for other names of a type from now on. */
  rename(typeUrl: string, names: readonly string[]): void {
    const kept = this.#of(typeUrl);
    const before = kept.names;
    kept.names = new Set(names);
    for (const name of before) if (!kept.names.has(name)) kept.held.delete(name);
    const subscribe = names.filter(name => !before.has(name));
    const unsubscribe = [...before].filter(name => !kept.names.has(name));
    this.#send(typeUrl, { subscribe, unsubscribe });
  }

  /** `count` requests, as fast as they go. */
  flood(count: number): void {
    const [typeUrl = ''] = this.options.kept.keys();
    for (let i = 0; i < count; i++) this.#send(typeUrl, {});
    this.options.tally.count('requests of floods', count);
  }

  /** Requests without an end, as fast as they are taken. */
  floodOn(): void {
    const [typeUrl = ''] = this.options.kept.keys();
    const more = (): void => {
      while (this.isOpen && this.#send(typeUrl, {})) this.options.tally.count('requests of floods');
      if (this.isOpen) this.#call.once('drain', more);
    };
    more();
  }

  sendLarge(bytes: number): void {
    const [typeUrl = ''] = this.options.kept.keys();
    this.#send(typeUrl, { subscribe: ['x'.repeat(bytes)] });
  }

  cancel(): void {
    this.#call.cancel();
  }

  halfClose(): void {
    this.#isHalfClosed = true;
    this.#call.end();
  }

  #begin(typeUrl: string, isKnown: boolean): void {
    const kept = this.#of(typeUrl);
    if (!isKnown) {
      kept.held.clear();
      kept.versionInfo = '';
    }
    const { form, node } = this.options;
    const names = [...kept.names];
    if (form === 'sotw') this.#send(typeUrl, {});
    else {
      const initialVersions = new Map([...kept.held].map(([name, { version }]) => [name, version]));
      this.#write(encodeRequest({ typeUrl, subscribe: names, initialVersions }, node));
    }
  }

  #onResponse(message: Buffer): void {
    const { form, tally, chance } = this.options;
    tally.count('responses');
    const { typeUrl, nonce, versionInfo, resources, removed } = read(form, message);
    this.#note(`< ${shortOf(typeUrl)} ${nonce} ${resources.map(it => `${it.name}@${it.mark}`)} -${removed}`);
    this.#nonces.set(typeUrl, nonce);
    // A place that was refused is not offered the same again, and what is in it never changes here.
    if (typeUrl !== EXTENSION_CONFIG_TYPE && this.options.mayRefuse() && chance.is(0.05)) {
      tally.count('NACKs');
      this.#send(typeUrl, {
        answers: nonce,
        errorDetail: `Error adding/updating ${resources[0]?.name}: soak`,
      });
      return;
    }
    const kept = this.#of(typeUrl);
    if (form === 'sotw' && WILD.includes(typeUrl)) kept.held = new Map();
    for (const { name, version, mark } of resources) kept.held.set(name, { version, mark });
    for (const name of removed) kept.held.delete(name);
    kept.versionInfo = versionInfo;
    tally.count('ACKs');
    this.#send(typeUrl, { answers: nonce });
  }

  /** False: no more for now. */
  #send(
    typeUrl: string,
    what: { subscribe?: string[]; unsubscribe?: string[]; answers?: string; errorDetail?: string },
  ): boolean {
    const { form, node } = this.options;
    const { errorDetail, answers, subscribe, unsubscribe } = what;
    this.#note(`> ${shortOf(typeUrl)} ${JSON.stringify(what)}`);
    const refusal = errorDetail === undefined ? {} : { errorDetail };
    if (form === 'delta') {
      const answered = answers === undefined ? {} : { responseNonce: answers };
      const names = { subscribe: subscribe ?? [], unsubscribe: unsubscribe ?? [] };
      return this.#write(encodeRequest({ typeUrl, ...names, ...answered, ...refusal }, node));
    }
    const { names, versionInfo } = this.#of(typeUrl);
    const responseNonce = answers ?? this.#nonces.get(typeUrl) ?? '';
    const all = [...names, ...(subscribe ?? []).filter(name => !names.has(name))];
    return this.#write(
      encodeSotwRequest({ typeUrl, names: all, versionInfo, responseNonce, ...refusal }, node),
    );
  }

  #note(text: string): void {
    this.story.push(
      new Date().toISOString().slice(14) + (text.length > 300 ? `${text.slice(0, 300)}…` : text),
    );
    if (this.story.length > 30) this.story.shift();
  }

  #write(bytes: Uint8Array): boolean {
    if (this.#isHalfClosed) return false;
    this.options.tally.count('requests');
    return this.#call.write(Buffer.from(bytes));
  }

  #of(typeUrl: string): Kept {
    const known = this.options.kept.get(typeUrl) ?? { names: new Set(), held: new Map(), versionInfo: '' };
    this.options.kept.set(typeUrl, known);
    return known;
  }
}

function shortOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}

interface Read {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versionInfo: string;
  readonly resources: readonly { name: string; version: string; mark: string | undefined }[];
  readonly removed: readonly string[];
}

function read(form: ProtocolForm, message: Buffer): Read {
  if (form === 'delta') {
    const { typeUrl, nonce, resources, removed } = decodeResponse(message);
    const named = resources.map(({ name, version, any }) => ({ name, version, mark: markOf(any) }));
    return { typeUrl, nonce, versionInfo: '', resources: named, removed };
  }
  const { typeUrl, nonce, versionInfo, resources } = decodeSotwResponse(message);
  const named = resources.map(any => ({ name: nameOf(any), version: '', mark: markOf(any) }));
  return { typeUrl, nonce, versionInfo, resources: named, removed: [] };
}

/** Field 1 of every type that is served is its name. */
function nameOf(any: Uint8Array): string {
  let name = '';
  readFields(any, (field, reader) => {
    if (field !== 2) return false;
    readFields(reader.bytes(), (inner, part) => {
      if (inner !== 1) return false;
      name = part.string();
      return true;
    });
    return true;
  });
  return name;
}
