import protobuf from 'protobufjs/minimal.js';
import { LATENCY_BOUNDS_MS } from '../../model/node-metrics.ts';
import { XdsError } from '../xds-error.ts';
import { type MetricName, readMetricName } from './metric-name.ts';

/*
 * A StreamMetricsMessage, walked by hand: an Envoy sends all its stats with each flush, hundreds to tens of
 * thousands of families, of which we read a few. A family is skipped after a look at its name.
 * Sources: envoy/service/metrics/v3/metrics_service.proto,
 * https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */

const { Reader } = protobuf;
type Reader = protobuf.Reader;

/** What one message says. Counters are since the Envoy's start, histograms since its flush before (as it pushes them). */
export interface Flush {
  /** When Envoy took it, by its own clock (ms); the same in all messages of one flush. 0: nothing in it is for us. */
  takenAt: number;
  readonly byClass: [number, number, number, number, number];
  /** Per LATENCY_BOUNDS_MS bucket, the last one open. */
  readonly latency: number[];
  /** Requests under way in all connection managers but the admin's; null: not sent. */
  requestsActive: number | null;
  vmCreated: number | null;
  vmActive: number | null;
  workers: number | null;
  memoryBytes: number | null;
  connections: number | null;
  hotRestartEpoch: number | null;
  readonly reloads: Map<string, number>;
  /** Of all plugins: VMs that were made again after a crash. */
  reloaded: number;
  readonly ecdsReload: Map<string, number>;
  readonly ecdsFail: Map<string, number>;
  readonly custom: Map<string, number>;
  readonly listenerOpened: Map<string, number>;
  readonly listenerOpen: Map<string, number>;
}

export interface MetricsMessage {
  /** The serialized Node: in the first message of a stream only. */
  readonly node: Uint8Array | undefined;
  readonly flush: Flush;
}

/** Names of one kind that are kept of one Envoy. */
const MOST_NAMES = 256;

const LENGTH_DELIMITED = 2;

/** Throws XdsError `malformed-message`. */
export function decodeMetrics(bytes: Buffer): MetricsMessage {
  const flush = newFlush();
  let node: Uint8Array | undefined;
  try {
    const reader = Reader.create(bytes);
    eachField(reader, reader.len, (field, end) => {
      if (field === 1) node = readNode(reader, end) ?? node;
      else if (field === 2) readFamily(reader, bytes, end, flush);
    });
  } catch (error) {
    throw new XdsError('malformed-message', 'the metrics message is not valid protobuf', { cause: error });
  }
  return { node, flush };
}

export function newFlush(): Flush {
  return {
    takenAt: 0,
    byClass: [0, 0, 0, 0, 0],
    latency: new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0),
    requestsActive: null,
    vmCreated: null,
    vmActive: null,
    workers: null,
    memoryBytes: null,
    connections: null,
    hotRestartEpoch: null,
    reloads: new Map(),
    reloaded: 0,
    ecdsReload: new Map(),
    ecdsFail: new Map(),
    custom: new Map(),
    listenerOpened: new Map(),
    listenerOpen: new Map(),
  };
}

/** Calls `read` at the start of each length-delimited field with its end; whatever it leaves is skipped. */
function eachField(reader: Reader, end: number, read: (field: number, end: number) => void): void {
  while (reader.pos < end) {
    const key = reader.uint32();
    if ((key & 7) !== LENGTH_DELIMITED) {
      reader.skipType(key & 7);
      continue;
    }
    const fieldEnd = reader.uint32() + reader.pos;
    if (fieldEnd > end) throw new RangeError('a field is longer than what holds it');
    read(key >>> 3, fieldEnd);
    reader.pos = fieldEnd;
  }
}

/** Identifier.node, as bytes. */
function readNode(reader: Reader, end: number): Uint8Array | undefined {
  let node: Uint8Array | undefined;
  eachField(reader, end, (field, fieldEnd) => {
    if (field === 1) node = reader.buf.subarray(reader.pos, fieldEnd);
  });
  return node;
}

