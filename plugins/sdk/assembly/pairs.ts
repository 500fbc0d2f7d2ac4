/** Names and values in order, as header maps hold them; a name may come more than once. */
export class Headers {
  readonly names: string[] = [];
  readonly values: string[] = [];

  get length(): i32 {
    return this.names.length;
  }

  /** Adds one and gives all back, so that calls can be chained. */
  add(name: string, value: string): Headers {
    this.names.push(name);
    this.values.push(value);
    return this;
  }

  /** The first value of a name, which is in lower case; null where there is none. */
  get(name: string): string | null {
    const at = this.names.indexOf(name);
    return at < 0 ? null : this.values[at];
  }
}

/** The number of pairs, all sizes, then the texts, each with a zero behind it. */
export function encodePairs(headers: Headers): ArrayBuffer {
  const texts: ArrayBuffer[] = [];
  let size = 4;
  for (let i = 0; i < headers.length; i++) {
    const name = String.UTF8.encode(headers.names[i]);
    const value = String.UTF8.encode(headers.values[i]);
    texts.push(name);
    texts.push(value);
    size += 10 + name.byteLength + value.byteLength;
  }
  const bytes = new ArrayBuffer(size);
  const start = changetype<usize>(bytes);
  store<u32>(start, headers.length);
  let at = start + 4 + 4 * texts.length;
  for (let i = 0; i < texts.length; i++) {
    const length = texts[i].byteLength;
    store<u32>(start + 4 + 4 * i, length);
    memory.copy(at, changetype<usize>(texts[i]), length);
    at += length + 1;
  }
  return bytes;
}

/** Reads what `encodePairs` writes, from the host's memory block. */
export function decodePairs(address: usize, size: usize): Headers {
  const headers = new Headers();
  if (size < 4) return headers;
  const count = load<u32>(address);
  let at = address + 4 + 8 * count;
  for (let i: u32 = 0; i < count; i++) {
    const nameSize = load<u32>(address + 4 + 8 * i);
    const valueSize = load<u32>(address + 8 + 8 * i);
    const name = String.UTF8.decodeUnsafe(at, nameSize);
    at += nameSize + 1;
    headers.add(name, String.UTF8.decodeUnsafe(at, valueSize));
    at += valueSize + 1;
  }
  return headers;
}
