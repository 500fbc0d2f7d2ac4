import fc from 'fast-check';

/** What a value in a document may be instead; the last ones have no text, no number and no length of their own. */
const ODD: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e300, '', 'x', '\u0000', '\ud800', '../..', 'sha256:', [], [[]], {}, [null]],
  ...[{ toString: 1, valueOf: 1 }, { length: -1 }, JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}')],
];
type Path = readonly (string | number)[];

/** Bytes with some of them changed, left out, doubled or cut off. */
export function damaged(bytes: Uint8Array): fc.Arbitrary<Buffer> {
  const position = fc.nat({ max: Math.max(0, bytes.length - 1) });
  const edit = fc.record({
    what: fc.constantFrom('flip', 'set', 'cut', 'drop', 'double'),
    at: position,
    length: fc.integer({ min: 1, max: 64 }),
    byte: fc.constantFrom(0, 1, 0x20, 0x2f, 0x37, 0x7f, 0x80, 0xff),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map(edits =>
    edits.reduce<Buffer>((now, { what, at, length, byte }) => {
      const [head, part, tail] = [
        now.subarray(0, at),
        now.subarray(at, at + length),
        now.subarray(at + length),
      ];
      if (what === 'cut') return head;
      if (what === 'drop') return Buffer.concat([head, tail]);
      if (what === 'double') return Buffer.concat([head, part, part, tail]);
      const changed = Buffer.from(now);
      if (at < changed.length) changed[at] = what === 'set' ? byte : (changed[at] ?? 0) ^ (1 << (byte & 7));
      return changed;
    }, Buffer.from(bytes)),
  );
}

/** JSON of the value with some of what is in it exchanged for something odd, or left out. */
export function distorted(value: unknown): fc.Arbitrary<Buffer> {
  const paths = listPaths(value);
  const edit = fc.record({ path: fc.constantFrom(...paths), odd: fc.option(fc.constantFrom(...ODD)) });
  const edited = fc
    .array(edit, { minLength: 1, maxLength: 3 })
    .map(edits => edits.reduce((now, { path, odd }) => replaceAt(now, path, odd ?? undefined), value))
    .map(result => Buffer.from(JSON.stringify(result) ?? 'null'));
  return fc.oneof(
    { weight: 6, arbitrary: edited },
    { weight: 1, arbitrary: edited.chain(damaged) },
    { weight: 1, arbitrary: fc.json().map(text => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)) },
  );
}

/** Texts made of these words and of anything else, and some that are long and repeat themselves. */
export function texts(...words: readonly string[]): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  );
  const joined = fc.array(word, { maxLength: 12 }).map(parts => parts.join(''));
  const long = fc
    .tuple(
      joined,
      fc.array(word, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1_000, max: 20_000 }),
      joined,
    )
    .map(([before, parts, times, after]) => before + parts.join('').repeat(times).slice(0, 40_000) + after);
  return fc.oneof({ weight: 8, arbitrary: joined }, { weight: 1, arbitrary: long });
}

/** A stream that is cut into pieces of these sizes. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function listPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((one, i) => [i, one] as const)
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, one]) => listPaths(one, [...path, key]))];
}

function replaceAt(value: unknown, [key, ...rest]: Path, odd: unknown): unknown {
  if (key === undefined) return odd;
  if (Array.isArray(value)) return value.map((one, i) => (i === key ? replaceAt(one, rest, odd) : one));
  if (typeof value !== 'object' || value === null) return value;
  return { ...value, [key]: replaceAt((value as Record<string, unknown>)[key], rest, odd) };
}
