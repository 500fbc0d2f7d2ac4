import assert from 'node:assert/strict';
import { isObserved } from '../../src/store/record-kinds.ts';
import type {
  Change,
  Expected,
  Kind,
  Listing,
  Operation,
  Records,
  Store,
  Stored,
} from '../../src/store/store.ts';

/** What may happen to changes on their way to one reader: a test of the checker lies to the compiler this way. */
export type Distort = (changes: readonly Change[]) => readonly Change[];

/**
 * The store as one process of Attaché has it. After `kill` nothing it asked for is ever answered, as after kill -9;
 * what was committed stays. `killAfter` makes that happen right behind a commit, before anybody hears of it.
 */
export class MortalStore implements Store {
  readonly #store: Store;
  readonly #dead = new AbortController();
  readonly #onCommit: (operations: readonly Operation[]) => void;
  readonly #distort: Distort | undefined;

  constructor(store: Store, onCommit: (operations: readonly Operation[]) => void, distort?: Distort) {
    this.#store = store;
    this.#onCommit = onCommit;
    this.#distort = distort;
  }

  kill(): void {
    this.#dead.abort();
  }

  get<K extends Kind>(kind: K, key: string): Promise<Stored<Records[K]> | undefined> {
    return this.#whileAlive(() => this.#store.get(kind, key));
  }

  list<K extends Kind>(kind: K, prefix?: string): Promise<Listing<Records[K]>> {
    return this.#whileAlive(() => this.#store.list(kind, prefix));
  }

  put<K extends Kind>(kind: K, key: string, value: Records[K], expected?: Expected): Promise<number> {
    return this.#commit([{ op: 'put', kind, key, value, ...withExpected(expected) } as Operation]);
  }

  delete(kind: Kind, key: string, expected?: Expected): Promise<number> {
    return this.#commit([{ op: 'delete', kind, key, ...withExpected(expected) } as Operation]);
  }

  transaction(operations: readonly Operation[]): Promise<number> {
    return this.#commit(operations);
  }

  async *watch<K extends Kind>(kinds: readonly K[], signal: AbortSignal): AsyncIterable<readonly Change[]> {
    const both = AbortSignal.any([signal, this.#dead.signal]);
    for await (const changes of this.#store.watch(kinds, both)) {
      if (this.#dead.signal.aborted) return;
      yield this.#distort === undefined ? changes : this.#distort(changes);
    }
  }

  async close(): Promise<void> {
    this.kill();
  }

  #commit(operations: readonly Operation[]): Promise<number> {
    return this.#whileAlive(() => {
      operations.forEach(holdToContract);
      const done = this.#store.transaction(operations);
      // A refused expectation commits nothing; that it is told of as a commit hurts nobody.
      this.#onCommit(operations);
      return done;
    });
  }

  async #whileAlive<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#dead.signal.aborted) return never();
    try {
      const answer = await ask();
      return this.#dead.signal.aborted ? never() : answer;
    } catch (error) {
      if (this.#dead.signal.aborted) return never();
      throw error;
    }
  }
}

/**
 * Readers of observed kinds get the writer's own object (src/store/observed-records.ts): whoever changes it fails, and
 * it must be what a restart would read.
 */
function holdToContract(operation: Operation): void {
  if (operation.op !== 'put' || !isObserved(operation.kind)) return;
  freeze(operation.value);
  assert.deepEqual(operation.value, JSON.parse(JSON.stringify(operation.value)));
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  Object.values(value).forEach(freeze);
}

function withExpected(expected: Expected | undefined): { readonly expected?: Expected } {
  return expected === undefined ? {} : { expected };
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
