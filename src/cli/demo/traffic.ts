import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** An answer, as far as the demo looks at it. */
export interface Answer {
  readonly status: number;
  /** The plugin's header; undefined when the answer passed without the plugin. */
  readonly hello: string | undefined;
}

/** What happened to the requests since the last count. */
export interface TrafficCount {
  readonly sent: number;
  /** 200, with the plugin's header. */
  readonly good: number;
}

const CONNECTIONS = 4;
const PAUSE_MS = 4;

/** One GET; rejects when there is no answer. */
export function request(url: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { ...(agent === undefined ? {} : { agent }), timeout: 10_000 }, response => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => {
        const header = response.headers['x-hello'];
        resolve({
          status: response.statusCode ?? 0,
          hello: Array.isArray(header) ? header.join(', ') : header,
        });
      });
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer in 10 s')));
    sent.once('error', reject);
  });
}

/** Steady requests on a few keep-alive connections, every one of them counted. */
export class Traffic {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #workers: Promise<void>[];
  #running = true;
  #sent = 0;
  #good = 0;

  constructor(url: string) {
    this.#workers = Array.from({ length: CONNECTIONS }, () => this.#work(url));
  }

  /** Requests that were answered since the last call; one that is still under way counts next time. */
  take(): TrafficCount {
    const count = { sent: this.#sent, good: this.#good };
    this.#sent = 0;
    this.#good = 0;
    return count;
  }

  /** Every request that was sent is answered, or counted as lost, when this resolves. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }

  async #work(url: string): Promise<void> {
    while (this.#running) {
      const answer = await request(url, this.#agent).catch(() => undefined);
      this.#sent += 1;
      if (answer?.status === 200 && answer.hello !== undefined) this.#good += 1;
      await delay(PAUSE_MS);
    }
  }
}
