import { type ChildProcess, fork } from 'node:child_process';
import type { NurseryAnswer, NurseryOrder, NurseryRun } from './nursery-protocol.ts';
import type { TrialBounds } from './trial-bounds.ts';
import type { TrialModule } from './trial-module.ts';
import type { TrialOrder } from './trial-protocol.ts';
import type { TrialResult } from './trial-result.ts';

/** The nursery's process, seen from the server. It keeps nobody's event loop alive while nothing runs in it. */
export class NurseryProcess {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (result: TrialResult | undefined) => void>();
  readonly #gone: Promise<void>;
  #isGone = false;
  #lastId = 0;
  /** Of what it has a child that ran it before, as it said last. */
  #keys: readonly string[] = [];

  constructor() {
    // TypeScript as it is here, JavaScript in the published package.
    const program = new URL(
      `./nursery-entry.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
      import.meta.url,
    );
    this.#process = fork(program, {
      cwd: '/',
      env: {},
      execArgv: ['--no-warnings'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', answer => this.#take(answer as NurseryAnswer));
    this.#gone = new Promise(resolve => {
      const lose = () => {
        this.#lose();
        resolve();
      };
      this.#process.once('exit', lose).once('error', lose);
    });
    this.#process.unref();
    this.#process.channel?.unref();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Has a child start, which waits for the next run. */
  prepare(): void {
    this.#send({ kind: 'prepare' });
  }

  /** Undefined: this process ended before that, or `signal` ended the run. */
  async run(
    module: TrialModule,
    order: TrialOrder,
    bounds: TrialBounds,
    signal: AbortSignal,
  ): Promise<TrialResult | undefined> {
    const key = module.sha256 === undefined ? undefined : `${order.plugin} ${module.sha256}`;
    const of = { kind: 'run', key, order, bounds } as const;
    if (key !== undefined && this.#keys.includes(key)) {
      const result = await this.#ask({ ...of, bytes: undefined }, signal);
      if (result !== undefined || signal.aborted || this.#isGone) return result;
    }
    return this.#ask({ ...of, bytes: await module.load() }, signal);
  }

  #ask(of: Omit<NurseryRun, 'id'>, signal: AbortSignal): Promise<TrialResult | undefined> {
    this.#lastId++;
    const id = this.#lastId;
    const end = () => this.#send({ kind: 'end', id });
    signal.addEventListener('abort', end);
    return new Promise<TrialResult | undefined>(resolve => {
      this.#waiting.set(id, resolve);
      this.#process.channel?.ref();
      this.#send({ ...of, id });
    }).finally(() => signal.removeEventListener('abort', end));
  }

  /** Ends it, and all that it started. */
  async end(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    this.#process.ref();
    await this.#gone;
  }

  #take({ id, result, keys }: NurseryAnswer): void {
    this.#keys = keys;
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#process.channel?.unref();
    resolve?.(result);
  }

  #send(order: NurseryOrder): void {
    if (!this.#process.connected) this.#lose();
    else
      this.#process.send(order, error => {
        if (error !== null) this.#lose();
      });
  }

  #lose(): void {
    this.#isGone = true;
    if (this.#process.connected) this.#process.disconnect();
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
}
