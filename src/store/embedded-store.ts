import type { AuditDraft } from '../model/audit.ts';
import { planAppends } from './append-audit.ts';
import type { Engine, Row, Write } from './engine.ts';
import { isKept, KeptRecords } from './kept-records.ts';
import { ObservedRecords } from './observed-records.ts';
import { type PlannedWrite, planTransaction, type TransactionBase } from './plan-transaction.ts';
import { isObserved } from './record-kinds.ts';
import type { Entry, SegmentBounds } from './segment-log.ts';
import type {
  Change,
  Expected,
  KeyOperation,
  Kind,
  Listing,
  Operation,
  Records,
  Store,
  Stored,
  WritableKind,
} from './store.ts';
import { StoreError } from './store-error.ts';
import { WatchHub } from './watch.ts';

/**
 * The Store over an engine in this process. Each call reads, decides and writes in one synchronous step, so that
 * calls take effect in the order they were made and nothing can come between a check and its write. Records of the
 * observed kinds are in memory, and in the engine's segments: see observed-records.ts.
 */
export class EmbeddedStore implements Store {
  readonly #engine: Engine;
  readonly #observed: ObservedRecords;
  readonly #kept = new KeptRecords(toStored);
  readonly #base: TransactionBase;
  readonly #hub = new WatchHub();
  /** How many transactions were planned. */
  #rounds = 0;
  #closed = false;

  /** `bounds` are those of segments. Throws StoreError `store-damaged`. */
  constructor(engine: Engine, bounds?: SegmentBounds) {
    this.#engine = engine;
    const observed = new ObservedRecords(engine.segments(), bounds);
    this.#observed = observed;
    this.#base = {
      find: (kind, key) => engine.read(kind, key),
      observe: (kind, key) => observed.observe(kind, key),
      needsCreated: kind => isObserved(kind) || this.#hub.wants(kind),
    };
  }

  async get<K extends Kind>(kind: K, key: string): Promise<Stored<Records[K]> | undefined> {
    this.#open();
    if (isObserved(kind)) return this.#observed.get(kind, key) as Stored<Records[K]> | undefined;
    const read = () => this.#engine.read(kind, key);
    if (isKept(kind)) return this.#kept.get(kind, key, read) as Stored<Records[K]> | undefined;
    const row = read();
    return row && toStored<K>(kind, row);
  }

  async list<K extends Kind>(kind: K, prefix = ''): Promise<Listing<Records[K]>> {
    return { revision: this.#open().revision, records: this.#scan(kind, prefix) };
  }

  async put<K extends WritableKind>(
    kind: K,
    key: string,
    value: Records[K],
    expected?: Expected,
  ): Promise<number> {
    return this.#commit([withExpected({ op: 'put', kind, key, value } as KeyOperation, expected)]);
  }

  async delete(kind: WritableKind, key: string, expected?: Expected): Promise<number> {
    return this.#commit([withExpected({ op: 'delete', kind, key }, expected)]);
  }

  async transaction(operations: readonly Operation[]): Promise<number> {
    return this.#commit(operations);
  }

  watch<K extends Kind>(kinds: readonly K[], signal: AbortSignal): AsyncIterable<readonly Change[]> {
    const load = () => {
      this.#open();
      return kinds.flatMap(kind =>
        this.#scan(kind, '').map(stored => toChange(kind, stored.key, stored, true)),
      );
    };
    return this.#hub.watch(kinds, load, signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hub.close();
    this.#engine.close();
  }

  #scan<K extends Kind>(kind: K, prefix: string): readonly Stored<Records[K]>[] {
    if (isObserved(kind)) return this.#observed.list(kind, prefix) as readonly Stored<Records[K]>[];
    const scan = () => this.#engine.scan(kind, prefix);
    if (!isKept(kind)) return scan().map(row => toStored<K>(kind, row));
    const read = (key: string) => this.#engine.read(kind, key);
    if (prefix !== '') {
      // The revisions of a plugin are asked for three times in each change of it.
      const found = this.#kept.listPrefix(kind, prefix, read) ?? scan().map(row => this.#toRead(kind, row));
      return found as readonly Stored<Records[K]>[];
    }
    return this.#kept.list(kind, scan, read) as readonly Stored<Records[K]>[];
  }

  /** As readers are given it from now on. */
  #toRead(kind: Kind, row: Row): Stored<unknown> {
    const kept = isKept(kind) ? this.#kept.get(kind, row.key, () => row) : undefined;
    return kept ?? toStored(kind, row);
  }

  #commit(operations: readonly Operation[]): number {
    const engine = this.#open();
    const revision = engine.revision + 1;
    const round = ++this.#rounds;
    const planned = planTransaction(operations, this.#base, revision, round);
    const observed: ObservedWrite[] = [];
    const rows: Write[] = [];
    for (const write of planned)
      if (isOfObserved(write)) observed.push(write);
      else rows.push(toRowWrite(write));
    const drafts = findDrafts(operations);
    if (drafts.length > 0) {
      const read: Engine['read'] = (kind, key) => this.#readRow(kind, key);
      rows.push(...planAppends(drafts, planned.map(toRowWrite), read, revision, engine.digestKey));
    }
    if (observed.length + rows.length === 0) return engine.revision;
    const plan = this.#observed.plan(observed, round);
    engine.apply(revision, rows, plan.change);
    this.#observed.adopt(plan);
    for (const { kind, key } of rows) this.#kept.forget(kind, key);
    this.#publish(rows, observed);
    return revision;
  }

  #readRow(kind: Kind, key: string): Row | undefined {
    if (!isObserved(kind)) return this.#engine.read(kind, key);
    const stored = this.#observed.get(kind, key);
    if (stored === undefined) return undefined;
    const { value, revision, createdRevision } = stored;
    return { key, text: JSON.stringify(value), revision, createdRevision };
  }

  #publish(rows: readonly Write[], observed: readonly ObservedWrite[]): void {
    const changes: Change[] = [];
    for (const { kind, key, row } of rows)
      if (this.#hub.wants(kind)) changes.push(toChange(kind, key, row && this.#toRead(kind, row), false));
    for (const write of observed) if (this.#hub.wants(write.kind)) changes.push(write as Change);
    if (changes.length > 0) this.#hub.publish(changes);
  }

  #open(): Engine {
    if (this.#closed) throw new StoreError('store-closed', 'the store is closed');
    return this.#engine;
  }
}

