import { cutText } from '../../model/cut-text.ts';

export type JsonFields = Readonly<Record<string, unknown>>;

/** UTF-8 JSON whose top is an object; undefined for anything else. */
export function parseJsonObject(bytes: Uint8Array): JsonFields | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return toFields(value);
  } catch {
    return undefined;
  }
}

export function toFields(value: unknown): JsonFields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonFields)
    : undefined;
}

/** Standard base64 with padding, in its one form; undefined for anything else. */
export function parseBase64(value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
}

/** A text from outside, fit for a message: printable, and short. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  const printable = text.replace(/[^\x20-\x7e]+/g, '?');
  return `"${cutText(printable, 80)}"`;
}
