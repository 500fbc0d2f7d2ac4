/** Header maps as they pass between host and plugin: the number of pairs, their sizes, their texts. */
export type Pairs = readonly (readonly [name: string, value: string])[];

const MAX_BYTES = 1 << 20;
const MAX_PAIRS = 1024;

/** What Envoy reads: no pairs where anything is wrong with them. */
export function readPairs(bytes: Buffer): Pairs {
  if (bytes.length < 4 || bytes.length > MAX_BYTES) return [];
  const count = bytes.readUInt32LE(0);
  let at = 4 + 8 * count;
  if (count > MAX_PAIRS || at > bytes.length) return [];
  const pairs: (readonly [string, string])[] = [];
  const next = (size: number): string | undefined => {
    const end = at + size;
    if (end + 1 > bytes.length || bytes[end] !== 0) return undefined;
    const text = bytes.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  for (let i = 0; i < count; i++) {
    const name = next(bytes.readUInt32LE(4 + 8 * i));
    const value = name === undefined ? undefined : next(bytes.readUInt32LE(8 + 8 * i));
    if (name === undefined || value === undefined) return [];
    pairs.push([name, value]);
  }
  return at === bytes.length ? pairs : [];
}

export function writePairs(pairs: Pairs): Buffer {
  const texts = pairs.map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const);
  const head = Buffer.alloc(4 + 8 * texts.length);
  head.writeUInt32LE(texts.length, 0);
  for (const [i, [name, value]] of texts.entries()) {
    head.writeUInt32LE(name.length, 4 + 8 * i);
    head.writeUInt32LE(value.length, 8 + 8 * i);
  }
  const end = Buffer.of(0);
  return Buffer.concat([head, ...texts.flatMap(([name, value]) => [name, end, value, end])]);
}