type ObservedWrite = PlannedWrite & Entry;

function isOfObserved(write: PlannedWrite): write is ObservedWrite {
  return write.record !== undefined;
}

function withExpected(operation: KeyOperation, expected: Expected | undefined): KeyOperation {
  return expected === undefined ? operation : { ...operation, expected };
}

function findDrafts(operations: readonly Operation[]): readonly AuditDraft[] {
  const drafts: AuditDraft[] = [];
  for (const operation of operations) if (operation.op === 'append') drafts.push(operation.value);
  return drafts;
}

/** As a row: the audit tells of observed records as of the others. */
function toRowWrite({ kind, key, stored, text }: PlannedWrite): Write {
  if (stored === undefined) return { kind, key, row: undefined };
  const { value, revision, createdRevision } = stored;
  return { kind, key, row: { key, text: text || JSON.stringify(value), revision, createdRevision } };
}

/** Long, with the id of every node, and looked into by few of those that read it. */
const PARSED_LATE: ReadonlySet<Kind> = new Set(['RolloutNodes']);

/** Readers get the text's own parse, never the writer's object: equal to what a restart would show. */
function toStored<K extends Kind>(kind: K, row: Row): Stored<Records[K]> {
  const { key, revision, createdRevision } = row;
  if (!PARSED_LATE.has(kind)) return { key, value: parse(kind, row), revision, createdRevision };
  let left: Row | undefined = row;
  let value: Records[K] | undefined;
  return {
    key,
    get value() {
      if (left !== undefined) value = parse(kind, left);
      left = undefined;
      return value as Records[K];
    },
    revision,
    createdRevision,
  };
}

function parse<K extends Kind>(kind: K, { key, text }: Row): Records[K] {
  try {
    return JSON.parse(text) as Records[K];
  } catch (cause) {
    throw new StoreError('store-damaged', `${kind} ${key} is not JSON in the store`, { cause });
  }
}

function toChange(kind: Kind, key: string, stored: Stored<unknown> | undefined, initial: boolean): Change {
  return { kind, key, initial, stored } as Change;
}
