import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { toMessage } from '../model/error.ts';
import { createServer } from '../model/http.ts';
import { listenWidely } from '../model/listen-widely.ts';
import { type ModuleFetch, type ModuleFetchFeed, verifyCapability } from '../model/module-fetch.ts';
import type { CheckModuleCaller } from '../model/node-auth.ts';
import { PROBE_SHA256 } from '../model/plugin-place.ts';
import type { Clock, Log } from '../model/ports.ts';
import { keepCertificatesFresh, type PortTls, toTlsOptions } from '../model/server-tls.ts';
import type { BlobCache, OpenBlob } from './blob-cache.ts';
import { JointReads } from './joint-reads.ts';
import { ModuleError } from './module-error.ts';
import { sendBlob } from './send-blob.ts';
import { SendTurns } from './send-turns.ts';

export interface ModuleServerOptions {
  /** port 0: any free port. */
  readonly listen: { readonly host: string; readonly port: number };
  /** undefined: plain text. */
  readonly tls: PortTls | undefined;
  /** Whether a caller may have what a URL is for. */
  readonly checkCaller: CheckModuleCaller;
  /** The accepted HMAC keys; asked for at each request. */
  readonly keys: () => readonly Uint8Array[];
  readonly cache: BlobCache;
  /** Told of each digest that an Envoy has the right to and that is not here, or not sound. */
  readonly onMissing: (sha256: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ModuleServer {
  readonly address: { readonly host: string; readonly port: number };
  /** What became of each GET; the evidence of the push protocol. */
  readonly feed: ModuleFetchFeed;
  /** Cuts downloads that are under way. */
  stop(): Promise<void>;
}

const PATH = /^\/v1\/modules\/sha256\/([0-9a-f]{64})$/;

/**
 * Serves modules to Envoys and to nobody else: `GET /v1/modules/sha256/<hex>?cap=…&tag=…`, identity coding, exact
 * length, no redirects, no listing. A capability names the process that was told to load the digest
 * (model/module-fetch.ts); without one that our key made the answer is 403. Throws ModuleError
 * `modules-listen-failed`.
 */
export async function startModuleServer(options: ModuleServerOptions): Promise<ModuleServer> {
  const fetches = new FetchRecorder(options.clock);
  const reads = new JointReads();
  const turns = new SendTurns();
  const { tls } = options;
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response, options, { fetches, reads, turns }).catch(error => {
      options.log.error({ error: toMessage(error) }, 'module request failed');
      response.destroy();
    });
  };
  const secure = tls && createTlsServer(toTlsOptions(tls), take);
  const stopFresh = tls && secure && keepCertificatesFresh(secure, tls);
  const server = secure ?? createServer(take);
  const stopOthers = await listen(server, options.listen);
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { host: address, port },
    feed: fetches,
    stop() {
      stopFresh?.();
      stopOthers();
      return close(server);
    },
  };
}

/** What all requests have in common. */
interface Sending {
  readonly fetches: FetchRecorder;
  readonly reads: JointReads;
  readonly turns: SendTurns;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { keys, checkCaller, cache, onMissing, clock, log }: ModuleServerOptions,
  { fetches, reads, turns }: Sending,
): Promise<void> {
  const url = new URL(`http://module.invalid${request.url ?? '/'}`);
  const sha256 = PATH.exec(url.pathname)?.[1];
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'bad-method', 'only GET and HEAD');
  if (sha256 === undefined) return refuse(response, 404, 'not-found', 'no such path');
  const holder = verifyCapability(keys(), url.searchParams.get('cap') ?? '', sha256);
  if (holder === undefined) {
    log.warn({ sha256 }, 'a module was asked for without the right to it');
    return refuse(response, 403, 'bad-capability', 'this URL was not made by this control plane');
  }
  const refusal = checkCaller(certificateOf(request), holder.nodeHash);
  if (refusal !== undefined) {
    log.warn({ sha256, ...refusal }, 'a module was asked for by who is not its node');
    return refuse(response, 403, refusal.code, refusal.message);
  }
  const tag = url.searchParams.get('tag') ?? '';
  const record =
    request.method === 'GET' ? fetches.start(holder.process, sha256, tag.slice(0, 64)) : undefined;
  const { process } = holder;
  // Before anything is awaited: a client that goes away early must not be missed.
  response.once('finish', () => record?.(response.statusCode === 200));
  response.once('close', () => record?.(false));
  const blob = await cache.open(sha256);
  if (blob === undefined) {
    // That a probe's module was asked for is all that was to be seen.
    if (sha256 !== PROBE_SHA256) {
      log.error({ sha256, process }, 'a module that an Envoy was told to load is not in the cache');
      onMissing(sha256);
    }
    return refuse(response, 404, 'module-not-found', 'no such module here');
  }
  const leave = reads.join(sha256);
  try {
    writeHead(response, blob, sha256);
    const read = (position: number, length: number) => reads.read(sha256, blob.file, position, length);
    if (request.method === 'HEAD') response.end();
    else await sendBlob(response, blob, clock, undefined, read, turns);
    log.debug({ sha256, process, tag, sent: response.writableFinished }, 'module request ended');
  } finally {
    leave();
    await blob.file.close();
  }
}

function writeHead(response: ServerResponse, blob: OpenBlob, sha256: string): void {
  response.writeHead(200, {
    'content-type': 'application/wasm',
    'content-length': blob.sizeBytes,
    etag: `"sha256:${sha256}"`,
    // The URL carries a capability: for the Envoy it was made for, and no cache between.
    'cache-control': 'private, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    // An Envoy that reuses a connection just as we close it would count a failed fetch.
    connection: 'close',
  });
}

/** DER; undefined where none came, or TLS has not verified it. */
function certificateOf({ socket }: IncomingMessage): Uint8Array | undefined {
  return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
}

/** RFC 9457. */
function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ type: 'about:blank', status, title: code, code, detail });
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  response.end(body);
}

/** Tells its listeners what becomes of each GET: started, and then exactly once sent or failed. */
class FetchRecorder implements ModuleFetchFeed {
  readonly #listeners = new Set<(fetch: ModuleFetch) => void>();
  readonly #clock: Clock;
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  subscribe(listener: (fetch: ModuleFetch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(process: string, moduleSha256: string, tag: string): (sent: boolean) => void {
    const id = ++this.#lastId;
    const tell = (state: ModuleFetch['state']) => {
      const fetch: ModuleFetch = { process, moduleSha256, tag, id, state, at: this.#clock.now() };
      for (const listener of this.#listeners) listener(fetch);
    };
    tell('started');
    let ended = false;
    return sent => {
      if (!ended) tell(sent ? 'sent' : 'failed');
      ended = true;
    };
  }
}

async function listen(server: Server, place: ModuleServerOptions['listen']): Promise<() => void> {
  try {
    return await listenWidely(server, place, { allowHalfOpen: true });
  } catch (cause) {
    throw new ModuleError(
      'modules-listen-failed',
      `cannot listen on ${place.host}:${place.port}: ${toMessage(cause)}`,
      { cause, hint: 'Another port: --modules-listen HOST:PORT' },
    );
  }
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
