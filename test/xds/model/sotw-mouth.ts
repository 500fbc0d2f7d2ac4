import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import type { DeltaMessage, Response } from './envoy-model.ts';
import { decodeSotwResponse, type SotwMessage } from './sotw-wire.ts';

/** What resources are, where the state of the world does not say it beside them. */
export interface ResourceReader {
  nameOf(typeUrl: string, any: Uint8Array): string;
  /** Equal for equal content. */
  versionOf(typeUrl: string, any: Uint8Array): string;
}

export interface Changes extends Response {
  readonly versionInfo: string;
}

/**
 * How an Envoy of the model speaks in the state of the world: one version stands for all places, each request names every
 * one of them, a set of listeners is compared with those that are there. As measured on 1.36.2 to 1.40.0
 * (test/e2e/traps/state-of-the-world.test.ts).
 */
export class SotwMouth {
  readonly #reader: ResourceReader;
  readonly #names = new Map<string, ReadonlySet<string>>();
  /** By type, the version that was accepted last: kept over streams. */
  readonly #accepted = new Map<string, string>();
  /** By type, the newest response that arrived on this stream. */
  readonly #offered = new Map<string, { readonly nonce: string; readonly version: string }>();

  constructor(reader: ResourceReader) {
    this.#reader = reader;
  }

  /** A stream begins: nonces die with the one before. */
  connect(): void {
    this.#offered.clear();
  }

  /** An Envoy that once asked for places says on each stream which, also when it has none any more. */
  get hasAskedForPlaces(): boolean {
    return this.#names.has(EXTENSION_CONFIG_TYPE);
  }

  toSotw(message: DeltaMessage): SotwMessage {
    const { typeUrl, responseNonce, errorDetail, initialVersions } = message;
    const names = new Set(initialVersions === undefined ? this.#names.get(typeUrl) : []);
    for (const name of message.subscribe ?? []) names.add(name);
    for (const name of message.unsubscribe ?? []) names.delete(name);
    this.#names.set(typeUrl, names);
    const offered = this.#offered.get(typeUrl);
    if (responseNonce !== undefined && errorDetail === undefined && offered?.nonce === responseNonce)
      this.#accepted.set(typeUrl, offered.version);
    return {
      typeUrl,
      versionInfo: this.#accepted.get(typeUrl) ?? '',
      names: [...names],
      responseNonce: responseNonce ?? offered?.nonce ?? '',
      ...(errorDetail === undefined ? {} : { errorDetail }),
    };
  }

  /** A response arrives, and is looked at now. */
  receive({ typeUrl, nonce, versionInfo }: Changes): void {
    this.#offered.set(typeUrl, { nonce, version: versionInfo });
  }

  /**
   * What a response changes. `listeners`: those that are there, with their versions; equal ones are let be, and what
   * is missing in the set goes.
   */
  toChanges(bytes: Uint8Array, listeners: ReadonlyMap<string, { readonly version: string }>): Changes {
    const { typeUrl, nonce, versionInfo, resources: anys } = decodeSotwResponse(bytes);
    const resources = anys.map(any => ({
      name: this.#reader.nameOf(typeUrl, any),
      version: this.#reader.versionOf(typeUrl, any),
      any,
    }));
    if (typeUrl !== LISTENER_TYPE) return { typeUrl, nonce, versionInfo, resources, removed: [] };
    const present = new Set(resources.map(({ name }) => name));
    return {
      ...{ typeUrl, nonce, versionInfo },
      resources: resources.filter(({ name, version }) => listeners.get(name)?.version !== version),
      removed: [...listeners.keys()].filter(name => !present.has(name)),
    };
  }
}
