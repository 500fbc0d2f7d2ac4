import type { NodeVerdict } from '../model/node-verdict.ts';
import { isSameList } from '../model/same-list.ts';
import type { Stored } from '../store/store.ts';

type Records = readonly Stored<NodeVerdict>[];

/** By node.id. */
export interface VerdictsByNode extends Iterable<[string, readonly NodeVerdict[]]> {
  get(node: string): readonly NodeVerdict[] | undefined;
  values(): Iterable<readonly NodeVerdict[]>;
  /** As `get`, for who asks for every node in their order, once; what it answers holds until it is asked again. */
  inTurn?(): (node: string) => readonly NodeVerdict[] | undefined;
}

/** Of the list of a store, whose keys begin with the node: the verdicts of each stand together. */
export class ListedVerdicts implements VerdictsByNode {
  readonly #records: Records;
  #before: Table;
  #made: Table | undefined;

  /** `before`: its lists are taken over where they are still the same. */
  constructor(records: Records, before = NO_TABLE) {
    this.#records = records;
    this.#before = before;
  }

  /** As far as somebody asked. */
  get made(): Table {
    return this.#made ?? NO_TABLE;
  }

  isOf(records: Records): boolean {
    return isSameList(this.#records, records);
  }

  get(node: string): readonly NodeVerdict[] | undefined {
    return this.#table().get(node);
  }

  values(): Iterable<readonly NodeVerdict[]> {
    return this.#table().values();
  }

  [Symbol.iterator](): Iterator<[string, readonly NodeVerdict[]]> {
    return this.#table()[Symbol.iterator]();
  }

  /** Without a table where nodes and records keep step: 5,000 nodes are counted in half the time that way. */
  inTurn(): (node: string) => readonly NodeVerdict[] | undefined {
    const records = this.#records;
    const taken: NodeVerdict[] = [];
    let at = 0;
    return node => {
      let length = 0;
      for (let value = records[at]?.value; value?.node === node; value = records[at]?.value) {
        taken[length] = value;
        length += 1;
        at += 1;
      }
      if (length === 0) return at === records.length ? undefined : this.get(node);
      taken.length = length;
      return taken;
    };
  }

  /** Made when somebody asks for it: a change is stored first. */
  #table(): Table {
    this.#made ??= groupByNode(this.#records, this.#before);
    this.#before = NO_TABLE;
    return this.#made;
  }
}

type Table = ReadonlyMap<string, readonly NodeVerdict[]>;

const NO_TABLE: Table = new Map();

function groupByNode(records: Records, before: Table): Table {
  const byNode = new Map<string, readonly NodeVerdict[]>();
  let start = 0;
  while (start < records.length) {
    const node = records[start]?.value.node ?? '';
    let end = start + 1;
    while (records[end]?.value.node === node) end += 1;
    const known = before.get(node);
    byNode.set(
      node,
      known !== undefined && isRun(known, records, start, end) ? known : take(records, start, end),
    );
    start = end;
  }
  return byNode;
}

function isRun(known: readonly NodeVerdict[], records: Records, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = start; i < end; i += 1) if (known[i - start] !== records[i]?.value) return false;
  return true;
}

function take(records: Records, start: number, end: number): readonly NodeVerdict[] {
  const taken: NodeVerdict[] = [];
  for (let i = start; i < end; i += 1) {
    const record = records[i];
    if (record !== undefined) taken.push(record.value);
  }
  return taken;
}
