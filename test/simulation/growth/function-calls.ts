import { Session } from 'node:inspector/promises';

/** How often each function ran, by file, name and place: `src/xds/stream/session.ts push@1544`. */
export type Calls = ReadonlyMap<string, number>;

const OWN = /^file:.*\/(src\/.*\.ts)$/;

/** Counts calls of the functions of src, by the runtime's own coverage. */
export class FunctionCalls {
  readonly #session = new Session();

  static async start(): Promise<FunctionCalls> {
    const counter = new FunctionCalls();
    counter.#session.connect();
    await counter.#session.post('Profiler.enable');
    await counter.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    return counter;
  }

  /** Since the start, or since it was taken last. */
  async take(): Promise<Calls> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const calls = new Map<string, number>();
    for (const { url, functions } of result) {
      const path = OWN.exec(url)?.[1];
      if (path === undefined) continue;
      for (const { functionName, ranges } of functions) {
        const [whole] = ranges;
        if (whole === undefined || whole.count === 0) continue;
        const name = `${path} ${functionName}@${whole.startOffset}`;
        calls.set(name, (calls.get(name) ?? 0) + whole.count);
      }
    }
    return calls;
  }

  async end(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}
