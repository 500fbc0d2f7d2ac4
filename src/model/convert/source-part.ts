import type { ConversionCode } from '../convert-error.ts';
import type { ConversionNote } from './conversion.ts';

/**
 * A value inside a document of another control plane, with where it is. Unlike a DocumentPart it takes what it does
 * not know: that is noted, and left out. A field whose value is null counts as absent.
 */
export class SourcePart {
  readonly value: unknown;
  /** RFC 6901 pointer; empty for the whole document. */
  readonly pointer: string;
  readonly notes: ConversionNote[];

  constructor(value: unknown, pointer: string, notes: ConversionNote[]) {
    this.value = value;
    this.pointer = pointer;
    this.notes = notes;
  }

  /** The first of these fields that is there: proto JSON has two spellings of each. */
  get(...names: readonly string[]): SourcePart | undefined {
    const { value } = this;
    if (!isObject(value)) return undefined;
    const name = names.find(one => Object.hasOwn(value, one) && value[one] !== null);
    return name === undefined || value[name] === undefined ? undefined : this.at(name, value[name]);
  }

  /** `get` from field to field. */
  path(...names: readonly (string | readonly string[])[]): SourcePart | undefined {
    return names.reduce<SourcePart | undefined>(
      (part, name) => part?.get(...(typeof name === 'string' ? spellings(name) : name)),
      this,
    );
  }

  at(key: string | number, value: unknown): SourcePart {
    const escaped = String(key).replaceAll('~', '~0').replaceAll('/', '~1');
    return new SourcePart(value, `${this.pointer}/${escaped}`, this.notes);
  }

  /** The entries of an object; an error and none if it is something else. */
  entries(): readonly (readonly [string, SourcePart])[] {
    const { value } = this;
    if (!isObject(value)) {
      this.refuse('wrong-type', 'expected an object');
      return [];
    }
    return Object.keys(value).map(key => [key, this.at(key, value[key])] as const);
  }

  /** The items of a list; an error and none if it is something else. */
  items(): readonly SourcePart[] {
    if (Array.isArray(this.value)) return this.value.map((item: unknown, index) => this.at(index, item));
    this.refuse('wrong-type', 'expected a list');
    return [];
  }

  /** What stands there as a text; empty where it is something else, which may not even have one. */
  get word(): string {
    return typeof this.value === 'string' ? this.value : '';
  }

  /** Empty text counts as absent, as in proto3; a number or truth value is a fault. */
  text(): string | undefined {
    if (typeof this.value === 'string') return this.value === '' ? undefined : this.value;
    this.refuse('wrong-type', 'expected a string');
    return undefined;
  }

  /** Texts by key, for labels and variables. */
  texts(): Readonly<Record<string, string>> {
    const pairs = this.entries().map(([key, part]) => [key, part.anyText()] as const);
    return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
  }

  /** A text that may be empty. */
  anyText(): string | undefined {
    return this.value === '' ? '' : this.text();
  }

  note(message: string, hint?: string): void {
    this.#add({ level: 'note', message }, hint);
  }

  warn(message: string, hint?: string): void {
    this.#add({ level: 'warning', message }, hint);
  }

  refuse(code: ConversionCode, message: string, hint?: string): undefined {
    this.#add({ level: 'error', code, message }, hint);
    return undefined;
  }

  /** Notes every field that nobody asks for. */
  leaveOutOthers(known: readonly string[]): void {
    if (!isObject(this.value)) return;
    const expected = new Set(known.flatMap(spellings));
    for (const [key, part] of this.entries())
      if (!expected.has(key) && part.value !== null)
        part.warn('not known here, and left out', 'Look whether the plugin needs it.');
  }

  #add(note: Omit<ConversionNote, 'pointer' | 'hint'>, hint: string | undefined): void {
    this.notes.push({ ...note, pointer: this.pointer, ...(hint === undefined ? {} : { hint }) });
  }
}

/** `root_id` as proto JSON may write it as well: `rootId`. */
export function spellings(name: string): readonly [string, string] {
  return [name, name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())];
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