/** MetricFamily: the name comes first, as protobuf writes it; a family that has it later is not read. */
function readFamily(reader: Reader, bytes: Buffer, end: number, flush: Flush): void {
  if (reader.pos >= end || reader.uint32() !== 10) return;
  const nameEnd = reader.uint32() + reader.pos;
  if (nameEnd > end) throw new RangeError('a name is longer than its family');
  const name = readMetricName(bytes, reader.pos, nameEnd);
  if (name === undefined) return;
  reader.pos = nameEnd;
  eachField(reader, end, (field, fieldEnd) => {
    if (field === 4) readMetric(reader, fieldEnd, name, flush);
  });
}

/** Metric: gauge 2, counter 3, timestamp_ms 6, histogram 7; a summary says nothing that we read. */
function readMetric(reader: Reader, end: number, name: MetricName, flush: Flush): void {
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === 6 << 3 && flush.takenAt === 0) {
      flush.takenAt = Number(reader.uint64());
      continue;
    }
    if ((key & 7) !== LENGTH_DELIMITED) {
      reader.skipType(key & 7);
      continue;
    }
    const fieldEnd = reader.uint32() + reader.pos;
    if (fieldEnd > end) throw new RangeError('a value is longer than its metric');
    const field = key >>> 3;
    if (field === 2 || field === 3) note(flush, name, readNumber(reader, fieldEnd));
    else if (field === 7 && name.kind === 'latency') readHistogram(reader, fieldEnd, flush.latency);
    reader.pos = fieldEnd;
  }
}

/** Gauge and Counter: a double in field 1. What no counter can be counts as 0. */
function readNumber(reader: Reader, end: number): number {
  let value = 0;
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === ((1 << 3) | 1)) value = reader.double();
    else reader.skipType(key & 7);
  }
  return Number.isFinite(value) ? value : 0;
}

/** Histogram: buckets in field 3, each with the count of all up to its bound; the count of all, field 1, comes first. */
function readHistogram(reader: Reader, end: number, latency: number[]): void {
  let total = 0;
  let below = 0;
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === 1 << 3) total = reader.uint32();
    else if (key !== ((3 << 3) | LENGTH_DELIMITED)) reader.skipType(key & 7);
    else {
      const bucketEnd = reader.uint32() + reader.pos;
      if (bucketEnd > end) throw new RangeError('a bucket is longer than its histogram');
      below += readBucket(reader, bucketEnd, latency, below);
    }
    // Nothing happened since the flush before, as in most.
    if (total === 0) return;
  }
  add(latency, latency.length - 1, total - below);
}

/** Gives how many are in it beyond `below`. */
function readBucket(reader: Reader, end: number, latency: number[], below: number): number {
  let upTo = 0;
  let bound = Number.POSITIVE_INFINITY;
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === 1 << 3) upTo = reader.uint32();
    else if (key === ((2 << 3) | 1)) bound = reader.double();
    else reader.skipType(key & 7);
  }
  const count = Math.max(0, upTo - below);
  add(latency, bucketOf(bound), count);
  return count;
}

/** A user may have set other bounds: a bucket counts for the first of ours that holds all of it. */
function bucketOf(bound: number): number {
  const index = LATENCY_BOUNDS_MS.findIndex(ours => bound <= ours);
  return index < 0 ? LATENCY_BOUNDS_MS.length : index;
}

function add(counts: number[], index: number, count: number): void {
  if (count > 0) counts[index] = (counts[index] ?? 0) + count;
}

function note(flush: Flush, name: MetricName, value: number): void {
  switch (name.kind) {
    case 'responses':
      flush.byClass[name.statusClass - 1] = (flush.byClass[name.statusClass - 1] ?? 0) + value;
      return;
    case 'latency':
      return;
    case 'requestsActive':
      flush.requestsActive = (flush.requestsActive ?? 0) + value;
      return;
    case 'reloads':
      if (name.succeeded) flush.reloaded += value;
      noteNamed(flush.reloads, name.of, value);
      return;
    case 'ecdsReload':
    case 'ecdsFail':
    case 'custom':
    case 'listenerOpened':
    case 'listenerOpen':
      noteNamed(flush[name.kind], name.of, value);
      return;
    default:
      flush[name.kind] = value;
  }
}

function noteNamed(values: Map<string, number>, of: string, value: number): void {
  const known = values.get(of);
  if (known !== undefined || values.size < MOST_NAMES) values.set(of, (known ?? 0) + value);
}
