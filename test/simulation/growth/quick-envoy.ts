import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import type { DiscoveryStream } from '../../../src/xds/ads-service.ts';
import type { DeltaMessage } from '../../xds/model/envoy-model.ts';
import {
  encodeNode,
  encodeRequest,
  type NodeFacts,
  readListener,
  readPlace,
  readResponse,
} from '../envoy-bytes.ts';
import type { Plant } from '../plant.ts';
import type { SimClock } from '../sim-clock.ts';

/** What the plane sent to Envoys. */
export interface Sent {
  pushes: number;
  bytesPushed: number;
}

/**
 * An Envoy that accepts what it is sent a millisecond later, but for what it is told to refuse. It models no cache
 * and no listeners: for those there is SimEnvoy, at a hundred times the price.
 */
export class QuickEnvoy {
  /** What it refuses wherever it stands. */
  refuses: { readonly plugin: string; readonly revision: number } | undefined;
  readonly #plant: Plant;
  readonly #clock: SimClock;
  readonly #sent: Sent;
  #facts: NodeFacts;
  #stream: DiscoveryStream | undefined;
  #withNode = true;
  /** By type, then name: the versions that it accepted. */
  readonly #accepted = new Map<string, Map<string, string>>(
    [CLUSTER_TYPE, LISTENER_TYPE, EXTENSION_CONFIG_TYPE].map(typeUrl => [typeUrl, new Map()]),
  );
  readonly #places = new Set<string>();

  constructor(facts: NodeFacts, { plant, clock, sent }: { plant: Plant; clock: SimClock; sent: Sent }) {
    this.#facts = facts;
    this.#plant = plant;
    this.#clock = clock;
    this.#sent = sent;
  }

  connect(): void {
    const stream = this.#plant.open('delta', bytes => this.#onSent(stream, bytes));
    this.#stream = stream;
    this.#withNode = true;
    this.#request({ typeUrl: CLUSTER_TYPE, initialVersions: this.#versions(CLUSTER_TYPE) });
    this.#request({ typeUrl: LISTENER_TYPE, initialVersions: this.#versions(LISTENER_TYPE) });
    if (this.#places.size > 0)
      this.#request({
        typeUrl: EXTENSION_CONFIG_TYPE,
        subscribe: [...this.#places],
        initialVersions: this.#versions(EXTENSION_CONFIG_TYPE),
      });
  }

  /** The line breaks, and stands again; the Envoy may say something else of itself then. */
  reconnect(labels = this.#facts.labels): void {
    this.#stream?.close();
    this.#facts = { ...this.#facts, labels };
    this.connect();
  }

  #versions(typeUrl: string): Map<string, string> {
    return this.#accepted.get(typeUrl) ?? new Map();
  }

  #onSent(stream: DiscoveryStream | undefined, bytes: Buffer): void {
    this.#sent.pushes += 1;
    this.#sent.bytesPushed += bytes.length;
    const response = readResponse(bytes);
    this.#clock.after(1, () => {
      if (stream === this.#stream) this.#answer(response);
    });
  }

  #answer({ typeUrl, nonce, resources, removed }: ReturnType<typeof readResponse>): void {
    const { refuses } = this;
    if (refuses !== undefined && resources.some(({ any }) => this.#isRefused(typeUrl, any))) {
      const errorDetail = `Unable to create Wasm plugin ${refuses.plugin}`;
      this.#request({ typeUrl, responseNonce: nonce, errorDetail });
      return;
    }
    const accepted = this.#versions(typeUrl);
    for (const { name, version } of resources) accepted.set(name, version);
    for (const name of removed) accepted.delete(name);
    const listed = typeUrl === LISTENER_TYPE ? resources.flatMap(({ any }) => readListener(any)) : [];
    const added = listed.filter(place => !this.#places.has(place));
    for (const place of added) this.#places.add(place);
    // The subscription goes out before the ACK of the listener.
    if (added.length > 0) this.#request({ typeUrl: EXTENSION_CONFIG_TYPE, subscribe: added });
    this.#request({ typeUrl, responseNonce: nonce });
  }

  #isRefused(typeUrl: string, any: Uint8Array): boolean {
    if (typeUrl !== EXTENSION_CONFIG_TYPE) return false;
    const { parts } = readPlace(any);
    return parts.some(
      ({ plugin, revision }) => plugin === this.refuses?.plugin && revision === this.refuses.revision,
    );
  }

  #request(message: DeltaMessage): void {
    const node = this.#withNode ? encodeNode(this.#facts) : undefined;
    this.#withNode = false;
    this.#stream?.onMessage(encodeRequest(message, node));
  }
}
