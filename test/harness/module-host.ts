import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How the host answers; every field may be changed at any time and holds for later requests. */
export interface HostBehaviour {
  /** Default 200; with anything else there is no body. */
  readonly status?: number;
  /** Before the first byte, in ms. */
  readonly delayMs?: number;
  /** Body bytes a second; default: all at once. */
  readonly bytesPerSecond?: number;
  /** Nothing is answered before it is fulfilled. */
  readonly until?: Promise<unknown>;
}

/** One GET as the host saw it. */
export interface HostGet {
  readonly sha256: string;
  readonly tag: string;
  readonly at: number;
  readonly headers: IncomingMessage['headers'];
  /** `cut`: the Envoy went away before the end. */
  state: 'open' | 'sent' | 'refused' | 'cut';
}

/** A plain HTTP server for modules at `/m/<sha256>?tag=…` that can be slow or refuse, and keeps every GET. */
export interface ModuleHost {
  readonly port: number;
  readonly gets: readonly HostGet[];
  /** Offers a module. */
  add(module: { readonly bytes: Uint8Array; readonly sha256: string }): void;
  behave(behaviour: HostBehaviour): void;
  getsOf(sha256: string): readonly HostGet[];
  stop(): Promise<void>;
}

/** `port` 0: one that is free. */
export async function startModuleHost(port = 0): Promise<ModuleHost> {
  const modules = new Map<string, Uint8Array>();
  const gets: HostGet[] = [];
  let behaviour: HostBehaviour = {};
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://host');
    const get: HostGet = {
      sha256: url.pathname.split('/').at(-1) ?? '',
      tag: url.searchParams.get('tag') ?? '',
      at: Date.now(),
      headers: request.headers,
      state: 'open',
    };
    gets.push(get);
    response.on('close', () => {
      if (get.state === 'open') get.state = 'cut';
    });
    answer(get, response, modules.get(get.sha256), behaviour).catch(() => response.destroy());
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    gets,
    add: module => void modules.set(module.sha256, module.bytes),
    behave(next) {
      behaviour = next;
    },
    getsOf: sha256 => gets.filter(get => get.sha256 === sha256),
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function answer(
  get: HostGet,
  response: ServerResponse,
  bytes: Uint8Array | undefined,
  { status = 200, delayMs = 0, bytesPerSecond, until }: HostBehaviour,
): Promise<void> {
  await until;
  if (delayMs > 0) await delay(delayMs);
  const given = bytes === undefined ? 404 : status;
  if (given !== 200 || bytes === undefined) {
    get.state = 'refused';
    response.writeHead(given, { 'content-length': 0 }).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/wasm', 'content-length': bytes.length });
  const rest = bytesPerSecond === undefined ? bytes : await trickle(response, bytes, bytesPerSecond);
  if (response.destroyed) return;
  get.state = 'sent';
  response.end(rest);
}

/** Twenty pieces a second; gives back the last one, unsent. */
async function trickle(
  response: ServerResponse,
  bytes: Uint8Array,
  bytesPerSecond: number,
): Promise<Uint8Array> {
  const piece = Math.max(1, Math.round(bytesPerSecond / 20));
  let at = 0;
  for (; at + piece < bytes.length && !response.destroyed; at += piece) {
    response.write(bytes.subarray(at, at + piece));
    await delay(50);
  }
  return bytes.subarray(at);
}
