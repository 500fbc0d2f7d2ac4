import { createRequire } from 'node:module';
import type * as undici from 'undici';

// Of undici's hundred files (fetch, WebSocket, caches, mocks) these two and what they need: the rest costs a command
// more than all of its own code. They are no public paths; undici's version is fixed, and every pull tests them.
const require = createRequire(import.meta.url);
type Request = (
  this: undici.Agent,
  options: undici.Dispatcher.RequestOptions,
) => Promise<undici.Dispatcher.ResponseData>;

/** Connections to any number of hosts. https://undici.nodejs.org/#/docs/api/Agent */
export class Agent {
  readonly #agent: undici.Agent;
  readonly #request: Request;

  /** The first one loads undici: 30 ms of CPU, which the start of a server does without. */
  constructor(options: undici.Agent.Options) {
    const UndiciAgent: typeof undici.Agent = require('undici/lib/dispatcher/agent.js');
    this.#agent = new UndiciAgent(options);
    this.#request = require('undici/lib/api/api-request.js');
  }

  request(options: undici.Dispatcher.RequestOptions): Promise<undici.Dispatcher.ResponseData> {
    return this.#request.call(this.#agent, options);
  }

  destroy(): Promise<void> {
    return this.#agent.destroy();
  }
}
