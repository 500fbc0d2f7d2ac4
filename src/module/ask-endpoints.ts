import type { HttpResponse } from './http-client.ts';
import { ModuleError } from './module-error.ts';
import { type Endpoint, type HostMemory, toEndpointName } from './registry-endpoints.ts';
import { parseRetryAfter } from './response-error.ts';
import { withTimeLimit } from './time-limit.ts';

/** An answer, and which of several places gave it. */
export interface EndpointResponse extends HttpResponse {
  readonly endpoint: Endpoint;
  /** What was asked before it in vain, and why: `mirror.example:5000/hub answers 404`. */
  readonly passedOver: readonly string[];
}

export interface AskPorts {
  readonly memory: HostMemory;
  /** How long a place has for the head of its answer where there is another one, ms. */
  readonly mirrorMs: number;
  send(endpoint: Endpoint, signal: AbortSignal): Promise<HttpResponse>;
}

/**
 * Asks one place after the other until one answers 2xx. Where none does, what the last of them in the given order said is
 * the outcome, which is the registry itself: a mirror that is away, or lacks something, does not tell whether it exists.
 */
export async function askEndpoints(
  endpoints: readonly Endpoint[],
  { memory, mirrorMs, send }: AskPorts,
  signal: AbortSignal,
): Promise<EndpointResponse> {
  const passedOver: string[] = [];
  const last = endpoints.at(-1);
  let own: EndpointResponse | undefined;
  let fault: ModuleError | undefined;
  for (const endpoint of memory.order(endpoints)) {
    try {
      const response = await ask(endpoint);
      const answer = { ...response, endpoint, passedOver };
      if (response.status < 300) {
        own?.drop();
        return answer;
      }
      if (endpoint === last) own = answer;
      else response.drop();
      if (endpoint !== last) passedOver.push(`${toEndpointName(endpoint)} answers ${response.status}`);
    } catch (error) {
      if (signal.aborted || !(error instanceof ModuleError)) throw error;
      if (endpoint === last) fault = error;
      if (endpoint !== last) passedOver.push(error.message);
    }
  }
  if (own !== undefined) return own;
  if (fault === undefined) throw new TypeError('no place to ask');
  throw passedOver.length === 0 ? fault : withOthers(fault, passedOver);

  async function ask(endpoint: Endpoint): Promise<HttpResponse> {
    const { host } = endpoint;
    memory.checkPause(host);
    try {
      const response =
        endpoint !== last
          ? await withTimeLimit(mirrorMs, host, signal, limited => send(endpoint, limited))
          : await send(endpoint, signal);
      const retryAfterMs = response.status === 429 ? parseRetryAfter(response.headers) : undefined;
      if (retryAfterMs !== undefined) memory.pause(host, retryAfterMs, `${host} answers 429`);
      if (response.status >= 500) memory.shun(host);
      return response;
    } catch (error) {
      if (error instanceof ModuleError && error.transient && !signal.aborted) memory.shun(host);
      throw error;
    }
  }
}

function withOthers(fault: ModuleError, others: readonly string[]): ModuleError {
  const { code, message, hint, retryAfterMs, faults } = fault;
  return new ModuleError(code, `${message} (mirrors: ${others.join('; ')})`, {
    cause: fault,
    faults,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
