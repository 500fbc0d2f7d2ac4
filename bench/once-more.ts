/** The outcome of a job that may fail for what the machine does besides: it is tried once more, and that is said. */
export async function onceMore<T>(what: string, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (error) {
    console.error(`${what} failed, once more: ${error instanceof Error ? error.message : error}`);
    return job();
  }
}
