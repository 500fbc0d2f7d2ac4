import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { toFlow, toYaml } from './to-yaml.ts';

/** Text put in at an offset, in place of `length` characters. */
export interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** Entries whose key carries this tag are read by nobody: people keep what they give anchors to there. */
const IGNORED = '!ignore';

/**
 * Edits of a YAML or JSON text that leave every other byte as it is: comments, order, quoting, blank lines. The
 * document must have been parsed with `keepSourceTokens`. New entries come first in their map or list.
 */
export class YamlSplice {
  readonly document: Document;
  readonly #text: string;
  readonly #edits: Edit[] = [];

  constructor(text: string, document: Document) {
    this.#text = text;
    this.document = document;
  }

  /** The text with all edits made. */
  apply(): string {
    // Of two insertions at one place, the later one is made first and so ends up behind.
    const ordered = this.#edits.map((edit, order) => ({ ...edit, order }));
    ordered.sort((a, b) => b.offset - a.offset || b.order - a.order);
    const newline = this.#text.includes('\r\n') ? '\r\n' : '\n';
    return ordered.reduce(
      (text, edit) =>
        text.slice(0, edit.offset) +
        edit.text.replaceAll('\n', newline) +
        text.slice(edit.offset + edit.length),
      this.#text,
    );
  }

  /** Follows an alias; any other node is itself. */
  resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.document) : node;
  }

  /** The value of the first of `keys` that the map has, aliases followed. */
  get(map: unknown, ...keys: readonly string[]): unknown {
    return this.resolve(this.own(map, ...keys));
  }

  /** As `get`, and an alias is the alias. */
  own(map: unknown, ...keys: readonly string[]): unknown {
    return findPair(this.resolve(map), keys)?.value ?? undefined;
  }

  /** The scalar under the first of `keys` as text; undefined where there is none. */
  text(map: unknown, ...keys: readonly string[]): string | undefined {
    const node = this.get(map, ...keys);
    return isScalar(node) && node.value !== null ? String(node.value) : undefined;
  }

  has(map: unknown, ...keys: readonly string[]): boolean {
    return findPair(this.resolve(map), keys) !== undefined;
  }

  /** Aliases followed. One thing in place of a list is a list of it, as for Envoy. */
  items(list: unknown): readonly unknown[] {
    if (isSeq(list)) return list.items.map(item => this.resolve(item));
    return isMap(list) ? [list] : [];
  }

  /** Adds entries as the first ones of a map. */
  addEntries(map: YAMLMap, entries: Readonly<Record<string, unknown>>): void {
    if (Object.keys(entries).length === 0) return;
    const first = map.items[0];
    if (map.flow || first === undefined) this.#addToFlow(map, toFlow(entries).slice(1, -1));
    else this.#insertInline(toPairStart(map) ?? startOf(first.key), entries);
  }

  /** Replaces the value of an entry, or sets that of one that has none. */
  setEntry(map: YAMLMap, key: string, value: unknown): void {
    const pair = findPair(map, [key]);
    if (pair === undefined) {
      this.addEntries(map, { [key]: value });
      return;
    }
    const text = toFlow(value);
    const [start, end] = rangeOf(pair.value) ?? [0, 0];
    // A block ends with its last line, which the next entry is to begin after.
    const length = this.#text.slice(start, end).trimEnd().length;
    const colon = toColonEnd(map, pair) ?? endOf(pair.key) + 1;
    // In place of a block, and where there is no value: on the line of the key.
    if (length > 0 && !this.#text.slice(colon, start).includes('\n'))
      this.#edits.push({ offset: start, length, text });
    else
      this.#edits.push({ offset: colon, length: length > 0 ? start + length - colon : 0, text: ` ${text}` });
  }

  /** Puts items before the one at `index` (default: the first) of a list; what is no list becomes one. */
  insertItems(list: YAMLSeq | YAMLMap, items: readonly unknown[], index = 0): void {
    if (items.length === 0) return;
    const next = isMap(list) ? list : list.items[index];
    if (list.flow && next !== undefined) {
      const text = items.map(item => `${toFlow(item)}, `).join('');
      const offset = isMap(list) ? startOf(list) : (toItemStart(list, index) ?? startOf(next));
      this.#edits.push({ offset, length: 0, text: isMap(list) ? `[${text}` : text });
      if (isMap(list)) this.#edits.push({ offset: endOf(list), length: 0, text: ']' });
    } else if (list.flow || next === undefined) this.#addToFlow(list, items.map(toFlow).join(', '));
    else if (isMap(list)) this.#wrap(list, items);
    else this.#insertLines(list, index, items);
  }

  /** An empty collection is written `{}` or `[]`: what is added goes behind the bracket. */
  #addToFlow(node: YAMLMap | YAMLSeq, text: string): void {
    const comma = node.items.length > 0 ? ', ' : '';
    this.#edits.push({ offset: startOf(node) + 1, length: 0, text: text + comma });
  }

  /** Block text whose first line stands at `offset`, and which ends where the old first line is to begin. */
  #insertInline(offset: number, value: unknown, behind = ''): void {
    const indent = ' '.repeat(offset - this.#lineStart(offset));
    this.#edits.push({ offset, length: 0, text: toYaml(value).replaceAll('\n', `\n${indent}`) + behind });
  }

  /** A block map becomes an item behind the new ones: a dash before it, and its other lines stand deeper. */
  #wrap(map: YAMLMap, items: readonly unknown[]): void {
    const start = toPairStart(map) ?? startOf(map);
    this.#insertInline(start, items, '- ');
    const rest = this.#text.slice(start, endOf(map)).trimEnd();
    for (const { index } of rest.matchAll(/(?<=\n)(?=[^\r\n])/g))
      this.#edits.push({ offset: start + index, length: 0, text: '  ' });
  }

  /** Before an item and the comment above it; a dash that follows another on its line has no line to be put before. */
  #insertLines(list: YAMLSeq, index: number, items: readonly unknown[]): void {
    const { dash, comment } = toDash(list, index) ?? { dash: startOf(list.items[index]), comment: undefined };
    const line = this.#lineStart(comment ?? dash);
    const column = dash - this.#lineStart(dash);
    if (this.#text.slice(line, comment ?? dash).trim() !== '' || index === 0) this.#insertInline(dash, items);
    else {
      const indent = ' '.repeat(column);
      const text = toYaml(items).replaceAll(/^(?=.)/gm, indent);
      this.#edits.push({ offset: line, length: 0, text });
    }
  }

  #lineStart(offset: number): number {
    return this.#text.lastIndexOf('\n', offset - 1) + 1;
  }
}

