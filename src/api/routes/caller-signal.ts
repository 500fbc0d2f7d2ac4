import type { ServerResponse } from 'node:http';
import { ApiError } from '../api-error.ts';

/** Does work that may take long; its signal aborts when the caller's connection closes before the answer. */
export async function whileAwaited<T>(
  response: ServerResponse,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  response.once('close', onClose);
  try {
    return await work(gone.signal);
  } catch (cause) {
    if (!gone.signal.aborted) throw cause;
    throw new ApiError('bad-request', 'the caller went away before the answer', { cause });
  } finally {
    response.off('close', onClose);
  }
}
