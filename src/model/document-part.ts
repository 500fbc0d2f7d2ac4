import type { DocumentErrorCode, DocumentFault } from './document-error.ts';
import { areFull } from './error.ts';
import { findNearestName } from './nearest-name.ts';
import type { JsonObject } from './plugin-spec.ts';

/** Bounds of a text; `pattern` comes with words for what it wants. */
export interface TextRule {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  readonly wants?: string;
}

/**
 * A value inside a document together with where it is. Its readers answer the value, or note a fault and answer
 * undefined, so that one pass over a document finds every fault. A field whose value is null counts as absent,
 * as in Kubernetes.
 */
export class DocumentPart {
  readonly value: unknown;
  /** RFC 6901 pointer; empty for the whole document. */
  readonly pointer: string;
  readonly faults: DocumentFault[];

  constructor(value: unknown, pointer = '', faults: DocumentFault[] = []) {
    this.value = value;
    this.pointer = pointer;
    this.faults = faults;
  }

  fault(code: DocumentErrorCode, message: string, hint?: string): undefined {
    if (!this.isFull)
      this.faults.push({ code, pointer: this.pointer, message, ...(hint === undefined ? {} : { hint }) });
    return undefined;
  }

  /** Whether so much is wrong with the document that no more of it is told. */
  get isFull(): boolean {
    return areFull(this.faults);
  }

  /** Notes that a field of this object is not there. */
  missing(field: string, hint?: string): undefined {
    return this.at(field, undefined).fault('missing-field', 'required, but missing', hint);
  }

  at(key: string | number, value: unknown): DocumentPart {
    const escaped = String(key).replaceAll('~', '~0').replaceAll('/', '~1');
    return new DocumentPart(value, `${this.pointer}/${escaped}`, this.faults);
  }

  /** The fields of an object that are there; unknown ones are faults. */
  fields(known: readonly string[]): ReadonlyMap<string, DocumentPart> {
    const found = new Map<string, DocumentPart>();
    for (const [key, value] of this.#pairs()) {
      if (known.includes(key)) {
        if (value !== null && value !== undefined) found.set(key, this.at(key, value));
      } else if (!this.isFull) {
        const near = findNearestName(key, known);
        this.at(key, value).fault(
          'unknown-field',
          'unknown field',
          near === undefined ? undefined : `Did you mean ${near}?`,
        );
      }
    }
    return found;
  }

  /** The entries of an object with free keys. */
  entries(): readonly (readonly [string, DocumentPart])[] {
    return this.#pairs().map(([key, value]) => [key, this.at(key, value)] as const);
  }

  #pairs(): readonly (readonly [string, unknown])[] {
    if (isObject(this.value)) return Object.entries(this.value);
    this.fault('wrong-type', `expected an object, got ${describe(this.value)}`);
    return [];
  }

  /** The items of a list. */
  items(max: number): readonly DocumentPart[] {
    if (!Array.isArray(this.value)) {
      this.fault('wrong-type', `expected a list, got ${describe(this.value)}`);
      return [];
    }
    if (this.value.length > max) this.fault('out-of-bounds', `${this.value.length} entries; at most ${max}`);
    return this.value.slice(0, max).map((item: unknown, index) => this.at(index, item));
  }

  text(rule: TextRule = {}): string | undefined {
    if (typeof this.value !== 'string') {
      const quote = typeof this.value === 'number' || typeof this.value === 'boolean';
      return this.fault(
        'wrong-type',
        `expected a string, got ${describe(this.value)}`,
        quote ? `Quote it: "${String(this.value)}"` : undefined,
      );
    }
    const { min = 0, max = 65536, pattern, wants } = rule;
    if (this.value.length < min)
      return this.fault('out-of-bounds', min === 1 ? 'must not be empty' : `at least ${min} characters`);
    if (this.value.length > max)
      return this.fault('out-of-bounds', `${this.value.length} characters; at most ${max}`);
    if (pattern !== undefined && !pattern.test(this.value))
      return this.fault('out-of-bounds', `${JSON.stringify(this.value)} is not ${wants ?? pattern.source}`);
    return this.value;
  }

  integer(min: number, max: number): number | undefined {
    if (typeof this.value !== 'number')
      return this.fault('wrong-type', `expected a whole number, got ${describe(this.value)}`);
    if (!Number.isInteger(this.value) || this.value < min || this.value > max)
      return this.fault('out-of-bounds', `${this.value} is not a whole number from ${min} to ${max}`);
    return this.value;
  }

  oneOf<T extends string>(words: readonly T[]): T | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    const word = words.find(known => known === text);
    if (word !== undefined) return word;
    const near = findNearestName(text, words);
    return this.fault(
      'out-of-bounds',
      `${JSON.stringify(text)} is not one of ${words.join(', ')}`,
      near === undefined ? undefined : `Did you mean ${near}?`,
    );
  }

  /** A free JSON object; what JSON cannot say (a YAML `.inf`) is a fault. */
  json(): JsonObject | undefined {
    if (!isObject(this.value))
      return this.fault('wrong-type', `expected an object, got ${describe(this.value)}`);
    return checkJson(this) ? (this.value as JsonObject) : undefined;
  }
}

/** `T` without the fields that are undefined, as exactOptionalPropertyTypes wants them. */
export type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

export function toDefined<T extends object>(of: T): Defined<T> {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function checkJson(part: DocumentPart): boolean {
  const { value } = part;
  if (Array.isArray(value)) return value.map((item, i) => checkJson(part.at(i, item))).every(Boolean);
  if (isObject(value))
    return Object.entries(value)
      .map(([key, item]) => checkJson(part.at(key, item)))
      .every(Boolean);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number' && Number.isFinite(value)) return true;
  part.fault('wrong-type', `${describe(value)} cannot be written in JSON`);
  return false;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'a string';
  return `${typeof value} ${String(value)}`;
}