function findPair(map: unknown, keys: readonly string[]): Pair | undefined {
  if (!isMap(map)) return undefined;
  return map.items.find(
    pair => isScalar(pair.key) && pair.key.tag !== IGNORED && keys.includes(String(pair.key.value)),
  );
}

/** Whether nobody but people reads an entry. */
export function isIgnored(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.tag === IGNORED;
}

function rangeOf(node: unknown): readonly [number, number] | undefined {
  const range =
    typeof node === 'object' && node !== null && 'range' in node
      ? (node.range as number[] | null)
      : undefined;
  return range?.[0] === undefined || range[1] === undefined ? undefined : [range[0], range[1]];
}

function startOf(node: unknown): number {
  return rangeOf(node)?.[0] ?? 0;
}

function endOf(node: unknown): number {
  return rangeOf(node)?.[1] ?? 0;
}

const PROPERTIES: readonly string[] = ['anchor', 'tag'];

/** Where the first entry of a block map begins: at the anchor or tag of its key, where there is one. */
function toPairStart(map: YAMLMap): number | undefined {
  const token = map.srcToken;
  const start = token?.type === 'block-map' ? token.items[0]?.start : undefined;
  return start?.find(part => PROPERTIES.includes(part.type))?.offset;
}

/** Where the item of a flow list begins, with its anchor and tag. */
function toItemStart(list: YAMLSeq, index: number): number | undefined {
  const token = list.srcToken;
  const start = token?.type === 'flow-collection' ? token.items[index]?.start : undefined;
  return start?.find(part => PROPERTIES.includes(part.type))?.offset;
}

/** The dash of a block list's item, and the first comment above it. */
function toDash(list: YAMLSeq, index: number): { dash: number; comment: number | undefined } | undefined {
  const token = list.srcToken;
  const start = token?.type === 'block-seq' ? token.items[index]?.start : undefined;
  const find = (type: string) => start?.find(part => part.type === type)?.offset;
  const dash = find('seq-item-ind');
  return dash === undefined ? undefined : { dash, comment: find('comment') };
}

/** Behind the colon of an entry. */
function toColonEnd(map: YAMLMap, pair: Pair): number | undefined {
  const token = map.srcToken;
  if (token?.type !== 'block-map' && token?.type !== 'flow-collection') return undefined;
  const colon = token.items[map.items.indexOf(pair)]?.sep?.find(part => part.type === 'map-value-ind');
  return colon === undefined ? undefined : colon.offset + 1;
}
