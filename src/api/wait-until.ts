import type { Kind } from '../store/store.ts';
import type { ApiContext } from './api-context.ts';

const TAKE_IN_MS = 10_000;

/**
 * The first answer of `look` that is not undefined: it is asked now, and again after each change of one of the
 * kinds. undefined: it was still undefined when the time (`takeInMs`) was over.
 */
export async function waitUntil<T>(
  { store, clock, takeInMs = TAKE_IN_MS }: ApiContext,
  kinds: readonly Kind[],
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const over = new AbortController();
  const cancel = clock.after(takeInMs, () => over.abort());
  try {
    // The first batch is what exists, so nothing falls between the first look and the watch.
    for await (const _changes of store.watch(kinds, over.signal)) {
      const found = await look();
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    cancel();
    over.abort();
  }
}
