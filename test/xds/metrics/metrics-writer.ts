import protobuf from 'protobufjs/minimal.js';

/** One stat, as Envoy's metrics service writes it. */
export interface Family {
  readonly name: string;
  readonly counter?: number;
  readonly gauge?: number;
  /** Bound in ms to the count of all up to it. */
  readonly histogram?: readonly (readonly [bound: number, upTo: number])[];
  /** All that it counted; default: the last bucket's. */
  readonly total?: number;
  /** A summary, which nobody reads. */
  readonly summary?: true;
}

export interface Message {
  /** node.id, in the first message. */
  readonly node?: string;
  readonly at?: number;
  readonly families: readonly Family[];
}

const [VARINT, DOUBLE, BYTES] = [0, 1, 2];
const key = (field: number, type: number): number => (field << 3) | type;

/** A StreamMetricsMessage. */
export function encodeMetrics({ node, at = 1_000, families }: Message): Buffer {
  const writer = protobuf.Writer.create();
  if (node !== undefined)
    writer
      .uint32(key(1, BYTES))
      .fork()
      .uint32(key(1, BYTES))
      .fork()
      .uint32(key(1, BYTES))
      .string(node)
      .ldelim()
      .ldelim();
  for (const family of families) writeFamily(writer, family, at);
  return Buffer.from(writer.finish());
}

function writeFamily(writer: protobuf.Writer, family: Family, at: number): void {
  writer.uint32(key(2, BYTES)).fork().uint32(key(1, BYTES)).string(family.name);
  writer.uint32(key(3, VARINT)).uint32(0).uint32(key(4, BYTES)).fork();
  if (family.gauge !== undefined) writeNumber(writer, 2, family.gauge);
  if (family.counter !== undefined) writeNumber(writer, 3, family.counter);
  if (family.summary) writer.uint32(key(4, BYTES)).fork().uint32(key(1, VARINT)).uint32(9).ldelim();
  writer.uint32(key(6, VARINT)).uint64(at);
  if (family.histogram) writeHistogram(writer, family.histogram, family.total);
  writer.ldelim().ldelim();
}

function writeNumber(writer: protobuf.Writer, field: number, value: number): void {
  writer.uint32(key(field, BYTES)).fork().uint32(key(1, DOUBLE)).double(value).ldelim();
}

function writeHistogram(
  writer: protobuf.Writer,
  buckets: NonNullable<Family['histogram']>,
  total: number | undefined,
): void {
  writer.uint32(key(7, BYTES)).fork();
  writer.uint32(key(1, VARINT)).uint64(total ?? buckets.at(-1)?.[1] ?? 0);
  writer.uint32(key(2, DOUBLE)).double(0);
  for (const [bound, upTo] of buckets)
    writer
      .uint32(key(3, BYTES))
      .fork()
      .uint32(key(1, VARINT))
      .uint64(upTo)
      .uint32(key(2, DOUBLE))
      .double(bound)
      .ldelim();
  writer.ldelim();
}
