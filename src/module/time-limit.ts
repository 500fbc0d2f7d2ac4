import { ModuleError } from './module-error.ts';

/**
 * Ends a job that takes longer: `registry-unreachable`. What the job answers in time lives on, so that a body can be
 * read without this limit.
 */
export async function withTimeLimit<T>(
  limitMs: number,
  what: string,
  signal: AbortSignal,
  job: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    const text = `${what} did not answer within ${limitMs / 1_000} s`;
    limit.abort(
      new ModuleError('registry-unreachable', text, {
        hint: `Check that ${what} is up, and its mirrors if it has any. It is tried again.`,
      }),
    );
  }, limitMs);
  try {
    return await job(AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}
