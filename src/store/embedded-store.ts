import { planAppends } from './append-audit.ts';
import type { Engine, Row, Write } from './engine.ts';
import { planTransaction } from './plan-transaction.ts';
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
 * calls take effect in the order they were made and nothing can come between a check and its write.
 */
export class EmbeddedStore implements Store {
  readonly #engine: Engine;
  readonly #hub = new WatchHub();
  #closed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async get<K extends Kind>(kind: K, key: string): Promise<Stored<Records[K]> | undefined> {
    const row = this.#open().read(kind, key);
    return row && toStored<K>(kind, row);
  }

  async list<K extends Kind>(kind: K, prefix = ''): Promise<Listing<Records[K]>> {
    const engine = this.#open();
    return {
      revision: engine.revision,
      records: engine.scan(kind, prefix).map(row => toStored<K>(kind, row)),
    };
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
      const engine = this.#open();
      return kinds.flatMap(kind => engine.scan(kind, '').map(row => toChange(kind, row.key, row, true)));
    };
    return this.#hub.watch(kinds, load, signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hub.close();
    this.#engine.close();
  }

  #commit(operations: readonly Operation[]): number {
    const engine = this.#open();
    const revision = engine.revision + 1;
    const read: Engine['read'] = (kind, key) => engine.read(kind, key);
    const changes = planTransaction(operations, read, revision);
    const drafts = operations.flatMap(operation => (operation.op === 'append' ? [operation.value] : []));
    const writes = [...changes, ...planAppends(drafts, changes, read, revision, engine.digestKey)];
    if (writes.length === 0) return engine.revision;
    engine.apply(revision, writes);
    this.#publish(writes);
    return revision;
  }

  #publish(writes: readonly Write[]): void {
    const wanted = writes.filter(write => this.#hub.wants(write.kind));
    if (wanted.length > 0)
      this.#hub.publish(wanted.map(({ kind, key, row }) => toChange(kind, key, row, false)));
  }

  #open(): Engine {
    if (this.#closed) throw new StoreError('store-closed', 'the store is closed');
    return this.#engine;
  }
}

function withExpected(operation: KeyOperation, expected: Expected | undefined): KeyOperation {
  return expected === undefined ? operation : { ...operation, expected };
}

/** Readers get the text's own parse, never the writer's object: equal to what a restart would show. */
function toStored<K extends Kind>(kind: K, row: Row): Stored<Records[K]> {
  const { key, text, revision, createdRevision } = row;
  try {
    return { key, value: JSON.parse(text) as Records[K], revision, createdRevision };
  } catch (cause) {
    throw new StoreError('store-damaged', `${kind} ${key} is not JSON in the store`, { cause });
  }
}

function toChange(kind: Kind, key: string, row: Row | undefined, initial: boolean): Change {
  return { kind, key, initial, stored: row && toStored(kind, row) } as Change;
}
