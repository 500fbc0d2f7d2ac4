import type { DocumentPart } from '../../model/document-part.ts';
import type { HeaderPairs, PropertyValue } from '../../model/plugin-run.ts';

/** Parts of a message, or of what is expected of one, as a request file writes them. */

const MAX_PARTS = 1000;

/** `{name: value, other: [one, two]}`; numbers and truth values count as their text. */
export function readHeaders(part: DocumentPart | undefined): HeaderPairs {
  return (part?.entries() ?? []).flatMap(([name, value]) => {
    const values = Array.isArray(value.value) ? value.items(MAX_PARTS) : [value];
    return values.map(one => [name.toLowerCase(), readText(one)] as const);
  });
}

/** A text, or the parts in which it arrives; none where it is empty. */
export function readBody(part: DocumentPart | undefined): readonly string[] {
  if (part === undefined || part.value === '') return [];
  return (Array.isArray(part.value) ? part.items(MAX_PARTS) : [part]).map(readText);
}

export function readProperties(part: DocumentPart | undefined): Readonly<Record<string, PropertyValue>> {
  return Object.fromEntries(
    (part?.entries() ?? []).map(([path, one]): [string, PropertyValue] => {
      const { value } = one;
      return [path, typeof value === 'boolean' || typeof value === 'number' ? value : readText(one)];
    }),
  );
}

export function readText(part: DocumentPart | undefined): string {
  const value = part?.value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return part?.text({ max: 1 << 20 }) ?? '';
}

/** With `content-length` and nothing else that was not written. */
export function withLength(headers: HeaderPairs, body: readonly string[]): HeaderPairs {
  const names = headers.map(([name]) => name);
  if (body.length === 0 || names.includes('content-length') || names.includes('transfer-encoding'))
    return headers;
  const length = body.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  return [...headers, ['content-length', String(length)]];
}
