import type { Chance } from '../simulation/chance.ts';

/** Values that readers of JSON have fallen over. */
const STRANGE: readonly ((chance: Chance) => unknown)[] = [
  () => null,
  chance => chance.is(0.5),
  chance => chance.pick([0, -1, 1.5, -0, 1e308, 5e-324, 2 ** 31, 2 ** 53 + 2, -(2 ** 63), 1e21]),
  chance => chance.pick(STRANGE_TEXTS),
  chance => 'x'.repeat(chance.pick([64, 254, 1025, 70_000])),
  () => [],
  () => ({}),
  // Its text is asked for in vain.
  () => ({ toString: 1, valueOf: 1, toJSON: 1, length: 9 }),
  chance => nest(chance.pick([2, 70, 700])),
  chance => Object.fromEntries([[chance.pick(STRANGE_KEYS), chance.pick(STRANGE_TEXTS)]]),
  chance => Array.from({ length: chance.pick([1, 17, 1_100]) }, () => chance.pick(STRANGE_TEXTS)),
  chance => Object.fromEntries(Array.from({ length: chance.pick([20, 600]) }, (_, i) => [`key-${i}`, i])),
];

export const STRANGE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e\u2066',
  'ÄÖ😀👩‍👩‍👧',
  'İı',
  '..',
  '../../etc/passwd',
  '%00',
  '%2e%2e%2f',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  '1e999',
  '-',
  '*',
  '1.4',
  'true',
  'null',
  "' OR 1=1 --",
  '\r\nX-Evil: 1',
  'oci://[::1]:99999/x',
  'oci://registry.example/a:1',
  'file:///etc/passwd',
  'http://169.254.169.254/',
  'sha256:zz',
  '30s',
  '10%',
  '(a+)+$',
  '2026-13-45T99:99:99Z',
];

/** `__proto__` stands among them as JSON has it: an own key. */
export const STRANGE_KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '@type',
  '/',
  '~',
  '~1',
  'a.b/c',
  '0',
  '-1',
  'length',
];

function nest(depth: number): unknown {
  let value: unknown = 'deep';
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** A document with one to four places of it changed: never the one that was given. */
export function mutate(document: unknown, chance: Chance): unknown {
  let value = structuredClone(document);
  for (let left = chance.integer(1, 4); left > 0; left--) value = mutateOnce(value, chance);
  return value;
}

function mutateOnce(root: unknown, chance: Chance): unknown {
  const places = [...listPlaces(root)];
  if (places.length === 0 || chance.is(0.03)) return strange(chance);
  const { holder, key } = chance.pick(places);
  const at = holder as Record<string, unknown>;
  switch (chance.integer(0, 6)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete at[key];
      break;
    case 1:
      set(at, chance.pick(STRANGE_KEYS), strange(chance));
      break;
    case 2:
      set(at, `${key}${chance.pick(['s', '_', ' ', '\u0000', 'X'])}`, at[key]);
      break;
    case 3: {
      const other = chance.pick(places);
      set(at, key, structuredClone((other.holder as Record<string, unknown>)[other.key]));
      break;
    }
    case 4:
      set(at, key, [at[key]]);
      break;
    default:
      set(at, key, strange(chance));
  }
  return root;
}

function strange(chance: Chance): unknown {
  return chance.pick(STRANGE)(chance);
}

/** As JSON.parse would, so that `__proto__` is a key. */
function set(holder: Record<string, unknown>, key: string, value: unknown): void {
  if (Array.isArray(holder) && !/^\d{1,4}$/.test(key)) {
    holder.push(value);
    return;
  }
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

interface Place {
  readonly holder: object;
  readonly key: string;
}

function* listPlaces(value: unknown, depth = 0): Generator<Place> {
  if (typeof value !== 'object' || value === null || depth > 60) return;
  for (const [key, child] of Object.entries(value).slice(0, 200)) {
    yield { holder: value, key };
    yield* listPlaces(child, depth + 1);
  }
}

/** The text of a body that is broken as text, or odd in a way that JSON.stringify is not. */
export function toBrokenText(value: unknown, chance: Chance): string | Uint8Array {
  const text = JSON.stringify(value) ?? 'null';
  const at = chance.integer(0, text.length);
  switch (chance.integer(0, 8)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return `${text.slice(0, at)}${chance.pick(['"', '{', ']', '\u0000', ',', '1e', '\\u'])}${text.slice(at)}`;
    case 2:
      return Buffer.concat([
        Buffer.from(text.slice(0, at)),
        Buffer.from([0xff, 0xc0, 0x80]),
        Buffer.from(text.slice(at)),
      ]);
    case 3:
      return '['.repeat(chance.pick([100, 10_000, 200_000]));
    case 4:
      return `${'{"a":'.repeat(chance.pick([100, 10_000]))}1${'}'.repeat(chance.pick([100, 10_000]))}`;
    case 5:
      return `{"a":${'9'.repeat(chance.pick([40, 4_000]))}}`;
    case 6:
      return `{"__proto__":${text},"constructor":{"prototype":${text}}}`;
    case 7:
      return `\ufeff${text}`;
    default:
      return '';
  }
}
