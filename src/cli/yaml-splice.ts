import { Document, isAlias, isMap, isScalar, type Pair, visit, type YAMLMap, type YAMLSeq } from 'yaml';

/** Text put in at an offset, in place of `length` characters. */
export interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/**
 * Edits of a YAML or JSON text that leave every other byte as it is: comments, order, quoting, blank lines. The
 * document must have been parsed with `keepSourceTokens`. New entries come first in their map or list.
 */
export class YamlSplice {
  readonly #text: string;
  readonly #document: Document;
  readonly #edits: Edit[] = [];

  constructor(text: string, document: Document) {
    this.#text = text;
    this.#document = document;
  }

  /** The text with all edits made. */
  apply(): string {
    // Of two insertions at one place, the later one is made first and so ends up behind.
    const ordered = this.#edits.map((edit, order) => ({ ...edit, order }));
    ordered.sort((a, b) => b.offset - a.offset || b.order - a.order);
    return ordered.reduce(
      (text, edit) => text.slice(0, edit.offset) + edit.text + text.slice(edit.offset + edit.length),
      this.#text,
    );
  }

  /** Follows an alias; any other node is itself. */
  resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  /** The value of the first of `keys` that the map has, aliases followed. */
  get(map: unknown, ...keys: readonly string[]): unknown {
    return this.resolve(findPair(this.resolve(map), keys)?.value ?? undefined);
  }

  has(map: unknown, ...keys: readonly string[]): boolean {
    return findPair(this.resolve(map), keys) !== undefined;
  }

  /** Adds entries as the first ones of a map. */
  addEntries(map: YAMLMap, entries: Readonly<Record<string, unknown>>): void {
    if (Object.keys(entries).length === 0) return;
    const first = map.items[0];
    if (map.flow || first === undefined) this.#addToFlow(map, toFlow(entries).slice(1, -1));
    else {
      const offset = startOf(first.key);
      this.#edits.push({ offset, length: 0, text: this.#asBlock(entries, offset) });
    }
  }

  /** Replaces the value of an entry, or sets that of one that has none. */
  setEntry(map: YAMLMap, key: string, value: unknown): void {
    const pair = findPair(map, [key]);
    if (pair === undefined) {
      this.addEntries(map, { [key]: value });
      return;
    }
    const [start, end] = rangeOf(pair.value) ?? [endOf(pair.key) + 1, endOf(pair.key) + 1];
    const text = toFlow(value);
    // A block ends with its last line, which the next entry is to begin after.
    const length = this.#text.slice(start, end).trimEnd().length;
    this.#edits.push({ offset: start, length, text: start === end ? ` ${text}` : text });
  }

  /** Puts items before the one at `index` (default: the first) of a list. */
  insertItems(seq: YAMLSeq, items: readonly unknown[], index = 0): void {
    if (items.length === 0) return;
    const next = seq.items[index];
    if (seq.flow && next !== undefined)
      this.#edits.push({
        offset: startOf(next),
        length: 0,
        text: items.map(item => `${toFlow(item)}, `).join(''),
      });
    else if (seq.flow || next === undefined) this.#addToFlow(seq, items.map(toFlow).join(', '));
    else {
      const offset = beginOf(seq, index);
      this.#edits.push({ offset, length: 0, text: this.#asBlock(items, offset) });
    }
  }

  /** An empty collection is written `{}` or `[]`: what is added goes behind the bracket. */
  #addToFlow(node: YAMLMap | YAMLSeq, text: string): void {
    const comma = node.items.length > 0 ? ', ' : '';
    this.#edits.push({ offset: startOf(node) + 1, length: 0, text: text + comma });
  }

  /** Block text whose first line stands at `offset`, and which ends where the old first line is to begin. */
  #asBlock(value: unknown, offset: number): string {
    const lineStart = this.#text.lastIndexOf('\n', offset - 1) + 1;
    const indent = ' '.repeat(offset - lineStart);
    return toYaml(value).replaceAll('\n', `\n${indent}`);
  }
}

/** YAML text in which what fits on a line stands on one. */
export function toYaml(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Collection(key, node) {
      if (key === null || toFlow(node.toJS(document)).length > 80) return undefined;
      node.flow = true;
      return visit.SKIP;
    },
  });
  return document.toString({ indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
}

/** JSON is YAML in flow style; a space after the colons and commas reads better. */
function toFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toFlow).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}: ${toFlow(entry)}`)
    .join(', ')}}`;
}

function findPair(map: unknown, keys: readonly string[]): Pair | undefined {
  if (!isMap(map)) return undefined;
  return map.items.find(pair => isScalar(pair.key) && keys.includes(String(pair.key.value)));
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

/** Where a block list's item begins: at the comment above its dash, or at the dash. */
function beginOf(seq: YAMLSeq, index: number): number {
  const token = seq.srcToken;
  const start = token?.type === 'block-seq' ? token.items[index]?.start : undefined;
  return (
    start?.find(part => part.type === 'comment' || part.type === 'seq-item-ind')?.offset ??
    startOf(seq.items[index])
  );
}
