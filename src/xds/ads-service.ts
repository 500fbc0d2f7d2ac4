import type { ModuleFetchFeed } from '../model/module-fetch.ts';
import type { NodeIdentity } from '../model/node.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { LiveTable } from '../store/live-table.ts';
import type { Store } from '../store/store.ts';
import { DeltaStream, type StreamContext } from './delta/delta-stream.ts';
import { type DeltaRequest, decodeDeltaRequest } from './discovery-codec.ts';
import { keepForgetting } from './forget-nodes.ts';
import { createMetricsReceiver, type MetricsStream } from './metrics/metrics-receiver.ts';
import { toReading } from './metrics/to-reading.ts';
import { decodeNode } from './node-codec.ts';
import { type CoalescedPut, NodeRecorder } from './node-recorder.ts';
import { ProcessRegistry } from './process-registry.ts';
import { onFetch } from './push/process-machine.ts';
import { createNodeConfigs, type NodeConfigs } from './status/node-configs.ts';
import { XdsError } from './xds-error.ts';

export interface AdsOptions {
  readonly store: Store;
  /** By node id; written by compile. */
  readonly snapshots: LiveTable<Snapshot>;
  /** By node id; written here. */
  readonly metrics: LiveTable<NodeMetrics>;
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

/** What the transport needs: a stream per call, and an end. `peer`: the address that the stream comes from. */
export interface AdsService {
  open(send: (bytes: Buffer) => void, peer?: string): AdsStream;
  /** The metrics service: one stream per Envoy. */
  openMetrics(peer: string): MetricsStream;
  /** What every node has of what it is to have. */
  readonly configs: NodeConfigs;
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
  const receiver = createMetricsReceiver({
    metrics: options.metrics,
    clock,
    owners: {
      processOf(nodeId, peer) {
        const own = [...(streams.get(nodeId) ?? [])];
        const stream = findByPeer(own, peer) ?? (own.length === 1 ? own[0] : undefined);
        if (stream !== undefined) return stream.delta.process.id;
        return own.length > 0 ? null : registry.current(nodeId)?.id;
      },
      // Only what came over the same connection is surely of the same process.
      beganAt(nodeId, peer) {
        const stream = findByPeer([...(streams.get(nodeId) ?? [])], peer);
        return stream?.delta.process.state.fresh === true ? stream.openedAt : undefined;
      },
      onFlush(nodeId, peer, flush) {
        findByPeer([...(streams.get(nodeId) ?? [])], peer)?.delta.onReading(toReading(flush));
      },
    },
  });
  const stopForgetting = keepForgetting({
    store,
    clock,
    log,
    presences: () => recorder.presences(),
    forget(nodeId, reason) {
      registry.forget(nodeId);
      recorder.forget(nodeId);
      receiver.forget(nodeId);
      if (reason === 'away')
        recorder.event('node.forgotten', nodeId, `${nodeId} was away too long`, clock.now());
      log.info({ node: nodeId, reason }, 'node forgotten');
    },
  });
  const stopFetches = fetches.subscribe(fetch => {
    const process = registry.byId(fetch.process);
    if (process === undefined) return;
    const stream = [...(streams.get(process.nodeId) ?? [])].find(it => it.delta.process === process);
    // An Envoy whose stream broke goes on downloading: what it holds then is known when it comes back.
    if (stream === undefined) process.state = onFetch(process.state, fetch, clock.now());
    else stream.delta.onFetch(fetch);
  });

  function join(
    node: NodeIdentity,
    request: DeltaRequest,
    send: (bytes: Buffer) => void,
    peer: string | undefined,
  ): NodeStream {
    const fresh = request.initialVersions.size === 0;
    const process = registry.attach(node, fresh, () => random(8));
    recorder.connected(node, process, clock.now());
    log.info({ node: node.id, envoy: node.envoyVersion, fresh }, 'node connected');
    const stream = new NodeStream(node, new DeltaStream(process, context, send), peer, clock.now());
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
    // First: a node that is gone keeps the places that it had.
    recorder.disconnected(process.nodeId, process, clock.now());
    stream.delta.close();
    const known = streams.get(process.nodeId);
    known?.delete(stream);
    if (known?.size === 0) streams.delete(process.nodeId);
    registry.detach(process);
    log.info({ node: process.nodeId }, 'node disconnected');
  }

  return {
    open(send, peer) {
      let stream: NodeStream | undefined;
      return {
        onMessage(bytes) {
          const request = decodeDeltaRequest(bytes);
          stream ??= join(firstNode(request), request, send, peer);
          stream.checkNode(request);
          stream.delta.onRequest(request);
        },
        close() {
          if (stream !== undefined) leave(stream);
          stream = undefined;
        },
      };
    },
    openMetrics: peer => receiver.open(peer),
    configs: createNodeConfigs({
      presences: () => recorder.presences(),
      presence: nodeId => recorder.presence(nodeId),
      verdict: (nodeId, slot) => recorder.verdict(nodeId, slot),
      snapshot: nodeId => snapshots.get(nodeId),
      states: {
        of: nodeId => [...(streams.get(nodeId) ?? [])].flatMap(({ delta }) => [...delta.resourceStates()]),
      },
    }),
    stop() {
      stopForgetting();
      receiver.stop();
      stopSnapshots();
      stopFetches();
    },
  };
}

function findByPeer(streams: readonly NodeStream[], peer: string): NodeStream | undefined {
  return streams.findLast(stream => stream.peer === peer);
}

function firstNode(request: DeltaRequest): NodeIdentity {
  if (request.node !== undefined) return decodeNode(request.node);
  throw new XdsError('node-id-missing', 'the first request of a stream has no node');
}

/** A stream and the node that it is for. */
class NodeStream {
  readonly node: NodeIdentity;
  readonly delta: DeltaStream;
  readonly peer: string | undefined;
  /** ms */
  readonly openedAt: number;
  /** The name of its process is durable. */
  named = false;
  closed = false;
  #nodeBytes: Uint8Array | undefined;

  constructor(node: NodeIdentity, delta: DeltaStream, peer: string | undefined, openedAt: number) {
    this.node = node;
    this.delta = delta;
    this.peer = peer;
    this.openedAt = openedAt;
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
