import { toMessage } from '../../model/error.ts';
import { Agent, request } from '../../model/http.ts';
import type { LogLevel, NodeAdmin } from '../../model/node-access.ts';
import { NodeAccessError } from '../node-access-error.ts';
import { checkAdminAddress } from './admin-address.ts';

export interface NodeAdminOptions {
  /** `HOST` or `HOST:PORT` that may be asked beside loopback. */
  readonly allowed: readonly string[];
  /** Of one request, its answer included, ms. */
  readonly timeoutMs: number;
  /** Of one answer. */
  readonly maxBytes: number;
}

export const ADMIN_LIMITS = { timeoutMs: 5_000, maxBytes: 1024 * 1024 } as const;

/**
 * Asks Envoys' admin interfaces two things: who they are, and how much plugins log. Paths are fixed, redirects are not
 * followed, no proxy is used, and nobody is told what a stranger answered.
 * https://www.envoyproxy.io/docs/envoy/latest/operations/admin
 */
export function createNodeAdmin(options: NodeAdminOptions): NodeAdmin {
  const check = (address: string): URL => checkAdminAddress(address, options.allowed);
  return {
    check: address => check(address).origin,
    async logLevel(address, nodeId, level) {
      // What was allowed when it was stored may not be any more.
      const url = check(address);
      const answering = readNodeId(url, await ask(url, 'GET', '/server_info', options));
      if (answering !== nodeId)
        throw new NodeAccessError(
          'admin-other-node',
          `${url.host} is the admin interface of node ${answering}`,
          {
            hint: `Give ${nodeId} its own: attache node set ${nodeId} --admin http://HOST:PORT`,
          },
        );
      return readLevel(url, await ask(url, 'POST', toPath(level), options));
    },
  };
}

function toPath(level: LogLevel | undefined): string {
  return level === undefined ? '/logging' : `/logging?wasm=${level}`;
}

function readNodeId(url: URL, text: string): string {
  try {
    const { node } = JSON.parse(text) as { readonly node?: { readonly id?: unknown } };
    if (typeof node?.id === 'string') return node.id.slice(0, 200);
  } catch {
    // Said below.
  }
  throw badAnswer(url, 'does not say which Envoy it is');
}

/** `  wasm: debug` among all loggers. */
function readLevel(url: URL, text: string): string {
  const level = /^\s*wasm: (\w+)$/m.exec(text)?.[1];
  if (level !== undefined) return level;
  throw badAnswer(url, 'has no logger named wasm (an Envoy with fine-grain logging has one per file)');
}

/** The text of a 200. */
function ask(url: URL, method: 'GET' | 'POST', path: string, options: NodeAdminOptions): Promise<string> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(toError(url, error, options, signal));
    // An agent of its own: that of Node may go through a proxy, and keeps connections.
    const agent = new Agent({ keepAlive: false });
    const call = request(new URL(path, url), { method, agent, signal }, response => {
      if (response.statusCode !== 200) {
        response.destroy();
        reject(badAnswer(url, `answers ${response.statusCode} to ${method} ${path}`));
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= options.maxBytes) chunks.push(chunk);
        else response.destroy(badAnswer(url, `answers more than ${options.maxBytes} bytes`));
      });
      response.on('error', fail);
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    });
    call.on('error', fail);
    call.end();
  });
}

function badAnswer({ host }: URL, what: string): NodeAccessError {
  return new NodeAccessError('admin-bad-answer', `${host} ${what}`, {
    hint: 'It is to be the admin interface of the node: admin.address in its bootstrap.',
  });
}

function toError(
  { host }: URL,
  error: unknown,
  { timeoutMs }: NodeAdminOptions,
  signal: AbortSignal,
): NodeAccessError {
  if (error instanceof NodeAccessError) return error;
  const why = signal.aborted ? `no answer within ${timeoutMs / 1000} s` : toMessage(error) || 'no connection';
  return new NodeAccessError('admin-unreachable', `${host} cannot be reached: ${why}`, {
    cause: error,
    hint: 'The server connects to it, not you: it has to be reachable from there.',
  });
}
