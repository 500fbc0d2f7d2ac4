import type { MetricSample, NodeMetrics } from '../../model/node-metrics.ts';
import type { Clock } from '../../model/ports.ts';
import type { LiveTable } from '../../store/live-table.ts';
import { demand, type NodeRight } from '../identity/node-right.ts';
import { readFields } from '../protobuf-fields.ts';
import { XdsError } from '../xds-error.ts';
import { decodeMetrics, type Flush } from './decode-metrics.ts';
import { addSample, replaceNewest, samplesOf, WINDOW_MS, withBeginning } from './sample-window.ts';
import { mergeFlush, toSample } from './to-sample.ts';

export interface MetricsReceiverOptions {
  /** By node id; written here and nowhere else. */
  readonly metrics: LiveTable<NodeMetrics>;
  readonly owners: MetricsOwners;
  readonly clock: Clock;
}

/** Who the nodes are, as the streams of configuration tell. */
export interface MetricsOwners {
  /**
   * The process that a metrics stream of this node is from; null: not to be told; undefined: no such node is known.
   * `peer` is the address that the stream came from.
   */
  processOf(nodeId: string, peer: string): string | null | undefined;
  /**
   * When the connection that this stream came over began, in ms, if a new process began with it: no plugin ran there
   * before. undefined: otherwise, or not to be told.
   */
  beganAt(nodeId: string, peer: string): number | undefined;
  /** A flush, whole and in order. Not called for an Envoy that sends its flushes in pieces. */
  onFlush(nodeId: string, peer: string, flush: Flush): void;
}

/** One metrics stream as the transport sees it. */
export interface MetricsStream {
  /** Throws XdsError for a message that ends the stream. */
  onMessage(bytes: Buffer): void;
  /** Throws XdsError where the caller may not act any more as the node that it is. */
  check(): void;
}

export interface MetricsReceiver {
  open(peer: string, right: NodeRight): MetricsStream;
  /** The node is gone. */
  forget(nodeId: string): void;
  stop(): void;
}

const SWEEP_MS = 60_000;

/** The shell of the metrics service: from messages to a bounded window of samples per node. */
export function createMetricsReceiver(options: MetricsReceiverOptions): MetricsReceiver {
  const { metrics, clock } = options;
  let cancel: () => void = () => {};
  // What a node that is away said is of no use after a while; its records are not ours to forget.
  const sweep = (): void => {
    for (const [nodeId, { samples }] of [...metrics.entries()])
      if ((samples.at(-1)?.at ?? 0) <= clock.now() - WINDOW_MS) metrics.delete(nodeId);
    cancel = clock.after(SWEEP_MS, sweep);
  };
  cancel = clock.after(SWEEP_MS, sweep);
  return {
    open: (peer, right) => new NodeMetricsStream(options, peer, right),
    forget: nodeId => metrics.delete(nodeId),
    stop: () => cancel(),
  };
}

/** The stream of one Envoy: it names its node in the first message, and sends one message a flush. */
class NodeMetricsStream implements MetricsStream {
  readonly #options: MetricsReceiverOptions;
  readonly #peer: string;
  readonly #right: NodeRight;
  #nodeId: string | undefined;
  #newest: Flush | undefined;
  /** The sample before the newest flush, which the newest one adds to. */
  #before: MetricSample | undefined;
  #inPieces = false;
  /** Of a process of which there is one sample so far. */
  #beganAt: number | undefined;

  constructor(options: MetricsReceiverOptions, peer: string, right: NodeRight) {
    this.#options = options;
    this.#peer = peer;
    this.#right = right;
  }

  check(): void {
    if (this.#nodeId !== undefined) demand(this.#right, this.#nodeId);
  }

  onMessage(bytes: Buffer): void {
    const { node, flush } = decodeMetrics(bytes);
    this.#nodeId ??= readNodeId(node);
    this.check();
    // Nothing in it that we read: a piece of a flush, or a user's matcher keeps all of it away.
    if (flush.takenAt === 0) return;
    const process = this.#options.owners.processOf(this.#nodeId, this.#peer);
    // Without an entry for it nothing bounds how many such nodes there are. It is known as soon as it asks for anything.
    if (process === undefined) return;
    this.#take(this.#nodeId, process, flush);
    if (!this.#inPieces) this.#options.owners.onFlush(this.#nodeId, this.#peer, flush);
  }

  #take(nodeId: string, process: string | null, flush: Flush): void {
    const { metrics, clock, owners } = this.#options;
    const known = metrics.get(nodeId);
    if (this.#newest?.takenAt === flush.takenAt && known?.process === process) {
      this.#inPieces = true;
      this.#newest = mergeFlush(this.#newest, flush);
      metrics.set(nodeId, replaceNewest(known, toSample(this.#newest, clock.now(), this.#before)));
      return;
    }
    this.#newest = flush;
    const samples = samplesOf(known, process);
    this.#before = samples.at(-1);
    const sample = toSample(flush, clock.now(), this.#before);
    const begun = known && this.#beganAt !== undefined ? withBeginning(known, this.#beganAt) : known;
    this.#beganAt = samples.length === 0 ? owners.beganAt(nodeId, this.#peer) : undefined;
    metrics.set(nodeId, addSample(begun, nodeId, process, sample));
  }
}

/** Only the id: the rest of the node message is large, and known from the stream of configuration. */
function readNodeId(node: Uint8Array | undefined): string {
  let id = '';
  if (node !== undefined)
    readFields(node, (field, reader) => {
      if (field !== 1) return false;
      id = reader.string();
      return true;
    });
  if (id === '')
    throw new XdsError('node-id-missing', 'the first metrics message of a stream has no node id');
  return id;
}
