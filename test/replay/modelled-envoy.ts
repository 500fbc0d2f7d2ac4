import * as grpc from '@grpc/grpc-js';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import { DISCOVERY_METHODS } from '../../src/xds/discovery-services.ts';
import { type DeltaMessage, decodeResponse, encodeRequest, type Response } from '../xds/model/envoy-model.ts';
import { encodeRequestCounts } from './modelled-stats.ts';
import { type PlacePart, placesOf, readPlace } from './modelled-wire.ts';

/** What all modelled Envoys of a fleet have of the world around them. */
export interface ModelledWorld {
  /** HOST:PORT */
  readonly xds: string;
  readonly modules: string;
  /** Whether this node refuses a module once its code runs. */
  refuses(node: string, sha256: string): boolean;
  /** Whether this module answers every request with 503. */
  answers503(sha256: string): boolean;
}

const ADS = DISCOVERY_METHODS.find(it => it.form === 'delta' && it.typeUrl === undefined)?.path ?? '';
const METRICS = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
const TYPES = [CLUSTER_TYPE, LISTENER_TYPE, EXTENSION_CONFIG_TYPE];
const FLUSH_MS = 5_000;
/** Traffic is part of the model: nobody really asks. */
const REQUESTS_A_SECOND = 40;

const bytes = (message: Buffer): Buffer => message;

/**
 * An Envoy as the control plane sees it: one connection, a discovery stream on which it answers as Envoys do (a module
 * that it does not have is refused and fetched; what it has, it takes or refuses), and stats every five seconds.
 */
export class ModelledEnvoy {
  readonly id: string;
  readonly #world: ModelledWorld;
  readonly #node: Uint8Array;
  readonly #client: grpc.Client;
  /** By type: versions that it has accepted, by name. */
  readonly #held = new Map(TYPES.map(type => [type, new Map<string, string>()]));
  readonly #places = new Set<string>();
  /** Digests of the modules that it has, and of those that run in each place. */
  readonly #modules = new Set<string>();
  readonly #runs = new Map<string, readonly PlacePart[]>();
  readonly #requests = { ok: 0, failed: 0 };
  /** Resources that it was sent in the version that it had. */
  repeated = 0;
  /** How often a place of it was sent something. */
  pushed = 0;
  #call: grpc.ClientDuplexStream<Buffer, Buffer> | undefined;
  #stats: grpc.ClientWritableStream<Buffer> | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  #isGone = false;

  constructor(id: string, node: Uint8Array, world: ModelledWorld) {
    this.id = id;
    this.#node = node;
    this.#world = world;
    this.#client = new grpc.Client(world.xds, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 500,
      'grpc.max_reconnect_backoff_ms': 2_000,
    });
    this.#open();
    this.#openStats();
    // Envoys flush when they flush, not all at once.
    this.#later(Math.random() * FLUSH_MS, () => this.#flush());
  }

  /** Digests of what runs, over all places. */
  runs(): readonly string[] {
    return [...this.#runs.values()].flat().map(({ sha256 }) => sha256);
  }

  leave(): void {
    this.#isGone = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#call?.cancel();
    this.#stats?.cancel();
    this.#client.close();
  }

  #open(): void {
    const call = this.#client.makeBidiStreamRequest(ADS, bytes, bytes);
    this.#call = call;
    call.on('data', (message: Buffer) => this.#take(decodeResponse(message)));
    call.on('error', () => {});
    call.on('status', () => this.#later(500 + Math.random() * 1_000, () => this.#open()));
    for (const typeUrl of TYPES) {
      const subscribe = typeUrl === EXTENSION_CONFIG_TYPE ? [...this.#places] : [];
      if (typeUrl === EXTENSION_CONFIG_TYPE && subscribe.length === 0) continue;
      this.#send({ typeUrl, subscribe, initialVersions: this.#held.get(typeUrl) ?? new Map() });
    }
  }

  #take(response: Response): void {
    for (const { name, version } of response.resources)
      if (this.#held.get(response.typeUrl)?.get(name) === version) this.repeated++;
    if (response.typeUrl === EXTENSION_CONFIG_TYPE) {
      this.#takePlace(response);
      return;
    }
    if (response.typeUrl === LISTENER_TYPE) {
      const asked = response.resources.flatMap(({ any }) => placesOf(any));
      const added = asked.filter(name => !this.#places.has(name));
      for (const name of added) this.#places.add(name);
      // The subscription goes out before the ACK of the listener.
      if (added.length > 0) this.#send({ typeUrl: EXTENSION_CONFIG_TYPE, subscribe: added });
    }
    this.#accept(response);
  }

  #takePlace(response: Response): void {
    const [resource] = response.resources;
    if (resource === undefined) {
      this.#accept(response);
      return;
    }
    this.pushed++;
    const { parts, isVerdict } = readPlace(resource.any);
    const missing = parts.find(({ sha256 }) => !this.#modules.has(sha256));
    if (missing !== undefined) void this.#fetch(missing);
    const refused =
      missing === undefined ? parts.find(({ sha256 }) => this.#world.refuses(this.id, sha256)) : missing;
    if (refused !== undefined && (missing === undefined || isVerdict)) this.#refuse(response, refused);
    else {
      this.#runs.set(resource.name, parts);
      this.#accept(response);
    }
  }

  #accept({ typeUrl, nonce, resources, removed }: Response): void {
    const held = this.#held.get(typeUrl);
    for (const { name, version } of resources) held?.set(name, version);
    for (const name of removed) held?.delete(name);
    this.#send({ typeUrl, responseNonce: nonce });
  }

  #refuse({ typeUrl, nonce }: Response, { plugin }: PlacePart): void {
    this.#send({ typeUrl, responseNonce: nonce, errorDetail: `Unable to create Wasm plugin ${plugin}` });
  }

  async #fetch({ sha256, path }: PlacePart): Promise<void> {
    try {
      const response = await fetch(`http://${this.#world.modules}${path}`, {
        signal: AbortSignal.timeout(10_000),
      });
      await response.arrayBuffer();
      if (response.ok) this.#modules.add(sha256);
    } catch {
      // As an Envoy: it is pushed again, or it is not.
    }
  }

  #send(message: DeltaMessage): void {
    this.#call?.write(Buffer.from(encodeRequest(message, this.#node)));
  }

  #openStats(): void {
    const stats = this.#client.makeClientStreamRequest(METRICS, bytes, bytes, () => {});
    this.#stats = stats;
    stats.on('error', () => {});
    stats.on('status', () => this.#later(1_000, () => this.#openStats()));
  }

  #flush(): void {
    const isBroken = this.runs().some(sha256 => this.#world.answers503(sha256));
    const count = (REQUESTS_A_SECOND * FLUSH_MS) / 1_000;
    this.#requests[isBroken ? 'failed' : 'ok'] += count;
    this.#stats?.write(Buffer.from(encodeRequestCounts(this.#node, this.#requests, Date.now())));
    this.#later(FLUSH_MS, () => this.#flush());
  }

  #later(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isGone) callback();
    }, ms);
    this.#timers.add(timer);
  }
}
