import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface LoadOptions {
  readonly port: number;
  readonly path?: string;
  /** Keep-alive connections, each sending one request after the other; default 4. */
  readonly connections?: number;
  /** Requests a second over all connections, at least; default 250. */
  readonly perSecond?: number;
  /** Whether the plugin worked on this response; without it nothing counts as passed without the plugin. */
  readonly hasPlugin?: (response: LoadResponse) => boolean;
  /** What counts as failed; default: any status but 200. */
  readonly isFailure?: (response: LoadResponse) => boolean;
  /** What is counted apart, not as failed: for a test that itself cuts connections. Default: nothing. */
  readonly isExcused?: (failure: LoadFailure) => boolean;
}

export interface LoadResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** When the request was sent, by `performance.now()`. */
  readonly sentAt: number;
}

export interface LoadFailure {
  /** A status, or the error's code or message. */
  readonly what: string;
  /** When the request was sent. */
  readonly startedAt: Date;
  readonly at: Date;
}

/**
 * Steady requests on connections that stay open. Nothing is tried again: a request that was cut or answered
 * wrongly is a failed request, also when only an idle connection had been closed under it.
 */
export interface Load {
  readonly total: number;
  readonly failed: number;
  readonly withoutPlugin: number;
  /** Failures that `isExcused` took out of `failed`. */
  readonly excused: number;
  /** The first thousand failures. */
  readonly failures: readonly LoadFailure[];
  readonly lastWithoutPlugin: Date | undefined;
  /** Connections opened so far: more than `connections` means that some were closed. */
  readonly opened: number;
  /** Requests a second so far. */
  readonly perSecond: number;
  /** The machine is too busy with other things for a rate to tell anything: timers here came late all along. */
  readonly isStarved: boolean;
  /** From now on a response without the plugin counts; before, it did not. */
  expectPlugin(hasPlugin: (response: LoadResponse) => boolean): void;
  /** Total, failed and without plugin since the start, and the rate, as one line. */
  toString(): string;
  stop(): Promise<void>;
}

const TIMER_MS = 10;
/** About 1 on a quiet machine; 8 where 16 processes want two cores. */
const STARVED_MS = 3;

export function startLoad(options: LoadOptions): Load {
  return new LoadGenerator(options);
}

class LoadGenerator implements Load {
  total = 0;
  failed = 0;
  withoutPlugin = 0;
  excused = 0;
  opened = 0;
  lastWithoutPlugin: Date | undefined;
  readonly failures: LoadFailure[] = [];
  readonly #options: LoadOptions;
  readonly #began = performance.now();
  readonly #lateness = monitorEventLoopDelay({ resolution: TIMER_MS });
  readonly #running: Promise<void>[] = [];
  #hasPlugin: ((response: LoadResponse) => boolean) | undefined;
  #stopped = false;
  #endedAt: number | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#hasPlugin = options.hasPlugin;
    this.#lateness.enable();
    const connections = options.connections ?? 4;
    for (let i = 0; i < connections; i++) this.#running.push(this.#drive(connections));
  }

  expectPlugin(hasPlugin: (response: LoadResponse) => boolean): void {
    this.#hasPlugin = hasPlugin;
  }

  get perSecond(): number {
    return (1000 * this.total) / ((this.#endedAt ?? performance.now()) - this.#began);
  }

  get isStarved(): boolean {
    return this.#lateness.mean / 1e6 - TIMER_MS > STARVED_MS;
  }

  toString(): string {
    const rate = Math.round(this.perSecond);
    return `${this.total} requests (${rate} a second), ${this.failed} failed, ${this.withoutPlugin} without the plugin`;
  }

  async stop(): Promise<void> {
    this.#endedAt ??= performance.now();
    this.#lateness.disable();
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** One connection. Requests keep to a timetable: after a slow answer the lost ones are caught up. */
  async #drive(connections: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const intervalMs = (1000 * connections) / (this.#options.perSecond ?? 250);
    let due = performance.now();
    while (!this.#stopped) {
      await this.#once(agent);
      due = Math.max(due + intervalMs, performance.now() - 1_000);
      const restMs = due - performance.now();
      if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs));
    }
    agent.destroy();
  }

  #once(agent: Agent): Promise<void> {
    return new Promise(resolve => {
      const { port, path = '/' } = this.#options;
      const startedAt = new Date();
      const sentAt = performance.now();
      let done = false;
      const end = (judge: () => string | undefined) => {
        if (done) return;
        done = true;
        this.total++;
        const what = judge();
        if (what !== undefined) this.#fail({ what, startedAt, at: new Date() });
        resolve();
      };
      const sent = request({ host: '127.0.0.1', port, path, agent, timeout: 30_000 });
      this.#countOpened(sent);
      sent.on('timeout', () => sent.destroy(new Error('no answer for 30 s')));
      sent.on('error', (error: NodeJS.ErrnoException) => end(() => error.code ?? error.message));
      sent.on('response', response => {
        response.resume();
        response.on('error', error => end(() => error.message));
        // `end` comes first where the answer was whole.
        response.on('end', () => end(() => this.#judge(response, sentAt)));
        response.on('close', () => end(() => 'cut in the answer'));
      });
      sent.end();
    });
  }

  #judge(message: IncomingMessage, sentAt: number): string | undefined {
    const response: LoadResponse = { status: message.statusCode ?? 0, headers: message.headers, sentAt };
    const failed = this.#options.isFailure?.(response) ?? response.status !== 200;
    if (failed) return String(response.status);
    if (this.#hasPlugin?.(response) === false) {
      this.withoutPlugin++;
      this.lastWithoutPlugin = new Date();
    }
    return undefined;
  }

  #countOpened(sent: ClientRequest): void {
    sent.on('socket', socket => {
      if (socket.connecting) this.opened++;
    });
  }

  #fail(failure: LoadFailure): void {
    if (this.#options.isExcused?.(failure)) {
      this.excused++;
      return;
    }
    this.failed++;
    if (this.failures.length < 1_000) this.failures.push(failure);
  }
}
