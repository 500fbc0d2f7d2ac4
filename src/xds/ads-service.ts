import type { ModuleFetchFeed } from '../model/module-fetch.ts';
import type { NodeIdentity } from '../model/node.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { LiveTable } from '../store/live-table.ts';
import type { Store } from '../store/store.ts';
import { DeltaStream, type StreamContext } from './delta/delta-stream.ts';
import { type DeltaRequest, decodeDeltaRequest } from './discovery-codec.ts';
import { decodeNode } from './node-codec.ts';
import { type CoalescedPut, NodeRecorder } from './node-recorder.ts';
import { ProcessRegistry } from './process-registry.ts';
import { onFetch } from './push/process-machine.ts';
import { XdsError } from './xds-error.ts';

export interface AdsOptions {
  readonly store: Store;
  /** By node id; written by compile. */
  readonly snapshots: LiveTable<Snapshot>;
  readonly fetches: ModuleFetchFeed;
  readonly moduleKey: Uint8Array;
  readonly writer: CoalescedPut;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
}

/** One ADS stream as the transport sees it. */
export interface AdsStream {
  /** Throws XdsError for a request that ends the stream. */
  onMessage(bytes: Uint8Array): void;
  close(): void;
}

/** What the transport needs: a stream per call, and an end. */
export interface AdsService {
  open(send: (bytes: Buffer) => void): AdsStream;
  stop(): void;
}

const STORE_PATIENCE_MS = 1000;

/** The shell of the xds stage: joins streams, processes, snapshots and module downloads. */
export async function createAdsService(options: AdsOptions): Promise<AdsService> {
  const { store, snapshots, fetches, clock, random, log } = options;
  const presences = (await store.list('NodePresence')).records.map(record => record.value);
  const verdicts = (await store.list('NodeVerdict')).records.map(record => record.value);
  const registry = new ProcessRegistry();
  registry.restore(presences, verdicts);
  const recorder = new NodeRecorder(options.writer, random, presences, verdicts);
  recorder.forgetConnections(clock.now());
  const context: StreamContext = { clock, random, log, recorder, moduleKey: options.moduleKey };
  const streams = new Map<string, Set<NodeStream>>();

  const stopSnapshots = snapshots.watch((nodeId, snapshot) => {
    if (snapshot !== undefined) for (const stream of streams.get(nodeId) ?? []) stream.onSnapshot(snapshot);
  });
  const stopFetches = fetches.subscribe(fetch => {
    const process = registry.byId(fetch.process);
    if (process === undefined) return;
    const stream = [...(streams.get(process.nodeId) ?? [])].find(it => it.delta.process === process);
    // An Envoy whose stream broke goes on downloading: what it holds then is known when it comes back.
    if (stream === undefined) process.state = onFetch(process.state, fetch, clock.now());
    else stream.delta.onFetch(fetch);
  });

  function join(node: NodeIdentity, request: DeltaRequest, send: (bytes: Buffer) => void): NodeStream {
    const fresh = request.initialVersions.size === 0;
    const process = registry.attach(node, fresh, () => random(8));
    recorder.connected(node, process, clock.now());
    log.info({ node: node.id, envoy: node.envoyVersion, fresh }, 'node connected');
    const stream = new NodeStream(node, new DeltaStream(process, context, send));
    const known = streams.get(node.id) ?? new Set();
    streams.set(node.id, known.add(stream));
    const offer = (): void => {
      const snapshot = stream.closed ? undefined : snapshots.get(node.id);
      if (snapshot !== undefined) stream.onSnapshot(snapshot);
    };
    // Nothing is pushed to a process before its name is durable: after a kill we would take it for its former
    // self, whose code cache was full. A store that does not answer must not keep an Envoy from starting.
    const settle = (): void => {
      stream.named = true;
      offer();
    };
    if (process.connectedBefore) settle();
    else {
      recorder.whenDurable(settle);
      clock.after(STORE_PATIENCE_MS, settle);
    }
    return stream;
  }

  function leave(stream: NodeStream): void {
    const { process } = stream.delta;
    stream.closed = true;
    stream.delta.close();
    const known = streams.get(process.nodeId);
    known?.delete(stream);
    if (known?.size === 0) streams.delete(process.nodeId);
    registry.detach(process);
    recorder.disconnected(process.nodeId, process, clock.now());
    log.info({ node: process.nodeId }, 'node disconnected');
  }

  return {
    open(send) {
      let stream: NodeStream | undefined;
      return {
        onMessage(bytes) {
          const request = decodeDeltaRequest(bytes);
          stream ??= join(firstNode(request), request, send);
          stream.checkNode(request);
          stream.delta.onRequest(request);
        },
        close() {
          if (stream !== undefined) leave(stream);
          stream = undefined;
        },
      };
    },
    stop() {
      stopSnapshots();
      stopFetches();
    },
  };
}

function firstNode(request: DeltaRequest): NodeIdentity {
  if (request.node !== undefined) return decodeNode(request.node);
  throw new XdsError('node-id-missing', 'the first request of a stream has no node');
}

/** A stream and the node that it is for. */
class NodeStream {
  readonly node: NodeIdentity;
  readonly delta: DeltaStream;
  /** The name of its process is durable. */
  named = false;
  closed = false;
  #nodeBytes: Uint8Array | undefined;

  constructor(node: NodeIdentity, delta: DeltaStream) {
    this.node = node;
    this.delta = delta;
  }

  onSnapshot(snapshot: Snapshot): void {
    if (this.named && snapshot.serves(this.node)) this.delta.onSnapshot(snapshot);
  }

  /** Envoys before 1.38 repeat their node in every request: equal bytes cost a comparison, no decoding. */
  checkNode({ node }: DeltaRequest): void {
    if (node === undefined) return;
    if (this.#nodeBytes !== undefined && Buffer.compare(this.#nodeBytes, node) === 0) return;
    if (decodeNode(node).id !== this.node.id)
      throw new XdsError('node-changed', `the stream of ${this.node.id} now names another node`);
    this.#nodeBytes = node;
  }
}
