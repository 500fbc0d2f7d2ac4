import type { Meter } from '../model/meter.ts';
import { kindsOf } from './record-kinds.ts';
import type { Change, Kind, Store } from './store.ts';
import { StoreError, type StoreErrorCode } from './store-error.ts';

export interface MeteredStore {
  /** The same store; whatever is to be measured goes through it. */
  readonly store: Store;
  /** How long the oldest change has waited for a watcher that has not asked for it, s; undefined: nobody watches. */
  readWatchLag(): number | undefined;
}

/** What a reader has not come to yet. */
interface Reader {
  readonly kinds: ReadonlySet<Kind>;
  /** Reads how long ago the oldest change of its kinds was written. */
  waiting: (() => number) | undefined;
}

/** The store works, and the write must not be made. */
const REFUSED: readonly StoreErrorCode[] = ['conflict', 'invalid-operation'];

/** Times the writes of a store, and how far those behind are who watch it. */
export function meterStore(
  inner: Store,
  meter: Pick<Meter, 'wrote' | 'writeFailed' | 'start'>,
): MeteredStore {
  const readers = new Set<Reader>();
  const timed = async (kinds: ReadonlySet<Kind>, write: () => Promise<number>): Promise<number> => {
    const read = meter.start();
    const revision = await write().catch(error => {
      const code = error instanceof StoreError ? error.code : 'store-failed';
      if (!REFUSED.includes(code)) meter.writeFailed(code);
      throw error;
    });
    meter.wrote(read());
    for (const reader of readers)
      if ([...kinds].some(kind => reader.kinds.has(kind))) reader.waiting ??= meter.start();
    return revision;
  };
  const store: Store = {
    get: (kind, key) => inner.get(kind, key),
    list: (kind, prefix) => inner.list(kind, prefix),
    put: (kind, key, value, expected) => timed(new Set([kind]), () => inner.put(kind, key, value, expected)),
    delete: (kind, key, expected) => timed(new Set([kind]), () => inner.delete(kind, key, expected)),
    transaction: operations => timed(kindsOf(operations), () => inner.transaction(operations)),
    watch: (kinds, signal) =>
      follow(inner.watch(kinds, signal), { kinds: new Set(kinds), waiting: undefined }, readers),
    close: () => inner.close(),
  };
  return {
    store,
    readWatchLag() {
      if (readers.size === 0) return undefined;
      return Math.max(...[...readers].map(({ waiting }) => waiting?.() ?? 0));
    },
  };
}

/** Who asks for the next batch has done with the one before. */
async function* follow(
  batches: AsyncIterable<readonly Change[]>,
  reader: Reader,
  readers: Set<Reader>,
): AsyncGenerator<readonly Change[], void, void> {
  const iterator = batches[Symbol.asyncIterator]();
  readers.add(reader);
  try {
    for (;;) {
      reader.waiting = undefined;
      const { value, done } = await iterator.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    readers.delete(reader);
    await iterator.return?.();
  }
}
