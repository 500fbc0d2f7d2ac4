import type {
  Change,
  Expected,
  Kind,
  Listing,
  Operation,
  Records,
  Store,
  Stored,
  WritableKind,
} from '../../../src/store/store.ts';

/** What went through a store. */
export interface StoreWork {
  readonly commits: number;
  /** Put, deleted and appended. */
  readonly recordsWritten: number;
  /** Keys and values as JSON text. */
  readonly bytesWritten: number;
  /** By `get` and `list`; a watch is told of what was written, and counts there. */
  readonly recordsRead: number;
}

/** A store that counts what is asked of it. */
export class CountingStore implements Store {
  readonly #store: Store;
  #work: StoreWork = { commits: 0, recordsWritten: 0, bytesWritten: 0, recordsRead: 0 };

  constructor(store: Store) {
    this.#store = store;
  }

  get work(): StoreWork {
    return this.#work;
  }

  async get<K extends Kind>(kind: K, key: string): Promise<Stored<Records[K]> | undefined> {
    const found = await this.#store.get(kind, key);
    this.#countRead(1);
    return found;
  }

  async list<K extends Kind>(kind: K, prefix?: string): Promise<Listing<Records[K]>> {
    const listing = await this.#store.list(kind, prefix);
    this.#countRead(listing.records.length);
    return listing;
  }

  put<K extends WritableKind>(kind: K, key: string, value: Records[K], expected?: Expected): Promise<number> {
    this.#countWritten([{ op: 'put', kind, key, value } as Operation]);
    return this.#store.put(kind, key, value, expected);
  }

  delete(kind: WritableKind, key: string, expected?: Expected): Promise<number> {
    this.#countWritten([{ op: 'delete', kind, key }]);
    return this.#store.delete(kind, key, expected);
  }

  transaction(operations: readonly Operation[]): Promise<number> {
    this.#countWritten(operations);
    return this.#store.transaction(operations);
  }

  watch<K extends Kind>(kinds: readonly K[], signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return this.#store.watch(kinds, signal);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #countRead(records: number): void {
    this.#work = { ...this.#work, recordsRead: this.#work.recordsRead + records };
  }

  #countWritten(operations: readonly Operation[]): void {
    const written = operations.filter(({ op }) => op !== 'check');
    const texts = written.map(operation => [
      'key' in operation ? operation.key : '',
      'value' in operation ? operation.value : null,
    ]);
    const bytes = texts.map(text => JSON.stringify(text).length).reduce((sum, length) => sum + length, 0);
    const { commits, recordsWritten, bytesWritten, recordsRead } = this.#work;
    this.#work = {
      commits: commits + 1,
      recordsWritten: recordsWritten + written.length,
      bytesWritten: bytesWritten + bytes,
      recordsRead,
    };
  }
}
